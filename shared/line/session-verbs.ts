/** Verbs of the line protocol itself: they concern the connection or the session on it, never the hub. Same form as table 1. */
import * as z from 'zod';
import { command } from '../commands/command.ts';
import { isEventName } from '../events.ts';
import { Count, Duration, Octets } from '../model.ts';

const Label = z.string().regex(/^[\w.-]{1,32}$/, 'is a label without its #');
const EventNames = z
  .string()
  .transform(text => text.toUpperCase().split(','))
  .refine(names => names.every(isEventName), 'is a list of events such as MSG,FILE');

export const sessionVerbs = {
  HELLO: command({
    summary: 'Agree on the version, announce abilities, choose words or JSON.',
    words: ['version?'],
    input: z.object({
      version: z.string().optional(),
      caps: z.string().max(200).optional(),
      agent: z.string().max(100).optional(),
      format: z.enum(['words', 'json']).optional(),
    }),
    output: z.object({ version: Count, hub: z.string(), caps: z.string() }),
    open: true,
    barrier: true,
    repeatable: 'yes',
  }),
  CAPS: command({
    summary: 'Show the limits and abilities of this server.',
    words: [],
    input: z.object({}),
    output: z.object({
      hub: z.string(),
      auth: z.string(),
      caps: z.string(),
      line: Octets,
      blob: Octets,
      chunk: Octets,
      piece: Octets,
      unanswered: Count,
    }),
    open: true,
    repeatable: 'yes',
  }),
  HELP: command({
    summary: 'List the commands, or explain one.',
    words: ['verb?'],
    input: z.object({ verb: z.string().max(16).optional() }),
    output: z.object({ count: Count }),
    rows: z.object({ usage: z.string(), text: z.string() }),
    open: true,
    repeatable: 'yes',
  }),
  PING: command({
    summary: 'Answer at once, with the token.',
    words: ['token?'],
    input: z.object({ token: z.string().max(64).optional() }),
    output: z.object({ token: z.string().optional() }),
    open: true,
    repeatable: 'yes',
    independent: true,
  }),
  LISTEN: command({
    summary: 'Only receive events from here on, after your FIN too; room= and event= filter them.',
    words: [],
    input: z.object({ for: Duration.optional(), room: z.string().max(200).optional(), event: EventNames.optional() }),
    output: z.object({}),
    repeatable: 'yes',
  }),
  TICKET: command({
    summary: 'Get tickets for further connections of this session.',
    words: ['n?'],
    input: z.object({ n: Count.optional() }),
    output: z.object({ count: Count }),
    rows: z.object({ ticket: z.string() }),
    repeatable: 'yes',
  }),
  ATTACH: command({
    summary: 'Make this connection act for the session that got the ticket.',
    words: ['ticket'],
    input: z.object({ ticket: z.string().max(64) }),
    output: z.object({ session: z.string() }),
    open: true,
    barrier: true,
  }),
  CANCEL: command({
    summary: 'Stop the request with this label; it is answered as cancelled, this verb is not answered.',
    words: ['label'],
    input: z.object({ label: Label }),
    output: z.object({}),
    independent: true,
  }),
  CREDIT: command({
    summary: 'Allow the download with this label n more octets; not answered.',
    words: ['label', 'n'],
    input: z.object({ label: Label, n: Octets }),
    output: z.object({}),
    independent: true,
  }),
  QUIT: command({
    summary: 'Answer what is owed, say BYE and end.',
    words: ['why?…'],
    input: z.object({ why: z.string().max(200).optional() }),
    output: z.object({}),
    open: true,
    barrier: true,
  }),
};

export type SessionVerb = keyof typeof sessionVerbs;

export function isSessionVerb(name: string): name is SessionVerb {
  return Object.hasOwn(sessionVerbs, name);
}
