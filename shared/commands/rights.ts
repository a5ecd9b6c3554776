/** Table 1, rights: who may do what in a room, and what is done about those who misuse it. */
import * as z from 'zod';
import { Count, Days, Duration, Octets, Reason, RoleName, Time, Visibility } from '../model.ts';
import { PlaceName, RoomName, UserName } from '../names.ts';
import { command } from './command.ts';

const InRoom = { room: RoomName, user: UserName };

function sanction(summary: string) {
  return command({
    summary,
    words: ['room', 'user', 'reason?…'],
    input: z.object({
      ...InRoom,
      for: Duration.optional().describe('how long, as 30m, 12h or 7d'),
      reason: Reason.optional(),
    }),
    output: z.object({ ...InRoom, until: Time.optional() }),
    needs: ['moderate', 'room'],
    audit: ['room', 'user', 'for', 'reason'],
  });
}

function lift(summary: string) {
  return command({
    summary,
    words: ['room', 'user'],
    input: z.object(InRoom),
    output: z.object(InRoom),
    needs: ['moderate', 'room'],
    audit: ['room', 'user'],
  });
}

export const rights = {
  ROLE: command({
    summary:
      'Show what a person is in a room, or make an account owner, moderator, member, reader, dropper or none there.',
    words: ['room', 'user', 'role?'],
    input: z.object({ ...InRoom, role: RoleName.optional() }),
    output: z.object({ ...InRoom, role: z.string() }),
    needs: ['see', 'room'],
    audit: ['room', 'user', 'role!'],
  }),
  ROLES: command({
    summary: 'List the accounts that were given a role in a room.',
    words: ['room'],
    input: z.object({ room: RoomName }),
    output: z.object({ room: RoomName, count: Count }),
    rows: z.object({ user: z.string(), role: RoleName }),
    needs: ['read', 'room'],
    repeatable: 'yes',
  }),
  VISIBILITY: command({
    summary: 'Show who sees and enters a room without a role, or set it: public, listed or private.',
    words: ['room', 'visibility?'],
    input: z.object({ room: RoomName, visibility: Visibility.optional() }),
    output: z.object({ room: RoomName, visibility: Visibility }),
    needs: ['see', 'room'],
    audit: ['room', 'visibility!'],
  }),
  KICK: command({
    summary: 'Make a person leave a room; they may come back.',
    words: ['room', 'user', 'reason?…'],
    input: z.object({ ...InRoom, reason: Reason.optional() }),
    output: z.object({ ...InRoom, sessions: Count }),
    needs: ['moderate', 'room'],
    audit: ['room', 'user', 'reason'],
  }),
  BAN: sanction('Keep an account, or the address of a guest, out of a room; for= limits it.'),
  UNBAN: lift('Let a person into a room again.'),
  MUTE: sanction('Let a person read in a room and not post; for= limits it.'),
  UNMUTE: lift('Let a person post in a room again.'),
  BANS: command({
    summary: 'List who is banned or muted in a room.',
    words: ['room'],
    input: z.object({ room: RoomName }),
    output: z.object({ room: RoomName, count: Count }),
    rows: z.object({
      kind: z.enum(['ban', 'mute']),
      user: z.string(),
      by: z.string(),
      until: Time.optional(),
      text: z.string().optional(),
    }),
    needs: ['moderate', 'room'],
    repeatable: 'yes',
  }),
  SLOW: command({
    summary: 'Show how many seconds a person waits between two messages in a room, or set it; 0 for none.',
    words: ['room', 'seconds?'],
    input: z.object({ room: RoomName, seconds: Count.optional() }),
    output: z.object({ room: RoomName, seconds: Count }),
    needs: ['see', 'room'],
    audit: ['room', 'seconds!'],
  }),
  QUOTA: command({
    summary:
      'Show how many octets the files of a room or home take and may take, or set it for a room; 0 for no limit.',
    words: ['room', 'octets?'],
    input: z.object({ room: PlaceName, octets: Octets.optional() }),
    output: z.object({ room: PlaceName, octets: Octets, used: Octets }),
    needs: ['list', 'room'],
    audit: ['room', 'octets!'],
  }),
  ALLOWANCE: command({
    summary:
      'Show how many octets you own over all rooms and may own; an administrator sees and sets anybody’s; 0 for no limit.',
    words: ['user?', 'octets?'],
    input: z.object({ user: UserName.optional(), octets: Octets.optional() }),
    output: z.object({ user: UserName, octets: Octets, used: Octets }),
    audit: ['user', 'octets!'],
  }),
  RETENTION: command({
    summary:
      'Show how long a room keeps its history and files, or set it; whole days go (UTC), never the newest; 0 keeps all.',
    words: ['room', 'days?'],
    input: z.object({
      room: RoomName,
      days: Days.optional().describe('history of so many days before today'),
      messages: Count.optional().describe('at least so many of the newest; older days go'),
      files: Days.optional().describe('files that came so many days ago'),
    }),
    output: z.object({ room: RoomName, days: Count, messages: Count, files: Count }),
    needs: ['read', 'room'],
    audit: ['room', 'days!', 'messages!', 'files!'],
  }),
};
