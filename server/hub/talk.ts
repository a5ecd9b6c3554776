/** What goes on around messages: reactions, read marks, typing, and saying something to one person alone. */
import { HubError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { RoomName, UserName } from '../../shared/names.ts';
import { tell } from './fanout.ts';
import type { Domain, Handlers } from './handlers.ts';
import type { LogRow } from './host.ts';
import type { LiveRoom } from './live-rooms.ts';
import type { LiveSession } from './live-session.ts';
import { appendEvent } from './log.ts';
import { messageRow, say } from './messages.ts';
import { demandDirect } from './permissions.ts';
import { findPerson } from './presence.ts';
import type { Person } from './session.ts';

export type TalkHandlers = Pick<Handlers, 'TELL' | 'REACT' | 'READ' | 'TYPING'>;

export function talkHandlers(domain: Domain): TalkHandlers {
  const typed = new WeakMap<LiveSession, WeakMap<LiveRoom, number>>();

  /** True once in a while per session and room. */
  function mayType(session: LiveSession, room: LiveRoom): boolean {
    const byRoom = typed.get(session) ?? new WeakMap<LiveRoom, number>();
    typed.set(session, byRoom);
    const now = domain.clock.now();
    if (now - (byRoom.get(room) ?? Number.NEGATIVE_INFINITY) < limits.typingMs) return false;
    byRoom.set(room, now);
    return true;
  }

  async function react(room: LiveRoom, person: Person, of: number, emoji: string) {
    const isOn = demandReaction(await messageRow(domain, room, of), person, emoji);
    const draft = { event: 'REACTED', of, emoji, ...(!isOn && { removed: true }) } as const;
    const { seq } = await appendEvent(domain, room, person, draft, [
      { kind: 'react', room: room.name, seq: of, by: person.principal, emoji, isOn },
    ]);
    return { room: room.name as RoomName, of, emoji, ...(!isOn && { removed: true }), seq };
  }

  return {
    async TELL({ person }, { user, id, text }) {
      demandDirect(person, 'post');
      const other = await findPerson(domain, user);
      if (other.principal === person.principal)
        throw new HubError('bad-argument', 'that is you; say it to somebody else', { at: 'user' });
      const room = await domain.directs.withOther(person, other);
      const { seq, isRepeated } = await say(domain, room, person, { id, text });
      const away = domain.presence.away(other.principal);
      return {
        user: other.name as UserName,
        room: room.name as RoomName,
        seq,
        ...(isRepeated && { dup: true }),
        ...(away !== undefined && { away }),
      };
    },

    async REACT({ room, person }, { of, emoji }) {
      return await react(room, person, of, emoji).catch(error => {
        // Another session of the person was faster: this one takes back what that one did.
        if (error instanceof HubError && error.code === 'conflict') return react(room, person, of, emoji);
        throw error;
      });
    },

    async READ({ room, session, person }, { seq: asked }) {
      if (asked > room.last) throw new HubError('no-message', `there is no ${asked} in ${room.name}`);
      const { seq, isNew } = await domain.reads.move(person.principal, room.key, asked);
      const event = { event: 'READ', room: room.name, seq } as const;
      for (const other of domain.presence.sessionsOf(person.principal)) {
        if (isNew && other !== session) tell(other, event);
      }
      return { room: room.name as RoomName, seq };
    },

    TYPING({ room, session, person }) {
      if (mayType(session, room)) room.typing(session, person);
      return { room: room.name as RoomName };
    },
  };
}

/** Whether the reaction is to be added rather than taken away. Error: `quota`. */
function demandReaction({ reactions = {} }: LogRow, person: Person, emoji: string): boolean {
  const known = Object.hasOwn(reactions, emoji) ? reactions[emoji]! : [];
  if (known.includes(person.principal)) return false;
  const kinds = Object.keys(reactions).length;
  const all = Object.values(reactions).reduce((sum, people) => sum + people.length, 0);
  if (all >= limits.reactionsMax || (known.length === 0 && kinds >= limits.reactionKindsMax))
    throw new HubError('quota', 'this message has as many reactions as one may have');
  return true;
}
