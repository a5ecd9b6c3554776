/** Subcommands that are commands of the hub: arguments, options and help derive from table 1. Rooms come as addresses. */
import { type Command, Option } from 'commander';
import { planWord, type Command as TableEntry } from '../../shared/commands/command.ts';
import { commands } from '../../shared/commands/index.ts';
import { pathComponents } from '../../shared/names.ts';
import { PartylineError } from '../index.ts';
import { resolveAddress, withHub } from './context.ts';
import { printInviteLink } from './invite-link.ts';
import { printFields, printRows } from './tables.ts';

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
    },
  ],
  token: [
    'tokens: enter with less than a password, or as a device',
    { make: 'MINT', list: 'TOKENS', revoke: 'REVOKE' },
  ],
  session: ['sessions: who is connected', { list: 'SESSIONS', revoke: 'REVOKE' }],
  ban: ['accounts and addresses that are kept out of the hub', { add: 'BLOCK', remove: 'UNBLOCK', list: 'BLOCKS' }],
  invite: ['invites: let somebody in', { make: 'INVITE', list: 'INVITES', revoke: 'REVOKE' }],
};

export function addHubCommands(program: Command): void {
  for (const [subject, [about, verbs]] of Object.entries(subjects)) {
    const parent = program.command(subject).description(about);
    for (const [name, verb] of Object.entries(verbs)) addVerb(parent, name, verb);
  }
}

function addVerb(parent: Command, name: string, verb: Verb): void {
  const entry: TableEntry = commands[verb];
  const plans = entry.words.map(planWord).filter(({ field }) => field !== 'room');
  const room = entry.words.map(planWord).find(({ field }) => field === 'room');
  const places = plans.map(({ field, optional, rest }) => {
    const shown = rest ? `${field}...` : field;
    return optional ? `[${shown}]` : `<${shown}>`;
  });
  const named = new Set(['room', ...plans.map(({ field }) => field)]);
  const options = Object.keys(entry.input.shape).filter(key => !named.has(key) || (key === 'room' && !room));
  const command = parent.command([name, room ? '<room>' : '<hub>', ...places].join(' '));
  command.description(entry.summary);
  for (const key of options) command.addOption(new Option(`--${key} <value>`));
  command
    .option('--json', 'one JSON object a line')
    .option('--password-stdin', 'read the password from standard input');
  command.action(async (address: string, ...given: unknown[]) => {
    const flags = given.at(-2) as Readonly<Record<string, string>> & { json?: boolean; passwordStdin?: boolean };
    await withHub(address, flags, async (hub, path) => {
      const input: Record<string, unknown> = Object.fromEntries(
        options.flatMap(key => (flags[key] === undefined ? [] : [[key, flags[key]]])),
      );
      plans.forEach(({ field, rest }, i) => {
        const value = rest ? (given[i] as string[]).join(' ') : given[i];
        if (value !== undefined && value !== '') input[field] = value;
      });
      const [name] = pathComponents(path);
      if (room && name !== undefined) input['room'] = name;
      else if (room && !room.optional) throw new PartylineError('bad-argument', 'name the room: HUB:/room');
      const rows: Readonly<Record<string, unknown>>[] = [];
      const onRow = ({ fields }: { readonly fields: Readonly<Record<string, unknown>> }) => void rows.push(fields);
      const answer = await hub.request(verb, input as never, { onRow });
      if (entry.rows) printRows(rows, flags.json === true);
      else printFields(answer, flags.json === true);
      if (verb === 'INVITE' && !flags.json) printInviteLink(await resolveAddress(address), answer);
    });
  });
}
