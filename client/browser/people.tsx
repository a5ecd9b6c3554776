/** Who is in the room now, and over which wires. */
import { Avatar } from './avatar.tsx';
import { Icon } from './icons.tsx';
import { say } from './preferences.ts';
import { useStore } from './store-context.ts';

export function People() {
  const store = useStore();
  const names = [...store.names.value].sort((a, b) => a.user.localeCompare(b.user));
  const isRoom = !store.current.value.startsWith('@');
  return (
    <>
      <p class="quiet">{say('hereNow', { count: names.length })}</p>
      <ul class="people">
        {names.map(({ user, guest, wires, away }) => (
          <li key={user}>
            <Avatar name={user} />
            <span class="grow">
              <b>{user}</b>
              {user === store.name.value && <span class="tag">{say('you')}</span>}
              {guest && <span class="tag">{say('guest')}</span>}
              {away && <span class="tag">{say('away')}</span>}
              <small class="quiet">{say('over', { wires: wires.replaceAll(',', ', ') })}</small>
            </span>
            {user !== store.name.value && !guest && (
              <button type="button" class="plain" onClick={() => void store.open(`@${user}`)}>
                {say('message')}
              </button>
            )}
          </li>
        ))}
      </ul>
      {isRoom && (
        <button type="button" class="wide" onClick={() => (store.dialog.value = 'invite')}>
          <Icon name="invite" /> {say('invite')}
        </button>
      )}
    </>
  );
}
