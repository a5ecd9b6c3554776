/** Table 1, people: how a session gets its name. */
import * as z from 'zod';
import { Flag, InviteId, Password, Time } from '../model.ts';
import { UserName } from '../names.ts';
import { command } from './command.ts';

export const people = {
  NICK: command({
    summary: 'Enter as a guest under this name, or change the name of a guest; invite= opens the room it is for.',
    words: ['user'],
    input: z.object({ user: UserName, invite: InviteId.optional() }),
    output: z.object({ user: UserName }),
    open: true,
    barrier: true,
  }),
  LOGIN: command({
    summary: 'Enter with an account and its password, or a word that CODE gave.',
    words: ['user', 'password…'],
    input: z.object({ user: UserName, password: Password }),
    output: z.object({ user: UserName }),
    open: true,
    barrier: true,
  }),
  TOKEN: command({
    summary: 'Enter with a token instead of a password.',
    words: ['token…'],
    input: z.object({ token: Password }),
    output: z.object({ user: UserName }),
    open: true,
    barrier: true,
  }),
  REGISTER: command({
    summary: 'Make an account and enter with it; by invite=, or where the hub lets everybody.',
    words: ['user', 'password…'],
    input: z.object({ user: UserName, invite: InviteId.optional(), password: Password }),
    output: z.object({ user: UserName, admin: Flag.optional() }),
    open: true,
    barrier: true,
    audit: ['user', 'invite'],
  }),
  CODE: command({
    summary: 'Give a word that enters once instead of your password, for links that others can read.',
    words: [],
    input: z.object({}),
    output: z.object({ code: z.string(), until: Time }),
  }),
  PASSWORD: command({
    summary:
      'Give your account another password; ends its other sessions. An administrator names user= instead of old=.',
    words: ['new…'],
    input: z.object({ user: UserName.optional(), old: Password.optional(), new: Password }),
    output: z.object({ user: UserName }),
    barrier: true,
    audit: ['user'],
  }),
  WHOAMI: command({
    summary: 'Say who this session is and how it came in.',
    words: [],
    input: z.object({}),
    output: z.object({
      user: UserName,
      guest: Flag.optional(),
      admin: Flag.optional(),
      wire: z.string(),
      address: z.string(),
      secure: Flag.optional(),
    }),
    repeatable: 'yes',
  }),
};
