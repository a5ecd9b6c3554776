/** Who is here and since when, who is away, and whom one does not want to hear. */
import { formatTime } from '../../shared/clock.ts';
import { HubError } from '../../shared/errors.ts';
import type { UserName } from '../../shared/names.ts';
import { foldName } from '../../shared/text.ts';
import type { Domain, Handlers } from './handlers.ts';
import type { LiveSession } from './live-session.ts';
import { findPerson } from './presence.ts';

export type WhereaboutsHandlers = Pick<Handlers, 'WHO' | 'AWAY' | 'IGNORE' | 'UNIGNORE' | 'IGNORES'>;

export function whereaboutsHandlers(domain: Domain): WhereaboutsHandlers {
  const { presence, ignores } = domain;
  return {
    async WHO({ person }, { user }) {
      const { principal, name, isGuest } = await findPerson(domain, user);
      const sessions = presence.sessionsOf(principal);
      const away = presence.away(principal);
      const rooms = sharedRooms(sessions, presence.sessionsOf(person.principal));
      return {
        user: name as UserName,
        ...(isGuest && { guest: true }),
        ...(sessions.length > 0 && {
          here: true,
          since: formatTime(Math.min(...sessions.map(({ sinceMs }) => sinceMs))),
          wires: [...new Set(sessions.map(({ origin }) => origin.wire))].join(','),
        }),
        ...(rooms.length > 0 && { rooms: rooms.join(',') }),
        ...(away !== undefined && { away: true, text: away }),
      };
    },

    AWAY({ person }, { text }) {
      presence.setAway(person.principal, text);
      const away = presence.away(person.principal);
      return away === undefined ? {} : { text: away };
    },

    async IGNORE({ person }, { user }) {
      const other = await findPerson(domain, user);
      if (other.principal === person.principal)
        throw new HubError('bad-argument', 'nobody can ignore themselves', { at: 'user' });
      await ignores.add(person.principal, other);
      return { user: other.name as UserName };
    },

    async UNIGNORE({ person }, { user }) {
      const key = foldName(user);
      const known = [...ignores.of(person.principal)].find(([, name]) => foldName(name) === key);
      if (!known) throw new HubError('no-user', `you do not ignore ${user}; IGNORES lists whom you do`);
      await ignores.remove(person.principal, known[0]);
      return { user: known[1] as UserName };
    },

    async IGNORES({ person, exchange }) {
      const ignored = ignores.of(person.principal);
      for (const user of ignored.values()) await exchange.row?.({ user });
      return { count: ignored.size };
    },
  };
}

/** Rooms in which both are; only those that the one who asks is in, so nothing is told that NAMES would not. */
function sharedRooms(theirs: readonly LiveSession[], own: readonly LiveSession[]): readonly string[] {
  const mine = new Set(own.flatMap(({ rooms }) => [...rooms]));
  const shared = new Set(theirs.flatMap(({ rooms }) => [...rooms]).filter(room => mine.has(room)));
  return [...shared].map(room => room.name).sort();
}
