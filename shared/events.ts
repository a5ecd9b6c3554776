/** What happened in the hub, as one discriminated union. Numbered events are a room's log; the others are of the moment. */
import * as z from 'zod';
import { Count, Flag, Hash, Head, Octets, RequestId, Seq, Time } from './model.ts';
import type { numberedEvents } from './numbered.ts';

/** Who did it: `guest=1` marks a name that nobody owns. */
const author = { from: z.string(), guest: Flag.optional() };
/** Empty text is left out of a line. */
const Said = z.string().default('');
const numbered = { room: z.string(), seq: Seq, time: Time, ...author };

/** One schema per event, in the order in which a line shows the fields; `text` comes last. */
export const eventSchemas = {
  MSG: z.object({
    event: z.literal('MSG'),
    ...numbered,
    id: RequestId.optional(),
    reply: Seq.optional(),
    edited: Time.optional(),
    deleted: Flag.optional(),
    /** In history only: `👍:3,🎉:1`. */
    reactions: z.string().optional(),
    text: Said,
  }),
  EDITED: z.object({ event: z.literal('EDITED'), ...numbered, of: Seq, text: Said }),
  DELETED: z.object({ event: z.literal('DELETED'), ...numbered, of: Seq }),
  REACTED: z.object({
    event: z.literal('REACTED'),
    ...numbered,
    of: Seq,
    emoji: z.string(),
    removed: Flag.optional(),
  }),
  TOPIC: z.object({ event: z.literal('TOPIC'), ...numbered, text: Said }),
  FILE: z.object({
    event: z.literal('FILE'),
    ...numbered,
    op: z.enum(['put', 'move', 'remove', 'mkdir']),
    path: z.string(),
    to: z.string().optional(),
    size: Octets.optional(),
    hash: Hash.optional(),
  }),
  JOINED: z.object({ event: z.literal('JOINED'), room: z.string(), user: z.string(), guest: Flag.optional() }),
  PARTED: z.object({ event: z.literal('PARTED'), room: z.string(), user: z.string(), guest: Flag.optional() }),
  RENAMED: z.object({ event: z.literal('RENAMED'), room: z.string(), user: z.string(), to: z.string() }),
  TYPING: z.object({ event: z.literal('TYPING'), room: z.string(), ...author }),
  /** Another session of the person has read so far. */
  READ: z.object({ event: z.literal('READ'), room: z.string(), seq: Seq }),
  /** A message names the person, in a room that the session has not joined. */
  MENTION: z.object({ event: z.literal('MENTION'), room: z.string(), seq: Seq, ...author }),
  GAP: z.object({ event: z.literal('GAP'), room: z.string(), from: Seq, to: Head }),
  PING: z.object({ event: z.literal('PING'), token: z.string().optional() }),
  NOTICE: z.object({ event: z.literal('NOTICE'), text: z.string() }),
  BYE: z.object({
    event: z.literal('BYE'),
    /** The closed list of reasons why a connection ends. */
    reason: z.enum([
      'drained',
      'quit',
      'shutting-down',
      'timeout',
      'stalled',
      'protocol',
      'listened',
      'revoked',
      'failed',
    ]),
    replies: Count,
    text: z.string().optional(),
  }),
} as const;

export type EventName = keyof typeof eventSchemas;
export type HubEvent = { [N in EventName]: z.infer<(typeof eventSchemas)[N]> }[EventName];
export type EventOf<N extends EventName> = Extract<HubEvent, { event: N }>;

export type LogEvent = EventOf<(typeof numberedEvents)[number]>;

export function isEventName(name: string): name is EventName {
  return Object.hasOwn(eventSchemas, name);
}
