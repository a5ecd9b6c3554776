/** Table 1, stats: how the hub is doing, for its administrators. */
import * as z from 'zod';
import { Count, Octets } from '../model.ts';
import { command } from './command.ts';

export const stats = {
  STATS: command({
    summary: 'How much the hub holds and who is online by each wire; for administrators. uptime= counts seconds.',
    words: [],
    input: z.object({}),
    output: z.object({
      uptime: Count,
      rooms: Count,
      events: Count,
      files: Count,
      octets: Octets,
      sessions: Count,
      trouble: z.string().optional(),
    }),
    rows: z.object({ wire: z.string(), people: Count, sessions: Count }),
    repeatable: 'yes',
  }),
};
