/** The whole page: who is not signed in sees the door, everybody else the rooms. */
import { useEffect } from 'preact/hooks';
import { Banner, Notice } from './banner.tsx';
import { Composer } from './composer.tsx';
import { Dialogs } from './dialogs.tsx';
import { DropZone } from './drop-zone.tsx';
import { Header } from './header.tsx';
import { History } from './history.tsx';
import { listenToKeys } from './keys.ts';
import { SidePanel } from './panel.tsx';
import { language, say } from './preferences.ts';
import { Rooms } from './rooms.tsx';
import { type Store, wantedRoom } from './session-store.ts';
import { SignIn } from './sign-in.tsx';
import { StoreContext } from './store-context.ts';
import { UploadQueue } from './upload-queue.tsx';

export function App({ store }: { readonly store: Store }) {
  useEffect(() => {
    store.link.retry();
    return listenToKeys(store);
  }, [store]);
  useEffect(() => {
    const moved = () => {
      const wanted = wantedRoom();
      if (wanted && store.me.value) void store.open(wanted.room, wanted.seq);
    };
    addEventListener('hashchange', moved);
    addEventListener('popstate', moved);
    return () => {
      removeEventListener('hashchange', moved);
      removeEventListener('popstate', moved);
    };
  }, [store]);
  const { kind } = store.link.state.value;
  const isOut = kind === 'signed-out';
  return (
    <StoreContext.Provider value={store} key={language.value}>
      {isOut ? <SignIn /> : store.me.value ? <Chat store={store} /> : <Loading />}
      <Notice />
    </StoreContext.Provider>
  );
}

function Loading() {
  return (
    <main class="door">
      <p class="quiet">{say('loading')}</p>
    </main>
  );
}

function Chat({ store }: { readonly store: Store }) {
  const { value: room } = store.current;
  const unread = [...store.rooms.value.values()].reduce(
    (sum, info) => sum + (store.joined.value.has(info.room) ? Math.max(0, info.last - info.read) : 0),
    0,
  );
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ''}${room === '' ? 'partyline' : store.title(room)}`;
  }, [unread, room, store]);
  return (
    <div
      class={`chat ${store.panel.value ? 'with-panel' : ''} ${store.panel.value === 'wire' ? 'with-wire' : ''} ${store.drawer.value ? 'with-drawer' : ''}`}
    >
      <button type="button" class="skip" onClick={() => document.querySelector<HTMLElement>('#message')?.focus()}>
        {say('skip')}
      </button>
      <Rooms />
      <main class="talk">
        <Header />
        <Banner />
        {room !== '' && <History key={room} room={room} />}
        <UploadQueue />
        {room !== '' && <Composer key={`composer ${room}`} room={room} />}
      </main>
      <SidePanel />
      {(store.drawer.value || store.panel.value) && (
        <button
          type="button"
          class={`shade ${store.drawer.value ? 'for-drawer' : ''}`}
          aria-label={say('close')}
          onClick={() => {
            store.drawer.value = false;
            store.panel.value = undefined;
          }}
        />
      )}
      <DropZone />
      <Dialogs />
    </div>
  );
}
