/** Finding what was said and which files came, in the rooms that a person may read. */
import type { ParsedOf } from '../../shared/commands/index.ts';
import { HubError } from '../../shared/errors.ts';
import { parseQuery } from '../../shared/search-query.ts';
import type { Call, Domain, Handlers } from './handlers.ts';
import type { LiveRoom } from './live-rooms.ts';
import { rowOf } from './log.ts';
import { demand, may } from './permissions.ts';

export type SearchHandlers = Pick<Handlers, 'SEARCH'>;

const searchRows = 50;

export function searchHandlers(domain: Domain): SearchHandlers {
  return {
    async SEARCH({ person, exchange }, input) {
      const { room, before, limit = searchRows } = input;
      const parsed = parseQuery(input.query);
      if (parsed.kind === 'invalid') throw new HubError('bad-argument', `the query ${parsed.reason}`, { at: 'query' });
      const rooms = roomsOf(domain, person, room, parsed.query.in);
      if (before !== undefined && rooms.length !== 1) {
        const advice = 'before= is a number of one room; name the room, or say before:2026-11-23 in the query';
        throw new HubError('bad-argument', advice, { at: 'before' });
      }
      const rows = await domain.store.search({
        rooms: rooms.map(({ name }) => name),
        query: parsed.query,
        limit: limit + 1,
        ...(before !== undefined && { before }),
      });
      const shown = rows.slice(-limit);
      for (const row of shown) await exchange.row?.(...rowOf(row));
      const more = rows.length > limit ? 'yes' : 'no';
      return { ...(room !== undefined && { room }), count: shown.length, more };
    },
  };
}

/** The rooms that were named, each of which must be readable, or all that are. Errors: `no-room`, `forbidden`. */
function roomsOf(
  domain: Domain,
  person: Call['person'],
  room: ParsedOf<'SEARCH'>['room'],
  named: readonly string[],
): readonly LiveRoom[] {
  const { rooms } = domain;
  if (room === undefined && named.length === 0) {
    return [...rooms.all()].filter(({ rights }) => may(person, 'read', rights));
  }
  const found = new Set((named.length > 0 ? named : [room!]).map(name => rooms.get(name)));
  const only = room === undefined ? undefined : rooms.get(room);
  for (const one of only ? [...found, only] : found) demand(person, 'read', one.rights);
  return only ? [only].filter(one => found.has(one)) : [...found];
}
