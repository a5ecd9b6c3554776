/** Table 1, access: invites, tokens, sessions, and who is kept out of the whole hub. */
import * as z from 'zod';
import { Address, Count, Duration, Flag, InviteId, Reason, RoleName, Time } from '../model.ts';
import { RoomName, UserName } from '../names.ts';
import { actions, command } from './command.ts';

/** `post,upload` */
const ActionList = z
  .string()
  .transform(text => text.toLowerCase().split(','))
  .pipe(z.array(z.enum(actions, { error: `is a list of ${actions.join(', ')}` })));

const Whom = { user: UserName.optional().describe('an account'), address: Address.optional().describe('IPv4 or IPv6') };
const For = Duration.optional().describe('how long, as 30m, 12h or 7d');

export const access = {
  INVITE: command({
    summary: 'Make a word that lets somebody in: a guest with a role in a room, or with kind=account a new account.',
    words: ['room?'],
    input: z.object({
      room: RoomName.optional(),
      role: RoleName.exclude(['owner', 'none'])
        .optional()
        .describe('moderator, member, reader or dropper; member if not said'),
      kind: z.enum(['guest', 'account']).optional().describe('guest, or account for a new account'),
      uses: Count.optional().describe('how often it opens; once if not said'),
      for: For,
    }),
    output: z.object({ invite: InviteId, room: RoomName.optional(), kind: z.string(), uses: Count, until: Time }),
    audit: ['room', 'role', 'kind', 'uses', 'for'],
  }),
  INVITES: command({
    summary: 'List the invites you made that still open; an administrator sees all.',
    words: [],
    input: z.object({}),
    output: z.object({ count: Count }),
    rows: z.object({
      invite: z.string(),
      by: z.string(),
      room: z.string().optional(),
      role: z.string().optional(),
      kind: z.string(),
      uses: Count,
      until: Time,
    }),
    repeatable: 'yes',
  }),
  MINT: command({
    summary: 'Make a token: it enters as you, or as a device= of its own, with less where room= and actions= say so.',
    words: ['label?'],
    input: z.object({
      label: z
        .string()
        .regex(/^[\w .-]{1,40}$/, 'is at most 40 letters, digits, spaces, - _ .')
        .optional(),
      device: UserName.optional().describe('an account of its own that only tokens open'),
      room: RoomName.optional().describe('only there'),
      actions: ActionList.optional().describe('only these, as post,upload'),
      for: For,
    }),
    output: z.object({ token: z.string(), id: z.string(), user: UserName, until: Time.optional() }),
    audit: ['label', 'device', 'room', 'actions', 'for'],
  }),
  TOKENS: command({
    summary: 'List your tokens, never their secrets; an administrator sees all.',
    words: [],
    input: z.object({}),
    output: z.object({ count: Count }),
    rows: z.object({
      id: z.string(),
      user: z.string(),
      label: z.string().optional(),
      room: z.string().optional(),
      actions: z.string().optional(),
      created: Time,
      until: Time.optional(),
    }),
    repeatable: 'yes',
  }),
  SESSIONS: command({
    summary: 'List your sessions; an administrator sees everybody’s.',
    words: ['user?'],
    input: z.object({ user: UserName.optional() }),
    output: z.object({ count: Count }),
    rows: z.object({
      id: z.string(),
      user: z.string(),
      guest: Flag.optional(),
      own: Flag.optional(),
      wire: z.string(),
      address: z.string(),
      since: Time,
    }),
    repeatable: 'yes',
  }),
  REVOKE: command({
    summary: 'End a session, a token or an invite by its id; connections that stand on it end at once.',
    words: ['id'],
    input: z.object({ id: z.string().max(80) }),
    output: z.object({ id: z.string(), sessions: Count }),
    audit: ['id'],
  }),
  BLOCK: command({
    summary: 'Keep an account or an address out of the hub; for= limits it. For administrators.',
    words: ['reason?…'],
    input: z.object({ ...Whom, for: For, reason: Reason.optional() }),
    output: z.object({ ...Whom, until: Time.optional(), sessions: Count }),
    audit: ['user', 'address', 'for', 'reason'],
  }),
  UNBLOCK: command({
    summary: 'Let an account or an address into the hub again. For administrators.',
    words: [],
    input: z.object(Whom),
    output: z.object(Whom),
    audit: ['user', 'address'],
  }),
  BLOCKS: command({
    summary: 'List who is kept out of the hub. For administrators.',
    words: [],
    input: z.object({}),
    output: z.object({ count: Count }),
    rows: z.object({ ...Whom, by: z.string(), until: Time.optional(), text: z.string().optional() }),
    repeatable: 'yes',
  }),
};
