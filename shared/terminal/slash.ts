/** What stands behind a slash → a command of the hub's table with its fields. Pure; the table says which words there are. */
import { type Command, planWord } from '../commands/command.ts';
import { type CommandName, commands, isCommandName } from '../commands/index.ts';
import { resolvePath } from '../paths.ts';

/** Where somebody is: what they need not say. */
export interface Here {
  readonly room: string | undefined;
  readonly folder: string;
}

export type Parsed =
  | { readonly verb: CommandName; readonly fields: Readonly<Record<string, unknown>> }
  | { readonly fault: string };

/** Names that people know from elsewhere. */
export const slashAliases: Readonly<Record<string, CommandName>> = {
  MSG: 'TELL',
  WHOIS: 'WHO',
  WHO: 'NAMES',
  J: 'JOIN',
  LEAVE: 'PART',
};

/** The command that a word names. */
export function commandOf(word: string): CommandName | undefined {
  const name = word.toUpperCase();
  const known = slashAliases[name] ?? name;
  return isCommandName(known) ? known : undefined;
}

/** `/topic Tea at five`, `/role #den bob moderator`, `/history limit=20`. A room that is not said is the one one is in. */
export function parseSlash(verb: CommandName, text: string, here: Here): Parsed {
  const entry: Command = commands[verb];
  const plans = entry.words.map(planWord);
  const fields: Record<string, unknown> = {};
  let rest = text.trim();
  const named = Object.keys(entry.input.shape).filter(key => !plans.some(({ field }) => field === key));
  for (const { field, optional, rest: isRest } of plans) {
    rest = takeKeys(rest, named, fields);
    if (field === 'room' && !(rest.startsWith('#') || rest.startsWith('@') || takesRoom(verb))) {
      if (here.room === undefined && !optional) return { fault: 'you are in no room; /join one first' };
      if (here.room !== undefined) fields[field] = here.room;
      continue;
    }
    const { word, after } = isRest ? { word: rest, after: '' } : nextWord(rest);
    rest = after;
    if (word === '') {
      if (!optional) return { fault: slashUsage(verb) };
    } else
      fields[field] = isPath(field) ? resolvePath(here.folder, word) : field === 'room' ? word.replace(/^#/, '') : word;
  }
  rest = takeKeys(rest, named, fields);
  return rest === '' ? { verb, fields } : { fault: `“${rest}” is too much: ${slashUsage(verb)}` };
}

/** Commands that are about another room than the one that one is in. */
function takesRoom(verb: CommandName): boolean {
  return verb === 'JOIN' || verb === 'CREATE' || verb === 'ROOMS';
}

export function slashUsage(verb: CommandName): string {
  const entry: Command = commands[verb];
  const shown = entry.words.map(planWord).map(({ field, optional }) => {
    const isHere = field === 'room' && !takesRoom(verb);
    return optional || isHere ? `[${isHere ? '#room' : field}]` : field;
  });
  const named = Object.keys(entry.input.shape).filter(
    key => !entry.words.map(planWord).some(({ field }) => field === key),
  );
  return [`/${verb.toLowerCase()}`, ...shown, ...named.map(key => `[${key}=]`)].join(' ');
}

function isPath(field: string): boolean {
  return field === 'path' || field === 'from' || field === 'to';
}

/** `"two words"` is one; what stands behind it. */
function nextWord(text: string): { readonly word: string; readonly after: string } {
  const [, quoted, bare = '', after = ''] = /^(?:"((?:[^"\\]|\\.)*)"|(\S*))\s*(.*)$/s.exec(text) ?? [];
  return { word: quoted?.replaceAll(/\\(.)/g, '$1') ?? bare, after };
}

/** Takes `limit=20` off the front where the command has such an argument. */
function takeKeys(text: string, named: readonly string[], fields: Record<string, unknown>): string {
  let rest = text;
  for (;;) {
    const [all, key, value] = /^([a-z-]+)=(\S*)\s*/.exec(rest) ?? [];
    if (all === undefined || key === undefined || !named.includes(key)) return rest;
    fields[key] = value;
    rest = rest.slice(all.length);
  }
}

/** Commands that are of the terminal and not of the hub: what they take, and what they do. */
export const localCommands: Readonly<Record<string, readonly [usage: string, help: string]>> = {
  join: [' ROOM', 'go into another room; @NAME for the conversation of two'],
  me: [' TEXT', 'say what you do'],
  reply: [' NUMBER TEXT', 'answer a message'],
  history: [' [N]', 'the last messages with their numbers'],
  ls: [' [FOLDER]', 'what is in a folder, numbered'],
  cd: [' [FOLDER]', 'go into a folder'],
  view: [' FILE', 'read a file, or what it holds in hexadecimal; FILE may be a number of /ls'],
  get: [' FILE', 'how a file can be had on every other way'],
  put: [' [FOLDER]', 'how a file gets here'],
  wire: [' [ID|all|this|stop]', 'your connections, and what the protocols do on them'],
  mode: [' inline|full|plain|reader', 'how this terminal is used'],
  theme: [' dark|light|mono', 'its colours'],
  help: [' [COMMAND]', 'this'],
  quit: ['', 'leave'],
};

/** All that may stand behind a slash, in small letters. */
export function slashNames(): readonly string[] {
  const all = [...Object.keys(localCommands), ...Object.keys(slashAliases), ...Object.keys(commands)];
  return [...new Set(all.map(name => name.toLowerCase()))].sort();
}
