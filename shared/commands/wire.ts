/** Table 1, the wire view: the connections that one has open, and what the protocols do on them. */
import * as z from 'zod';
import { ConnectionId, Count, Duration, Flag, HoldMs, Octets, Port, Time } from '../model.ts';
import { command } from './command.ts';

export const wire = {
  WIRE: command({
    summary:
      'List your connections; WIRE WATCH shows what happens on them until CANCEL, or for=. Administrators see others without what is said; with contents=1, which those people are told.',
    words: ['do?', 'which?'],
    input: z.object({
      do: z
        .preprocess(value => (typeof value === 'string' ? value.toLowerCase() : value), z.enum(['list', 'watch']))
        .optional(),
      /** One connection, or a port of the server; all of one's own if left out. */
      which: z.union([ConnectionId, Port], { error: 'is a connection such as line-12, or a port' }).optional(),
      for: Duration.optional(),
      /** The next connection, from its beginning to its end. */
      once: Flag.optional(),
      contents: Flag.optional(),
      /** Captured segments with their octets, for export. */
      packets: Flag.optional(),
    }),
    output: z.object({ count: Count, sources: z.string().optional() }),
    endless: true,
    rows: z.looseObject({
      /** Of WATCH, the first row: what was found on this machine and what was not. */
      sources: z.string().optional(),
      id: z.string().optional(),
      wire: z.string().optional(),
      user: z.string().optional(),
      peer: z.string().optional(),
      local: z.string().optional(),
      since: Time.optional(),
      received: Octets.optional(),
      sent: Octets.optional(),
    }),
  }),
  LINGER: command({
    summary:
      'For lessons: let one of your connections wait ms= between the FIN of your program and what the server does about it; with silent=1 it says nothing more.',
    words: ['which'],
    input: z.object({ which: ConnectionId, ms: HoldMs, silent: Flag.optional() }),
    output: z.object({ which: z.string(), ms: Count }),
  }),
};
