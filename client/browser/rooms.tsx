/** The rooms and conversations one is in, those one could enter, and who one is. */
import { Avatar } from './avatar.tsx';
import { IconButton } from './icons.tsx';
import { say } from './preferences.ts';
import type { RoomInfo } from './session-store.ts';
import { useStore } from './store-context.ts';

export function Rooms() {
  const store = useStore();
  const { joined, rooms } = store;
  const empty = { members: 0, last: 0, read: 0, topic: '', mentions: 0 };
  const mine = [...joined.value].map(room => rooms.value.get(room) ?? { room, ...empty }).sort(byName);
  const others = [...rooms.value.values()].filter(({ room }) => !joined.value.has(room)).sort(byName);
  const talks = (list: readonly RoomInfo[]) => list.filter(({ room }) => room.startsWith('@'));
  const places = (list: readonly RoomInfo[]) => list.filter(({ room }) => !room.startsWith('@'));
  return (
    <nav class="rooms" aria-label={say('rooms')}>
      <div class="rooms-head">
        <span class="mark" aria-hidden="true" />
        <strong>{location.hostname}</strong>
        <IconButton icon="search" label={say('switchRoom')} onClick={() => (store.dialog.value = 'switcher')} />
      </div>
      <div class="rooms-list">
        <Section title={say('rooms')} list={places(mine)} add={() => (store.dialog.value = 'new-room')} />
        {mine.length === 0 && <p class="quiet">{say('noRooms')}</p>}
        <Section title={say('conversations')} list={[...talks(mine), ...talks(others).filter(hasNews)]} />
        <Section title={say('otherRooms')} list={places(others)} quiet />
      </div>
      <div class="rooms-foot">
        <Avatar name={store.name.value} />
        <span class="grow">
          <b>{store.name.value}</b>
          {store.me.value?.guest && <small class="quiet"> {say('guest')}</small>}
        </span>
        <IconButton
          icon="shield"
          kind="only-narrow"
          label={say('administration')}
          onClick={() => showAdministration(store)}
        />
        <IconButton icon="settings" label={say('settings')} onClick={() => (store.dialog.value = 'settings')} />
        <IconButton
          icon="out"
          label={say('signOut')}
          onClick={() => void store.leaveHub().catch(error => store.failed(error))}
        />
      </div>
    </nav>
  );
}

function showAdministration(store: ReturnType<typeof useStore>): void {
  store.drawer.value = false;
  store.panel.value = 'administration';
}

const byName = (a: RoomInfo, b: RoomInfo) => a.room.localeCompare(b.room);
const hasNews = ({ last, read }: RoomInfo) => last > read;

interface SectionProps {
  readonly title: string;
  readonly list: readonly RoomInfo[];
  readonly add?: () => void;
  readonly quiet?: boolean;
}

function Section({ title, list, add, quiet = false }: SectionProps) {
  if (list.length === 0 && !add) return null;
  return (
    <section>
      <h2>
        <span>{title}</span>
        {add && <IconButton icon="plus" label={say('newRoom')} onClick={add} />}
      </h2>
      <ul>
        {list.map(info => (
          <RoomLink key={info.room} info={info} quiet={quiet} />
        ))}
      </ul>
    </section>
  );
}

function RoomLink({ info, quiet }: { readonly info: RoomInfo; readonly quiet: boolean }) {
  const store = useStore();
  const { room, last, read, mentions } = info;
  const title = store.title(room);
  const unread = quiet ? 0 : Math.max(0, last - read);
  const isCurrent = store.current.value === room;
  return (
    <li>
      <button
        type="button"
        class={`room ${isCurrent ? 'is-current' : ''} ${unread > 0 ? 'has-unread' : ''}`}
        aria-current={isCurrent ? 'page' : undefined}
        onClick={() => void store.open(room)}
      >
        <span class="sigil" aria-hidden="true">
          {title[0]}
        </span>
        <span class="grow">{title.slice(1)}</span>
        {mentions > 0 && (
          <span class="badge is-mention">
            @<span class="unseen">{say('mentionCount', { count: mentions })}</span>
          </span>
        )}
        {unread > 0 && !isCurrent && (
          <span class="badge">
            <span aria-hidden="true">{unread > 999 ? '999+' : unread}</span>
            <span class="unseen">{say('unreadCount', { count: unread })}</span>
          </span>
        )}
      </button>
    </li>
  );
}
