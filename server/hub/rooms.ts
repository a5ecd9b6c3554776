/** Making, entering, leaving and naming rooms; the replay that goes live without a hole or a double. */
import { formatTime } from '../../shared/clock.ts';
import { HubError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { RoomName, UserName } from '../../shared/names.ts';
import { foldName } from '../../shared/text.ts';
import { auditRoom } from './audit.ts';
import { roomFor } from './direct-rooms.ts';
import type { Call, Domain, Handlers } from './handlers.ts';
import type { PrincipalId } from './host.ts';
import type { LiveRoom, RoomDocument } from './live-rooms.ts';
import { appendEvent, rowOf } from './log.ts';
import { demand, demandUnbound, may } from './permissions.ts';
import type { Person } from './session.ts';

export type RoomHandlers = Pick<Handlers, 'ROOMS' | 'CREATE' | 'JOIN' | 'PART' | 'TOPIC' | 'NAMES'>;

/** The rooms that every hub has, owned by nobody but administrators: the lobby, and the audit log. */
export async function foundRooms(domain: Domain): Promise<void> {
  const made = { topic: '', roles: {}, created: formatTime(domain.clock.now()) };
  if (!domain.rooms.find('lobby')) await foundRoom(domain, { ...made, name: 'lobby', visibility: 'public' });
  if (domain.rooms.find(auditRoom)) return;
  await foundRoom(domain, { ...made, name: auditRoom, visibility: 'private', isRecord: true });
}

async function foundRoom(domain: Domain, value: RoomDocument): Promise<LiveRoom> {
  const key = foldName(value.name);
  await domain.store.commit([{ kind: 'put-document', document: 'room', key, value, expect: 0 }]);
  return domain.rooms.add({ key, version: 1, value }, await domain.store.head(value.name));
}

export function roomHandlers(domain: Domain): RoomHandlers {
  return {
    async ROOMS({ person, exchange }, { match }) {
      const reads = await domain.reads.of(person.principal);
      const seen = [...domain.rooms.all()].filter(room => may(person, 'see', room.rights));
      const part = match === undefined ? '' : foldName(match);
      const rooms = [...seen, ...domain.directs.of(person)].filter(room => room.key.includes(part));
      for (const room of rooms) {
        const read = reads.get(room.key);
        const marks = { last: room.last, ...(read !== undefined && { read }) };
        await exchange.row?.({ room: room.name, members: room.memberCount, ...marks, text: room.rights.topic });
      }
      return { count: rooms.length };
    },

    async CREATE({ person }, { room: name, topic }) {
      if (person.isGuest) throw new HubError('forbidden', 'guests make no rooms; LOGIN with an account');
      demandUnbound(person);
      const creator = foldName(person.name);
      if (domain.rooms.find(name)) throw new HubError('exists', `there is a room ${name} already; JOIN it`);
      const made = [...domain.rooms.all()].filter(room => room.rights.creator === creator).length;
      if (made >= limits.roomsPerPersonMax)
        throw new HubError('quota', `you have made ${made} rooms; that is the limit`);
      const created = formatTime(domain.clock.now());
      const roles = { [creator]: 'owner' } as const;
      await foundRoom(domain, { name, topic: topic ?? '', visibility: 'public', roles, created, creator }).catch(
        error => {
          throw error instanceof HubError && error.code === 'conflict'
            ? new HubError('exists', `there is a room ${name} already; JOIN it`)
            : error;
        },
      );
      return { room: name };
    },

    async JOIN(call, { after, limit }) {
      const { room, session, person } = call;
      const cursor = after === undefined ? room.last : await replay(domain, call, after, limit ?? limits.replayRowsMax);
      if (session.hasEnded) throw new HubError('cancelled', 'the session has ended');
      room.join(session, person, cursor);
      return { room: room.name as RoomName, members: room.memberCount, last: room.last };
    },

    PART({ session, person }, { room: name }) {
      const room = roomFor(domain, person, name);
      if (!session.rooms.has(room)) throw new HubError('conflict', `you are not in ${room.name}`);
      room.part(session);
      return { room: room.name as RoomName };
    },

    async TOPIC({ room, person }, { topic }) {
      if (topic === undefined) return { room: room.name as RoomName, text: room.rights.topic };
      demand(person, 'moderate', room.rights);
      const { key, version, value } = room.document;
      const changed = { ...value, topic };
      await appendEvent(domain, room, person, { event: 'TOPIC', text: topic }, [
        { kind: 'put-document', document: 'room', key, value: changed, expect: version },
      ]);
      room.document = { key, version: version + 1, value: changed };
      return { room: room.name as RoomName, text: topic };
    },

    async NAMES({ room, exchange }, { limit = Number.POSITIVE_INFINITY }) {
      const present = new Map<PrincipalId, { readonly person: Person; readonly wires: string[] }>();
      for (const { person, origin } of room.sessions()) {
        const known = person && present.get(person.principal);
        if (!known) person && present.set(person.principal, { person, wires: [origin.wire] });
        else if (!known.wires.includes(origin.wire)) known.wires.push(origin.wire);
      }
      let told = 0;
      for (const { person, wires } of present.values()) {
        if (told++ >= limit) break;
        await exchange.row?.({
          user: person.name as UserName,
          ...(person.isGuest && { guest: true }),
          ...(domain.presence.away(person.principal) !== undefined && { away: true }),
          wires: wires.join(','),
        });
      }
      return { room: room.name as RoomName, count: present.size };
    },
  };
}

/**
 * Tells what came behind `after` and returns the number up to which all is told. The last look at the log and the join
 * that follows lie in one turn, and the join filters what a replay has told already: no hole, no double.
 */
async function replay(domain: Domain, { room, exchange }: Call, after: number, rowsMax: number): Promise<number> {
  let cursor = Math.min(after, room.last);
  let left = Math.min(rowsMax, limits.replayRowsMax);
  while (cursor < room.last) {
    if (left === 0) {
      const to = room.last;
      await exchange.row?.({ room: room.name, from: cursor + 1, to }, 'GAP');
      return to;
    }
    const page = await domain.store.history(room.name, { after: cursor, limit: Math.min(left, 100) });
    if (page.length === 0) return cursor;
    for (const row of page) await exchange.row?.(...rowOf(row));
    cursor = page.at(-1)!.event.seq;
    left -= page.length;
  }
  return cursor;
}
