/** Subcommands for who runs a hub or keeps addresses: serve user check backup restore export config login doctor. */
import type { Command } from 'commander';
import { connect, guest, PartylineError, parseAddress, password, registration } from '../index.ts';
import { readConfig, readSecret, resolveAddress, type SecretOptions, withHub, writeConfig } from './context.ts';

/** As a server that is started here would have them. */
async function serverSettings() {
  const { settingsFrom } = await import('../../server/settings-sources.ts');
  return settingsFrom([], process.env);
}

/** The same folder as the server's, by the same rules. */
async function dataDir(): Promise<string> {
  return (await serverSettings()).settings['data-dir'];
}

export function addAdministrationCommands(program: Command): void {
  program
    .command('serve', { isDefault: false })
    .description('run the server; serve --help lists its settings')
    .allowUnknownOption()
    .helpOption(false)
    .argument('[flags...]')
    .action(async (_flags: string[], _options: unknown, command: Command) => {
      const { serve, fail } = await import('../../server/main.ts');
      await serve(command.args).catch(fail);
    });
  const user = program
    .command('user')
    .description('accounts of the data folder (PARTYLINE_DATA_DIR), also while the server runs');
  user
    .command('add <name>')
    .description('make an account, or give it a new password')
    .option('--admin', 'owns every room')
    .option('--password-stdin', 'read the password from standard input')
    .action(async (name: string, flags: SecretOptions & { admin?: boolean }) => {
      const secret = await demandSecret(flags, `Password for ${name}`);
      const { setAccount } = await import('../../server/administration.ts');
      const done = await setAccount(await dataDir(), name, secret, flags.admin === true);
      process.stdout.write(done === 'made' ? `account ${name} made\n` : `account ${name} has a new password\n`);
    });
  user
    .command('list')
    .description('list the accounts')
    .action(async () => {
      const { listAccounts } = await import('../../server/administration.ts');
      for (const { name, admin, created } of await listAccounts(await dataDir())) {
        process.stdout.write(`${name}${admin ? ' (administrator)' : ''} since ${created}\n`);
      }
    });
  user
    .command('remove <name>')
    .description('remove an account; what the person wrote and uploaded stays')
    .action(async (name: string) => {
      const { removeAccount } = await import('../../server/administration.ts');
      await removeAccount(await dataDir(), name);
      process.stdout.write(`account ${name} removed\n`);
    });
  program
    .command('check')
    .description('verify the data folder: numbers, rows, contents and their hashes')
    .option('--repair', 'mend what can be mended and remove what nobody refers to')
    .action(async ({ repair }: { repair?: boolean }) => {
      const { check } = await import('../../server/administration.ts');
      showReport(await check(await dataDir(), repair === true), 'problems are left; check --repair mends what it can');
    });
  addCopyCommands(program);
  addConfigCommand(program);
  addAccountCommands(program);
  addAddressCommands(program);
}

interface Report {
  readonly problems: readonly { readonly kind: string; readonly detail: string; readonly repaired: boolean }[];
  readonly counts: Readonly<Record<string, number>>;
}

/** Error: `conflict` with the hint if a problem is left. */
function showReport({ problems, counts }: Report, hint: string): void {
  for (const { kind, detail, repaired } of problems) {
    process.stdout.write(`${kind}: ${detail}${repaired ? ' (repaired)' : ''}\n`);
  }
  const counted = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  process.stdout.write(`${counted.join(', ')}; ${problems.length} problems\n`);
  if (problems.some(({ repaired }) => !repaired)) throw new PartylineError('conflict', hint);
}

function addCopyCommands(program: Command): void {
  program
    .command('backup <folder>')
    .description('copy the data folder as it is at one moment, also while the server runs; the folder is new or empty')
    .option('--verify', 'read the whole copy and compare every hash')
    .action(async (folder: string, { verify }: { verify?: boolean }) => {
      const { backup } = await import('../../server/administration.ts');
      const report = await backup(await dataDir(), folder, verify === true);
      showReport(report, 'the backup is complete, and the data folder itself has these problems');
    });
  program
    .command('restore <folder>')
    .description('make the data folder, which is missing or empty, of a backup, and compare every hash')
    .action(async (folder: string) => {
      const { restore } = await import('../../server/administration.ts');
      showReport(
        await restore(folder, await dataDir()),
        'the data is restored, and the backup itself has these problems',
      );
    });
  program
    .command('export <room> <folder>')
    .description('write a room’s messages as JSON lines and its files as files; the folder is new or empty')
    .action(async (room: string, folder: string) => {
      const { exportRoom } = await import('../../server/administration.ts');
      const { events, files } = await exportRoom(await dataDir(), room, folder);
      process.stdout.write(`${events} events in ${folder}/events.jsonl, ${files} files in ${folder}/files\n`);
    });
}

function addConfigCommand(program: Command): void {
  program
    .command('config')
    .description('the server’s settings')
    .command('print')
    .description('every setting with its value and where it comes from')
    .action(async () => {
      const { settings, origins, warnings } = await serverSettings();
      for (const [name, origin] of Object.entries(origins)) {
        const value = (settings as Readonly<Record<string, unknown>>)[name];
        const shown = value === true ? 'on' : value === false ? 'off' : (value ?? '');
        process.stdout.write(`${name.padEnd(20)} ${String(shown).padEnd(28)} ${origin}\n`);
      }
      for (const warning of warnings) process.stderr.write(`partyline: ${warning}\n`);
    });
}

function addAccountCommands(program: Command): void {
  program
    .command('register <url>')
    .description('make an account on a hub: partyline register pl://ada@host?invite=i_…')
    .option('--password-stdin', 'read the password from standard input')
    .action(async (url: string, flags: SecretOptions) => {
      const address = await resolveAddress(url);
      const secret = await demandSecret(flags, `New password for ${address.user} on ${address.host}`);
      await withHub(url, { auth: registration(secret, address.invite) }, async hub => {
        const { user, admin } = await hub.request('WHOAMI', {});
        process.stdout.write(`account ${user}${admin ? ' (administrator)' : ''} made\n`);
      });
    });
  program
    .command('password <hub>')
    .description('give your account another password; its other sessions end')
    .action(async (url: string) => {
      const { user } = await resolveAddress(url);
      const old = await demandSecret({}, `Password of ${user}`);
      const wanted = await demandSecret({ variable: 'PARTYLINE_NEW_PASSWORD' }, `New password for ${user}`);
      await withHub(url, { auth: password(old) }, async hub => {
        await hub.request('PASSWORD', { old, new: wanted });
        process.stdout.write(`account ${user} has a new password\n`);
      });
    });
}

async function demandSecret(flags: SecretOptions, question: string): Promise<string> {
  const secret = await readSecret(flags, question);
  if (secret !== undefined && secret !== '') return secret;
  throw new PartylineError(
    'bad-argument',
    'a password is needed: pipe it with --password-stdin, or set PARTYLINE_PASSWORD',
  );
}

function addAddressCommands(program: Command): void {
  program
    .command('login <name> <url>')
    .description('keep an address under a name: partyline login den pl://ada@10.0.0.5, then den:/lobby/')
    .action(async (name: string, url: string) => {
      parseAddress(url);
      const hubs = await readConfig<Record<string, string>>('hubs.json', {});
      await writeConfig('hubs.json', { ...hubs, [name]: url });
      process.stdout.write(`${name} is ${url}; use it as ${name}:/lobby/\n`);
    });
  program
    .command('doctor <hub> [server]')
    .description('look at the way to a hub: reach it, measure it, half-close through it; ftp: its data connections')
    .addHelpText(
      'after',
      `
doctor ftp [[user@]host[:port]] goes where the connections of FTP clients go, and names the firewall rule that is missing.
Give the name by which others reach the server; without one only this machine's own way is looked at.`,
    )
    .action((text: string, server: string | undefined) => (text === 'ftp' ? doctorFtp(server) : doctor(text)));
}

function say(what: string, result: string): void {
  process.stdout.write(`${what.padEnd(22)}${result}\n`);
}

/** The shell's code for a service that cannot be reached (EX_UNAVAILABLE of BSD's sysexits). */
const unavailable = 69;

/** Ends with that code if a way is blocked. Errors: those of the check. */
async function doctorFtp(server: string | undefined): Promise<void> {
  const { settings } = await serverSettings();
  const own = ['0.0.0.0', '::'].includes(settings.host) ? '127.0.0.1' : settings.host;
  const [, user, named, port] = /^(?:([^@]*)@)?(\[[^\]]+\]|[^:]*)(?::(\d{1,5}))?$/.exec(server ?? '') ?? [];
  if (server !== undefined && !named) throw new PartylineError('bad-argument', `${server} is not [user@]host[:port]`);
  const secret = user === undefined ? undefined : await demandSecret({}, `Password of ${user}`);
  const { checkFtp } = await import('./doctor-ftp.ts');
  const isOpen = await checkFtp(
    {
      host: (named || own).replace(/^\[|\]$/g, ''),
      port: port === undefined ? settings['ftp-port'] : Number(port),
      ...(user !== undefined && { user }),
      ...(secret !== undefined && { password: secret }),
      passivePorts: Object.values(settings['ftp-passive-ports']).join('-'),
    },
    say,
  );
  if (!isOpen) process.exitCode = unavailable;
  const open = named ? 'FTP clients get through' : 'open from this machine; give the public name to look from outside';
  say('verdict', isOpen ? open : 'FTP clients sign in, and then wait for data in vain');
}

async function doctor(text: string): Promise<void> {
  const address = await resolveAddress(text);
  let fingerprint = '';
  const trust = (seen: string) => {
    fingerprint = seen;
    return true;
  };
  const began = performance.now();
  const hub = await connect(address, { auth: guest(`doctor-${process.pid}`), reconnect: false, trust });
  say('reach and sign in', `${(performance.now() - began).toFixed(1)} ms`);
  if (fingerprint !== '') say('certificate sha256', fingerprint);
  const caps = await hub.request('CAPS', {});
  say('hub', `${caps.hub}: ${caps.auth}; lines to ${caps.line}, blobs to ${caps.blob} octets`);
  const times: number[] = [];
  for (let i = 0; i < 20; i++) {
    const start = performance.now();
    await hub.request('PING', {});
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  say('reply', `${times[10]!.toFixed(2)} ms in the middle, ${times[19]!.toFixed(2)} ms at worst`);
  await hub.finish({ drain: 'fin' }).then(
    () => say('half-close', 'every answer came behind our FIN'),
    () => say('half-close', `cut off: a proxy on the way closes both ways at once (nginx: proxy_half_close on)`),
  );
}
