/** Table 1, messages: saying, mending, taking back and reading. */
import * as z from 'zod';
import { Count, Flag, Head, Limit, MessageText, RequestId, SearchText, Seq } from '../model.ts';
import { RoomName, TalkName } from '../names.ts';
import { command } from './command.ts';

export const messages = {
  SAY: command({
    summary: 'Post a message to a room; with id= a repetition posts nothing new.',
    words: ['room', 'text…'],
    input: z.object({ room: TalkName, id: RequestId.optional(), reply: Seq.optional(), text: MessageText }),
    output: z.object({ room: TalkName, seq: Seq, dup: Flag.optional() }),
    needs: ['post', 'room'],
    independent: true,
    repeatable: 'with-id',
  }),
  EDIT: command({
    summary: 'Give a message of yours another text.',
    words: ['room', 'of', 'text…'],
    input: z.object({ room: TalkName, of: Seq, text: MessageText }),
    output: z.object({ room: TalkName, of: Seq, seq: Seq }),
    needs: ['post', 'room'],
  }),
  DELETE: command({
    summary: 'Take a message back; its number stays, its text goes.',
    words: ['room', 'of'],
    input: z.object({ room: TalkName, of: Seq }),
    output: z.object({ room: TalkName, of: Seq, seq: Seq }),
    needs: ['read', 'room'],
  }),
  HISTORY: command({
    summary: 'Read what was said: the newest, or what lies before=, after= or around= a number; oldest first.',
    words: ['room'],
    input: z.object({
      room: TalkName,
      before: Seq.optional(),
      after: Head.optional(),
      around: Seq.optional(),
      limit: Limit.optional(),
    }),
    /** `first`: what was asked for begins in front of the oldest number that the room keeps. */
    output: z.object({ room: TalkName, count: Count, more: z.enum(['yes', 'no']), first: Seq.optional() }),
    rows: 'events',
    needs: ['read', 'room'],
    repeatable: 'yes',
  }),
  SEARCH: command({
    summary:
      'Find messages and files: words, "phrases", from:name, in:room, has:file, before:2026-11-23, after:2026-11-20; oldest first.',
    words: ['room?', 'query…'],
    input: z.object({ room: RoomName.optional(), before: Seq.optional(), limit: Limit.optional(), query: SearchText }),
    output: z.object({ room: RoomName.optional(), count: Count, more: z.enum(['yes', 'no']) }),
    rows: 'events',
    repeatable: 'yes',
  }),
};
