/** Saying, mending, taking back and reading messages. */
import { formatTime } from '../../shared/clock.ts';
import { HubError } from '../../shared/errors.ts';
import type { EventOf } from '../../shared/events.ts';
import { limits } from '../../shared/limits.ts';
import type { RoomName } from '../../shared/names.ts';
import type { Domain, Handlers } from './handlers.ts';
import type { LogRow, Page } from './host.ts';
import type { LiveRoom } from './live-rooms.ts';
import { appendEvent, rowOf } from './log.ts';
import { tellMentioned } from './mentions.ts';
import { Pace } from './moderation.ts';
import { may } from './permissions.ts';
import type { Person } from './session.ts';
import type { Write } from './writes.ts';

export type MessageHandlers = Pick<Handlers, 'SAY' | 'EDIT' | 'DELETE' | 'HISTORY'>;

const historyRows = 50;

export function messageHandlers(domain: Domain): MessageHandlers {
  const pace = new Pace();
  return {
    async SAY({ room, person }, { id, reply, text }) {
      if (reply !== undefined && reply > room.last) throw noReply(room, reply);
      pace.take(room, person, domain.clock.now());
      const { seq, isRepeated } = await say(domain, room, person, { id, reply, text });
      return { room: room.name as RoomName, seq, ...(isRepeated && { dup: true }) };
    },

    async EDIT({ room, person }, { of, text }) {
      const { by } = await messageRow(domain, room, of);
      if (by !== person.principal) throw new HubError('forbidden', 'only the author edits a message');
      const edited = formatTime(domain.clock.now());
      const { seq } = await appendEvent(domain, room, person, { event: 'EDITED', of, text }, [
        { kind: 'revise', room: room.name, seq: of, text, edited },
      ]);
      return { room: room.name as RoomName, of, seq };
    },

    async DELETE({ room, person }, { of }) {
      const { by } = await messageRow(domain, room, of);
      if (by !== person.principal && (room.rights.pair || !may(person, 'delete-any', room.rights))) {
        throw new HubError('forbidden', 'only the author or a moderator takes a message back');
      }
      const { seq } = await appendEvent(domain, room, person, { event: 'DELETED', of }, [
        { kind: 'revise', room: room.name, seq: of, text: '', deleted: true },
      ]);
      return { room: room.name as RoomName, of, seq };
    },

    async HISTORY({ room, exchange }, input) {
      const limit = input.limit ?? historyRows;
      const page = pageOf(input, limit);
      const rows = await domain.store.history(room.name, page);
      const isForward = input.after !== undefined || input.around !== undefined;
      const more = rows.length > limit;
      const shown = isForward ? rows.slice(0, limit) : rows.slice(-limit);
      for (const row of shown) await exchange.row?.(...rowOf(row));
      const first = isForward || !more ? await firstKept(domain, room, page, rows[0]) : undefined;
      const count = shown.length;
      return { room: room.name as RoomName, count, more: more ? 'yes' : 'no', ...(first !== undefined && { first }) };
    },
  };
}

interface Said {
  readonly id?: string | undefined;
  readonly reply?: number | undefined;
  readonly text: string;
}

/** Appends the message and tells whom it names; with an id that was used before nothing happens. */
export async function say(
  domain: Domain,
  room: LiveRoom,
  person: Person,
  { id, reply, text }: Said,
): Promise<{ seq: number; isRepeated: boolean }> {
  const draft = {
    event: 'MSG',
    ...(id !== undefined && { id }),
    ...(reply !== undefined && { reply }),
    text,
  } as const;
  const repeat = id === undefined ? undefined : repeatOf(domain, `${person.principal} ${room.key} ${id}`);
  const repliesTo: readonly Write[] =
    reply === undefined ? [] : [{ kind: 'expect-event', room: room.name, seq: reply, events: ['MSG', 'FILE'] }];
  const appended = appendEvent(domain, room, person, draft, repliesTo, repeat);
  const { seq, receipt } = await appended.catch(error => {
    const isNoReply = reply !== undefined && error instanceof HubError && error.code === 'conflict';
    throw isNoReply ? noReply(room, reply) : error;
  });
  const isRepeated = receipt.repeated !== undefined;
  if (!isRepeated && !room.rights.pair && text.includes('@')) tellMentioned(domain, room, person, seq, text);
  return { seq, isRepeated };
}

function noReply(room: LiveRoom, seq: number): HubError {
  return new HubError('no-message', `there is no message or file ${seq} in ${room.name} to reply to`);
}

function repeatOf(domain: Domain, key: string) {
  return { key, sinceMs: domain.clock.now() - limits.repeatMs };
}

/** One row more than asked says whether there is more. */
function pageOf(
  asked: { before?: number | undefined; after?: number | undefined; around?: number | undefined },
  limit: number,
): Page {
  const given = [asked.before, asked.after, asked.around].filter(number => number !== undefined);
  if (given.length > 1) throw new HubError('bad-argument', 'give one of before=, after= and around=', { at: 'before' });
  if (asked.around !== undefined)
    return { after: Math.max(0, asked.around - 1 - Math.floor(limit / 2)), limit: limit + 1 };
  if (asked.after !== undefined) return { after: asked.after, limit: limit + 1 };
  return { limit: limit + 1, ...(asked.before !== undefined && { before: asked.before }) };
}

/** The oldest number that is kept, if what was asked for begins in front of it. */
async function firstKept(domain: Domain, room: LiveRoom, { after = 0, before }: Page, row?: LogRow) {
  // In front of everything, or at the end of a room: only the log knows which.
  const isUnsure = row === undefined && after < room.last && before !== 1;
  const [first = row] = isUnsure ? await domain.store.history(room.name, { after: 0, limit: 1 }) : [];
  return first && first.event.seq > after + 1 ? first.event.seq : undefined;
}

/** Error: `no-message`, also where it was taken back. */
export async function messageRow(
  domain: Domain,
  room: LiveRoom,
  seq: number,
): Promise<LogRow & { event: EventOf<'MSG'> }> {
  const row = await domain.store.logRow(room.name, seq);
  if (row?.event.event !== 'MSG' || row.event.deleted) {
    throw new HubError('no-message', `there is no message ${seq} in ${room.name}`);
  }
  return { ...row, event: row.event };
}
