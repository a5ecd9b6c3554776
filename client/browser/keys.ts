/** Keys that mean the same wherever one is on the page. */
import type { Store } from './session-store.ts';

/** Until the returned function is called. */
export function listenToKeys(store: Store): () => void {
  const pressed = (event: KeyboardEvent) => {
    if (event.isComposing || !store.me.value) return;
    if (act(store, event)) event.preventDefault();
  };
  document.addEventListener('keydown', pressed);
  return () => document.removeEventListener('keydown', pressed);
}

function act(store: Store, { key, ctrlKey, metaKey, altKey, target }: KeyboardEvent): boolean {
  const isWriting = target instanceof HTMLElement && target.matches('input, textarea, select');
  if ((ctrlKey || metaKey) && key.toLowerCase() === 'k') {
    store.dialog.value = 'switcher';
    return true;
  }
  if ((ctrlKey || metaKey) && key.toLowerCase() === 'f' && !altKey) {
    store.panel.value = 'search';
    return true;
  }
  if (altKey && (key === 'ArrowDown' || key === 'ArrowUp')) {
    const rooms = [...store.joined.value].sort();
    const at = rooms.indexOf(store.current.value) + (key === 'ArrowDown' ? 1 : -1);
    const next = rooms.at(at % rooms.length);
    if (next !== undefined) void store.open(next);
    return true;
  }
  if (key === '?' && !isWriting) {
    store.dialog.value = 'keyboard';
    return true;
  }
  if (key === 'Escape' && !store.dialog.value && (store.drawer.value || (store.panel.value && innerWidth < 1100))) {
    store.drawer.value = false;
    store.panel.value = undefined;
    return true;
  }
  return false;
}
