/** The whole page takes files that are dropped on it, and says where they go. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { droppedFiles } from './dropped.ts';
import { Icon } from './icons.tsx';
import { say } from './preferences.ts';
import { useStore } from './store-context.ts';

export function DropZone() {
  const store = useStore();
  const depth = useSignal(0);
  useEffect(() => {
    const holdsFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true;
    const over = (event: DragEvent) => holdsFiles(event) && event.preventDefault();
    const enter = (event: DragEvent) => holdsFiles(event) && depth.value++;
    const leave = (event: DragEvent) => holdsFiles(event) && (depth.value = Math.max(0, depth.value - 1));
    const drop = (event: DragEvent) => {
      depth.value = 0;
      if (!event.dataTransfer || !holdsFiles(event)) return;
      event.preventDefault();
      droppedFiles(event.dataTransfer, store.folder.value).then(
        files => store.uploads.add(files),
        error => store.failed(error),
      );
    };
    const listeners = { dragover: over, dragenter: enter, dragleave: leave, drop };
    for (const [name, listener] of Object.entries(listeners)) addEventListener(name, listener as EventListener);
    return () => {
      for (const [name, listener] of Object.entries(listeners)) removeEventListener(name, listener as EventListener);
    };
  }, [store, depth]);
  if (depth.value === 0) return null;
  return (
    <div class="drop-zone">
      <p>
        <Icon name="files" /> {say('dropHere', { path: store.folder.value })}
      </p>
    </div>
  );
}
