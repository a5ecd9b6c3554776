/** Table 1, talk: what goes on around the messages of a room, and conversations of two. */
import * as z from 'zod';
import { AwayText, Count, Emoji, Flag, MessageText, RequestId, Seq, Time } from '../model.ts';
import { TalkName, UserName } from '../names.ts';
import { command } from './command.ts';

const Whom = z.object({ user: UserName });

export const talk = {
  TELL: command({
    summary: 'Say something to one person alone; the conversation is kept, and called @person like a room.',
    words: ['user', 'text…'],
    input: z.object({ user: UserName, id: RequestId.optional(), text: MessageText }),
    output: z.object({
      user: UserName,
      room: TalkName,
      seq: Seq,
      dup: Flag.optional(),
      away: z.string().optional(),
    }),
    repeatable: 'with-id',
  }),
  REACT: command({
    summary: 'React to a message with an emoji or a short word, or take that reaction away again.',
    words: ['room', 'of', 'emoji'],
    input: z.object({ room: TalkName, of: Seq, emoji: Emoji }),
    output: z.object({ room: TalkName, of: Seq, emoji: z.string(), removed: Flag.optional(), seq: Seq }),
    needs: ['post', 'room'],
  }),
  READ: command({
    summary: 'Say how far you have read in a room; it never moves back. Your other sessions are told.',
    words: ['room', 'seq'],
    input: z.object({ room: TalkName, seq: Seq }),
    output: z.object({ room: TalkName, seq: Seq }),
    needs: ['read', 'room'],
    repeatable: 'yes',
  }),
  TYPING: command({
    summary: 'Show the others in a room that you are writing.',
    words: ['room'],
    input: z.object({ room: TalkName }),
    output: z.object({ room: TalkName }),
    needs: ['post', 'room'],
    repeatable: 'yes',
  }),
  WHO: command({
    summary: 'Say whether a person is here, since when and over which wires, and in which of your rooms.',
    words: ['user'],
    input: Whom,
    output: z.object({
      user: UserName,
      guest: Flag.optional(),
      here: Flag.optional(),
      since: Time.optional(),
      wires: z.string().optional(),
      rooms: z.string().optional(),
      away: Flag.optional(),
      text: z.string().optional(),
    }),
    repeatable: 'yes',
  }),
  AWAY: command({
    summary: 'Say why you do not answer, on all your sessions; without a text you are back.',
    words: ['text?…'],
    input: z.object({ text: AwayText.optional() }),
    output: z.object({ text: z.string().optional() }),
    repeatable: 'yes',
  }),
  IGNORE: command({
    summary: 'Hear nothing of what a person says; HISTORY still shows it, and they are not told.',
    words: ['user'],
    input: Whom,
    output: Whom,
    repeatable: 'yes',
  }),
  UNIGNORE: command({
    summary: 'Hear a person again.',
    words: ['user'],
    input: Whom,
    output: Whom,
    repeatable: 'yes',
  }),
  IGNORES: command({
    summary: 'List whom you ignore.',
    words: [],
    input: z.object({}),
    output: z.object({ count: Count }),
    rows: Whom,
    repeatable: 'yes',
  }),
};
