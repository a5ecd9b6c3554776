/** Subcommands that are commands of the hub: arguments, options and help derive from table 1. Rooms come as addresses. */
import type { Command } from 'commander';
import { planWord, type Command as TableEntry, type WordPlan } from '../../shared/commands/command.ts';
import { commands } from '../../shared/commands/index.ts';
import { eventSchemas, isEventName } from '../../shared/events.ts';
import { pathComponents } from '../../shared/paths.ts';
import { PartylineError, type Row } from '../index.ts';
import { resolveAddress, type SecretOptions, withHub } from './context.ts';
import { printInviteLink } from './invite-link.ts';
import { type Fields, printFields, printRows } from './tables.ts';
import { renderEvent } from './talk.ts';

type Verb = keyof typeof commands;

/** Subject → name of the subcommand → command of the hub. */
const subjects: Readonly<Record<string, readonly [about: string, Readonly<Record<string, Verb>>]>> = {
  room: [
    'rooms: make and list them, say who may do what there, moderate',
    {
      list: 'ROOMS',
      create: 'CREATE',
      topic: 'TOPIC',
      names: 'NAMES',
      role: 'ROLE',
      roles: 'ROLES',
      visibility: 'VISIBILITY',
      kick: 'KICK',
      ban: 'BAN',
      unban: 'UNBAN',
      mute: 'MUTE',
      unmute: 'UNMUTE',
      bans: 'BANS',
      slow: 'SLOW',
      quota: 'QUOTA',
      retention: 'RETENTION',
    },
  ],
  token: [
    'tokens: enter with less than a password, or as a device',
    { make: 'MINT', list: 'TOKENS', revoke: 'REVOKE' },
  ],
  session: ['sessions: who is connected', { list: 'SESSIONS', revoke: 'REVOKE' }],
  ban: ['accounts and addresses that are kept out of the hub', { add: 'BLOCK', remove: 'UNBLOCK', list: 'BLOCKS' }],
  webhook: [
    'webhooks: post what happens to an address',
    { add: 'WEBHOOK', list: 'WEBHOOKS', resume: 'REHOOK', remove: 'UNHOOK' },
  ],
  invite: ['invites: let somebody in', { make: 'INVITE', list: 'INVITES', revoke: 'REVOKE' }],
};

/** Those that stand for themselves. */
const alone: Readonly<Record<string, Verb>> = {
  search: 'SEARCH',
  stats: 'STATS',
  allowance: 'ALLOWANCE',
  code: 'CODE',
};

export function addHubCommands(program: Command): void {
  for (const [subject, [about, verbs]] of Object.entries(subjects)) {
    const parent = program.command(subject).description(about);
    for (const [name, verb] of Object.entries(verbs)) addVerb(parent, name, verb);
  }
  for (const [name, verb] of Object.entries(alone)) addVerb(program, name, verb);
}

interface Flags extends SecretOptions {
  readonly json?: boolean;
  readonly [option: string]: unknown;
}

function addVerb(parent: Command, name: string, verb: Verb): void {
  const entry: TableEntry = commands[verb];
  const words = entry.words.map(planWord);
  const room = words.find(({ field }) => field === 'room');
  const places = words.filter(plan => plan !== room);
  const named = new Set(words.map(({ field }) => field));
  const options = Object.keys(entry.input.shape).filter(key => !named.has(key));
  const command = parent
    .command([name, room ? '<room>' : '<hub>', ...places.map(shownPlace)].join(' '))
    .description(entry.summary);
  for (const key of options) command.option(`--${key} <value>`, entry.input.shape[key]?.description);
  command
    .option('--json', 'one JSON object a line')
    .option('--password-stdin', 'read the password from standard input')
    .action(async (address: string, ...given: unknown[]) => {
      const flags = given.at(-2) as Flags;
      await withHub(address, flags, async (hub, path) => {
        const input = { ...optionsGiven(options, flags), ...wordsGiven(places, given), ...roomGiven(room, path) };
        const rows: Row[] = [];
        const answer = await hub.request(verb, input as never, { onRow: row => void rows.push(row) });
        show(entry, rows, answer, flags.json === true);
        if (verb === 'INVITE' && !flags.json) printInviteLink(await resolveAddress(address), answer);
      });
    });
}

function shownPlace({ field, optional, rest }: WordPlan): string {
  const shown = rest ? `${field}...` : field;
  return optional ? `[${shown}]` : `<${shown}>`;
}

function optionsGiven(options: readonly string[], flags: Flags): Readonly<Record<string, unknown>> {
  return Object.fromEntries(options.flatMap(key => (flags[key] === undefined ? [] : [[key, flags[key]]])));
}

function wordsGiven(places: readonly WordPlan[], given: readonly unknown[]): Readonly<Record<string, unknown>> {
  const values = places.map(({ field, rest }, i) => [field, rest ? (given[i] as string[]).join(' ') : given[i]]);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined && value !== ''));
}

/** Error: `bad-argument` for an address without the room that is needed. */
function roomGiven(room: WordPlan | undefined, path: string): { readonly room?: string } {
  const [name] = pathComponents(path);
  if (room && name !== undefined) return { room: name };
  if (room && !room.optional) throw new PartylineError('bad-argument', 'name the room: HUB:/room');
  return {};
}

/** What only counts the rows is not shown behind them. */
const counters = new Set(['count', 'more', 'room']);

function show({ rows: form }: TableEntry, rows: readonly Row[], answer: Fields, isJson: boolean): void {
  if (form === undefined) return printFields(answer, isJson);
  if (form !== 'events') {
    printRows(
      rows.map(({ fields }) => fields),
      isJson,
    );
  } else if (isJson) {
    printRows(
      rows.map(({ name, fields }) => ({ event: name, ...fields })),
      true,
    );
  } else printEvents(rows);
  const others = Object.entries(answer).filter(([key]) => !counters.has(key));
  if (others.length > 0) printFields(Object.fromEntries(others), isJson);
}

/** `lobby 412  2026-11-23 01:00 ada: hi` */
function printEvents(rows: readonly Row[]): void {
  for (const { name, fields } of rows) {
    if (!isEventName(name)) continue;
    const event = eventSchemas[name].parse({ event: name, ...fields });
    const line = event.event === 'GAP' ? undefined : renderEvent(event);
    const day = String(fields['time']).slice(0, 10);
    if (line !== undefined) process.stdout.write(`${fields['room']} ${fields['seq']}  ${day} ${line}\n`);
  }
}
