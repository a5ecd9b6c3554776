/** How the hub is doing. Events are counted by the rooms' newest numbers, which have no holes, so nothing is read for it. */
import { HubError } from '../../shared/errors.ts';
import type { Domain, Handlers } from './handlers.ts';
import type { LiveSession } from './live-session.ts';

/** Every file of every room lies below it. */
const EVERYWHERE = '';

export function statsHandlers({ clock, rooms, sessions, store }: Domain): Pick<Handlers, 'STATS'> {
  const startedMs = clock.now();
  return {
    async STATS({ person, exchange }) {
      if (!person.isAdmin) throw new HubError('forbidden', 'this is for administrators');
      const { files, octets } = await store.usage(EVERYWHERE);
      for (const [wire, present] of byWire(sessions.values())) await exchange.row?.({ wire, ...present });
      const all = [...rooms.all()];
      const trouble = store.trouble();
      return {
        uptime: Math.floor((clock.now() - startedMs) / 1000),
        rooms: all.length,
        events: all.reduce((sum, { last }) => sum + last, 0),
        files,
        octets,
        sessions: sessions.size,
        ...(trouble !== undefined && { trouble }),
      };
    },
  };
}

/** Wire → who has a name there; a person with two sessions is one. */
function byWire(sessions: Iterable<LiveSession>) {
  const wires = new Map<string, { principals: Set<string>; sessions: number }>();
  for (const { origin, person } of sessions) {
    const wire = wires.get(origin.wire) ?? { principals: new Set(), sessions: 0 };
    wires.set(origin.wire, wire);
    wire.sessions++;
    if (person) wire.principals.add(person.principal);
  }
  return [...wires].map(
    ([wire, { principals, sessions: count }]) => [wire, { people: principals.size, sessions: count }] as const,
  );
}
