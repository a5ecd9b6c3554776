/** Subcommands on files: put get cp ls cat rm mv mkdir sync. */
import { pipeline } from 'node:stream/promises';
import { type Command, Option } from 'commander';
import { commands } from '../../shared/commands/index.ts';
import type { Entry } from '../../shared/model.ts';
import { type Filter, ignoredBy } from '../filters.ts';
import { type Hub, isAddress, PartylineError, type Summary, type TransferOptions } from '../index.ts';
import { interruptible, resolveAddress, type SecretOptions, withHub } from './context.ts';
import { chooseDisplay, type Display, readableOctets } from './display.ts';

interface TransferFlags extends SecretOptions {
  readonly recursive?: boolean;
  readonly json?: boolean;
  readonly force?: boolean;
  readonly delta?: boolean;
  readonly bwlimit?: string;
  readonly transfers?: string;
  readonly parallel?: string;
  /** Both lists are one, in the order of the command line. */
  readonly include?: readonly Filter[];
  readonly exclude?: readonly Filter[];
}

async function transferOptions(flags: TransferFlags, { onProgress }: Display): Promise<TransferOptions> {
  return {
    onProgress,
    signal: interruptible(),
    recursive: flags.recursive,
    force: flags.force,
    delta: flags.delta,
    ...(flags.bwlimit !== undefined && { bytesPerSecond: parseRate(flags.bwlimit) }),
    ...(flags.transfers !== undefined && { transfers: parseCount('transfers', flags.transfers) }),
    ...(flags.parallel !== undefined && { parallel: parseCount('parallel', flags.parallel) }),
    isIgnored: await ignoredBy(flags.include ?? flags.exclude ?? []),
  };
}

/** `500k`, `2M`, `1.5G` octets a second. */
function parseRate(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([kmg]?)$/i.exec(text) ?? [];
  if (number === undefined) throw new PartylineError('bad-argument', `${text} is not a rate such as 500k or 2M`);
  return Number(number) * 1024 ** ' kmg'.indexOf(unit.toLowerCase() || ' ');
}

function parseCount(flag: string, text: string): number {
  if (!/^[1-9]\d?$/.test(text)) throw new PartylineError('bad-argument', `--${flag} ${text}: say 1 to 99`);
  return Number(text);
}

async function transfer(
  flags: TransferFlags,
  text: string,
  run: (hub: Hub, path: string, options: TransferOptions) => Promise<Summary>,
) {
  const display = await chooseDisplay(flags);
  try {
    const options = await transferOptions(flags, display);
    display.finish(await withHub(text, flags, (hub, path) => run(hub, path, options)));
  } finally {
    display.stop();
  }
}

const putFiles = (locals: readonly string[], target: string, flags: TransferFlags) =>
  transfer(flags, target, async (hub, path, options) => {
    const summaries: Summary[] = [];
    const into = locals.length > 1 && !path.endsWith('/') ? `${path}/` : path;
    for (const local of locals) summaries.push(await hub.put(local, into, options));
    return total(summaries);
  });

const getFiles = (source: string, local: string, flags: TransferFlags) =>
  transfer(flags, source, (hub, path, options) => hub.get(path, local, options));

function total(summaries: readonly Summary[]): Summary {
  return {
    files: summaries.reduce((sum, { files }) => sum + files, 0),
    octets: summaries.reduce((sum, { octets }) => sum + octets, 0),
    same: summaries.reduce((sum, { same }) => sum + same, 0),
    kept: summaries.reduce((sum, { kept }) => sum + kept, 0),
    sent: summaries.flatMap(({ sent }) => sent),
  };
}

function transferCommand(program: Command, usage: string, description: string): Command {
  const filters: Filter[] = [];
  const filter = (flag: string, keeps: boolean, help: string) =>
    new Option(`${flag} <glob>`, help).argParser((pattern: string) => {
      filters.push({ keeps, pattern });
      return filters;
    });
  return program
    .command(usage)
    .description(description)
    .addOption(filter('--include', true, 'of folders only what matches; the first of these patterns that does decides'))
    .addOption(filter('--exclude', false, 'of folders not what matches'))
    .option('-r, --recursive', 'folders with all that is in them')
    .option('--force', 'also what has the same size and date on both sides')
    .option('--bwlimit <rate>', 'octets a second of all files together, such as 500k or 2M')
    .option('--transfers <n>', 'large files at once')
    .option('--parallel <n>', 'connections for one large file; by itself up to three')
    .option('--json', 'one JSON object a line on standard output')
    .option('--password-stdin', 'read the password from standard input');
}

const deltaOption = ['--delta', 'of large files only what differs from those that are there'] as const;

export function addFileCommands(program: Command): void {
  transferCommand(program, 'put <local...>', 'send files: partyline put big.iso pl://ada@den/lobby/')
    .option(...deltaOption)
    .action((args: string[], flags: TransferFlags) => {
      const target = args.at(-1)!;
      if (args.length < 2)
        throw new PartylineError('bad-argument', 'say what to send and where to: put FILE pl://HOST/room/');
      return putFiles(args.slice(0, -1), target, flags);
    });
  transferCommand(program, 'get <remote> [local]', 'fetch files: partyline get pl://den/lobby/big.iso').action(
    (remote: string, local: string | undefined, flags: TransferFlags) => getFiles(remote, local ?? './', flags),
  );
  transferCommand(program, 'cp <from> <to>', 'as put or get, or within one hub, by which side is an address').action(
    async (from: string, to: string, flags: TransferFlags) => {
      if (!isAddress(from)) return putFiles([from], to, flags);
      if (!isAddress(to)) return getFiles(from, to, flags);
      const target = await resolveAddress(to);
      await withHub(from, flags, (hub, path) => hub.request('CP', { from: path, to: target.path, mode: 'replace' }));
    },
  );
  addFolderCommands(program);
  transferCommand(
    program,
    'sync <folder> <remote>',
    'make a folder of the hub like a local one; .plignore names what stays out',
  )
    .option(...deltaOption)
    .option('--delete', 'remove from the hub what is not here')
    .option('-n, --dry-run', 'only say what would be done')
    .action(async (folder: string, remote: string, flags: TransferFlags & { delete?: boolean; dryRun?: boolean }) => {
      await transfer(flags, remote, async (hub, path, options) => {
        const summary = await hub.sync(folder, path, { ...options, delete: flags.delete, dryRun: flags.dryRun });
        const verb = flags.dryRun ? 'would ' : '';
        if (flags.dryRun) for (const name of summary.planned) process.stdout.write(`${verb}send ${name}\n`);
        for (const name of summary.removed) process.stdout.write(`${verb}remove ${name}\n`);
        return summary;
      });
    });
}

function addFolderCommands(program: Command): void {
  const simple = (usage: string, description: string) =>
    program.command(usage).description(description).option('--password-stdin', 'read the password from standard input');
  simple('ls <remote>', 'list a folder')
    .option('--json', 'one JSON object a line')
    .action((remote: string, flags: SecretOptions & { json?: boolean }) =>
      withHub(remote, flags, async (hub, path) => {
        for await (const { fields } of hub.rows('LS', { path })) {
          const entry = commands.LS.rows.parse(fields);
          process.stdout.write(`${flags.json ? JSON.stringify(entry) : listLine(entry)}\n`);
        }
      }),
    );
  simple('cat <remote>', 'write a file to standard output').action((remote: string, flags: SecretOptions) =>
    withHub(remote, flags, (hub, path) => pipeline(hub.createReadStream(path), process.stdout, { end: false })),
  );
  simple('rm <remote>', 'remove a file or an empty folder')
    .option('-r, --recursive', 'with all that is in it')
    .action(async (remote: string, flags: SecretOptions & { recursive?: boolean }) => {
      await withHub(remote, flags, (hub, path) => hub.request('RM', { path, recursive: flags.recursive }));
    });
  simple('mv <from> <to>', 'rename or move within a hub').action(
    async (from: string, to: string, flags: SecretOptions) => {
      const target = isAddress(to) ? (await resolveAddress(to)).path : to;
      await withHub(from, flags, (hub, path) => hub.request('MV', { from: path, to: target }));
    },
  );
  simple('mkdir <remote>', 'make a folder').action(async (remote: string, flags: SecretOptions) => {
    await withHub(remote, flags, (hub, path) => hub.request('MKDIR', { path }));
  });
}

function listLine({ name, type, size, modified, owner }: Entry): string {
  const isDir = type === 'dir';
  const shown = isDir ? '-' : readableOctets(size ?? 0);
  const date = (modified ?? '').replace('T', ' ').replace('Z', '');
  return `${shown.padStart(10)}  ${date.padEnd(19)}  ${(owner ?? '').padEnd(10)}  ${name}${isDir ? '/' : ''}`;
}
