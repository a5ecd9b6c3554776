/** Table 1, rooms: making, entering, leaving and naming them. */
import * as z from 'zod';
import { Count, Flag, Head, Limit, Topic } from '../model.ts';
import { RoomName, TalkName, UserName } from '../names.ts';
import { command } from './command.ts';

export const rooms = {
  ROOMS: command({
    summary: 'List the rooms you may see, and your conversations; read= is how far you have read.',
    words: ['match?'],
    input: z.object({ match: z.string().max(64).optional() }),
    output: z.object({ count: Count }),
    rows: z.object({
      room: TalkName,
      members: Count,
      last: Head,
      read: Head.optional(),
      text: z.string().optional(),
    }),
    repeatable: 'yes',
  }),
  CREATE: command({
    summary: 'Make a room; you own it.',
    words: ['room', 'topic?…'],
    input: z.object({ room: RoomName, topic: Topic.optional() }),
    output: z.object({ room: RoomName }),
  }),
  JOIN: command({
    summary: 'Receive what happens in a room, after a replay of what came behind after=.',
    words: ['room'],
    input: z.object({ room: TalkName, after: Head.optional(), limit: Limit.optional() }),
    output: z.object({ room: TalkName, members: Count, last: Head }),
    rows: 'events',
    needs: ['read', 'room'],
    repeatable: 'yes',
  }),
  PART: command({
    summary: 'Stop receiving what happens in a room.',
    words: ['room'],
    input: z.object({ room: TalkName }),
    output: z.object({ room: TalkName }),
    repeatable: 'yes',
  }),
  TOPIC: command({
    summary: 'Show the topic of a room, or set it.',
    words: ['room', 'topic?…'],
    input: z.object({ room: RoomName, topic: Topic.optional() }),
    output: z.object({ room: RoomName, text: z.string().default('') }),
    needs: ['see', 'room'],
  }),
  NAMES: command({
    summary: 'List who receives what happens in a room now.',
    words: ['room'],
    input: z.object({ room: TalkName, limit: Count.optional() }),
    output: z.object({ room: TalkName, count: Count }),
    rows: z.object({ user: UserName, guest: Flag.optional(), wires: z.string(), away: Flag.optional() }),
    needs: ['see', 'room'],
    repeatable: 'yes',
  }),
};
