/** `/topic Tea at five`: the commands that the message field takes, with the hub's own names and the words of table 1. */
import type { CommandName } from '../../shared/commands/index.ts';

/** Fields in their order; the last one takes the rest of the line where it ends with `…`. Rooms are the one that is shown. */
const taken = {
  topic: ['TOPIC', 'room', 'topic…'],
  create: ['CREATE', 'room!', 'topic…'],
  tell: ['TELL', 'user', 'text…'],
  msg: ['TELL', 'user', 'text…'],
  nick: ['NICK', 'user'],
  away: ['AWAY', 'text…'],
  ignore: ['IGNORE', 'user'],
  unignore: ['UNIGNORE', 'user'],
  kick: ['KICK', 'room', 'user', 'reason…'],
  ban: ['BAN', 'room', 'user', 'reason…'],
  unban: ['UNBAN', 'room', 'user'],
  mute: ['MUTE', 'room', 'user', 'reason…'],
  unmute: ['UNMUTE', 'room', 'user'],
  role: ['ROLE', 'room', 'user', 'role'],
  visibility: ['VISIBILITY', 'room', 'visibility'],
  slow: ['SLOW', 'room', 'seconds'],
  react: ['REACT', 'room', 'of', 'emoji'],
  delete: ['DELETE', 'room', 'of'],
  edit: ['EDIT', 'room', 'of', 'text…'],
  who: ['WHO', 'user'],
  mkdir: ['MKDIR', 'path'],
  rm: ['RM', 'path'],
} as const satisfies Readonly<Record<string, readonly [CommandName, ...string[]]>>;

/** Of the page itself. */
const local = ['join', 'part', 'leave', 'invite', 'search', 'help', 'me'] as const;

export const slashWords: readonly string[] = [...Object.keys(taken), ...local].sort();

export type Slash =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'local'; readonly name: (typeof local)[number]; readonly rest: string }
  | { readonly kind: 'command'; readonly name: CommandName; readonly fields: Readonly<Record<string, string>> }
  | { readonly kind: 'unknown'; readonly name: string };

/** What a line means: `//x` is the text `/x`. Paths that do not begin with `/` lie in `folder`. */
export function parseLine(line: string, room: string, folder: string): Slash {
  if (line.startsWith('//')) return { kind: 'text', text: line.slice(1) };
  const [, name, rest = ''] = /^\/([a-z]+)(?:\s+(.*))?$/is.exec(line) ?? [];
  if (name === undefined) return { kind: 'text', text: line };
  const word = name.toLowerCase();
  const isLocal = local.find(one => one === word);
  if (isLocal === 'me') return { kind: 'text', text: `_${rest}_` };
  if (isLocal) return { kind: 'local', name: isLocal, rest: rest.trim() };
  if (!Object.hasOwn(taken, word)) return { kind: 'unknown', name: word };
  const [command, ...fields] = taken[word as keyof typeof taken];
  return { kind: 'command', name: command, fields: fieldsOf(fields, rest, room, folder) };
}

function fieldsOf(names: readonly string[], text: string, room: string, folder: string): Record<string, string> {
  const fields: Record<string, string> = {};
  let rest = text.trim();
  for (const name of names) {
    if (name === 'room') {
      fields['room'] = room;
      continue;
    }
    const isRest = name.endsWith('…');
    const [, word = '', after = ''] = /^(\S*)\s*(.*)$/s.exec(rest) ?? [];
    const value = isRest ? rest : word;
    rest = isRest ? '' : after;
    if (value === '') continue;
    if (name === 'path') fields['path'] = value.startsWith('/') ? value : `${folder}/${value}`;
    else fields[name.replace(/[…!]$/, '')] = value.replace(name === 'user' ? /^@/ : name === 'room!' ? /^#/ : /^$/, '');
  }
  return fields;
}
