/** Table 1, webhooks: who else is told what happens, by HTTP. For administrators. */
import * as z from 'zod';
import { limits } from '../limits.ts';
import { Count, Time } from '../model.ts';
import { RoomName } from '../names.ts';
import { numberedEvents } from '../numbered.ts';
import { command } from './command.ts';

const HookId = z.string().regex(/^h_[\w-]{8,40}$/, 'is the id that WEBHOOK answered');
/** `lobby,den` */
const RoomList = z
  .string()
  .transform(text => text.split(','))
  .pipe(z.array(RoomName).max(limits.webhookRoomsMax));
/** `MSG,FILE` */
const EventList = z
  .string()
  .transform(text => text.toUpperCase().split(','))
  .pipe(z.array(z.enum(numberedEvents, { error: `is a list of ${numberedEvents.join(', ')}` })));
const HookUrl = z
  .url({ protocol: /^https?$/, error: 'is an address that begins with http:// or https://' })
  .max(limits.webhookUrlCharsMax)
  .refine(url => URL.canParse(url) && new URL(url).username === '', {
    error: 'holds a name or a password; they do not belong there',
  });

export const webhooks = {
  WEBHOOK: command({
    summary: 'Post what happens from now on to an address, signed with the secret that is shown this once.',
    words: ['url'],
    input: z.object({
      url: HookUrl,
      rooms: RoomList.optional().describe('only of these, as lobby,den; of all but the audit log if not said'),
      events: EventList.optional().describe('only these, as MSG,FILE'),
    }),
    output: z.object({ id: HookId, secret: z.string() }),
    audit: ['url', 'rooms', 'events'],
  }),
  WEBHOOKS: command({
    summary: 'List the webhooks, never their secrets, and which are paused since their address failed for too long.',
    words: [],
    input: z.object({}),
    output: z.object({ count: Count }),
    rows: z.object({
      id: z.string(),
      url: z.string(),
      rooms: z.string().optional(),
      events: z.string().optional(),
      paused: Time.optional(),
    }),
    repeatable: 'yes',
  }),
  REHOOK: command({
    summary: 'Let a paused webhook go on where it stopped.',
    words: ['id'],
    input: z.object({ id: HookId }),
    output: z.object({ id: HookId }),
    audit: ['id'],
  }),
  UNHOOK: command({
    summary: 'Remove a webhook.',
    words: ['id'],
    input: z.object({ id: HookId }),
    output: z.object({ id: HookId }),
    audit: ['id'],
  }),
};
