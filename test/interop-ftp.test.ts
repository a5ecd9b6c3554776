/**
 * The FTP clients that people have: each puts, gets, resumes and lists, plain and over TLS where it can, and every octet is
 * compared. What the wire answers to whom is tested elsewhere.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, open, readFile, truncate, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client as BasicFtp } from 'basic-ftp';
import t, { type Test } from 'tap';
import { connect, password } from '../client/index.ts';
import { MIB } from '../shared/limits.ts';
import type { FilePath, RoomName } from '../shared/names.ts';
import { dialData, enter, retrieve, store } from './support/ftp-server.ts';
import { Inbox } from './support/inbox.ts';
import { addAccount, startServer } from './support/server-process.ts';
import { tempDir } from './support/temp-dir.ts';
import { cleanEnv, type RunResult, requireTool, run } from './support/tools.ts';

const isLong = process.env['PARTYLINE_TEST_LONG'] === '1';
t.setTimeout(isLong ? 900_000 : 120_000);
t.jobs = 4;

/** One client's place on the server and on this machine; files have the same name on both. */
interface Place {
  readonly port: number;
  readonly secure: boolean;
  /** On the server, such as `/lobby/curl`. */
  readonly remote: string;
  /** Paths on this machine: what is put, and where to get. */
  readonly from: (name: string) => string;
  readonly to: (name: string) => string;
  /** Runs the client's program, which has to succeed. */
  run(args: readonly string[], input?: string): Promise<RunResult>;
}

type Move = (place: Place, names: readonly string[]) => Promise<unknown>;

interface Client {
  /** None for a library. */
  readonly program?: string;
  readonly secure: boolean;
  readonly get: Move;
  readonly put?: Move;
  /** Goes on where `to` ends, or where the server's file ends. */
  readonly resumeGet?: Move;
  readonly resumePut?: Move;
  /** Over TLS it ends a connection that brings nothing before the handshake is over: such an upload fails, whoever serves. */
  readonly losesEmpty?: true;
  /** Gives text in which the names stand. */
  readonly list?: (place: Place) => Promise<string>;
}

const HALF = 70_000;
const contents: Readonly<Record<string, Buffer>> = {
  'plain.bin': randomBytes(2 * HALF),
  'Grüße – 会議.txt': Buffer.from('Grüße\n'),
  'it\'s "quoted" & more.txt': Buffer.from('quotes and spaces\r\n\n'),
  empty: Buffer.alloc(0),
};
const names = Object.keys(contents);
const [plain] = names as [string];

const url = ({ port, remote }: Place, name: string, scheme = 'ftp') =>
  `${scheme}://127.0.0.1:${port}${remote.split('/').map(encodeURIComponent).join('/')}/${encodeURIComponent(name)}`;
/** A word as lftp reads it, and as the programs that come from BSD do. */
const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
const escaped = (text: string) => text.replaceAll(/["\\ ]/g, '\\$&');

const curl =
  (more: readonly string[], pair: (place: Place, name: string) => readonly string[]): Move =>
  (place, wanted) => {
    const tls = place.secure ? ['--ssl-reqd', '-k'] : [];
    return place.run(['-sS', '-u', 'ada:secret', ...tls, ...more, ...wanted.flatMap(name => pair(place, name))]);
  };
const curlGet = (place: Place, name: string) => ['-o', place.to(name), url(place, name)];
const curlPut = (place: Place, name: string) => ['-T', place.from(name), url(place, name)];

const wget =
  (more: readonly string[]): Move =>
  (place, wanted) => {
    const urls = wanted.map(name => url(place, name, place.secure ? 'ftps' : 'ftp'));
    const own = ['-nv', '--no-check-certificate', '--user=ada', '--password=secret', '--tries=1'];
    return place.run([...own, '--restrict-file-names=nocontrol', '-P', place.to(''), ...more, ...urls]);
  };

const lftp =
  (step: (place: Place, name: string) => string): Move =>
  (place, wanted) => {
    const ssl = place.secure ? 'set ftp:ssl-force true; set ftp:ssl-protect-data true' : 'set ftp:ssl-allow false';
    const steps = wanted.map(name => step(place, name));
    const commands = [`set ssl:verify-certificate no; ${ssl}; set cmd:fail-exit true`, `cd ${place.remote}`, ...steps];
    return place.run([
      '--norc',
      '-u',
      'ada,secret',
      '-p',
      String(place.port),
      '-e',
      `${commands.join('; ')}; bye`,
      '127.0.0.1',
    ]);
  };

/** Programs that read commands from standard input, one a line, and tell of failures only in words. */
const typed =
  (step: (place: Place, name: string) => readonly string[]): Move =>
  (place, wanted) => {
    const begin = [`open 127.0.0.1 ${place.port}`, 'user ada secret', 'binary', `cd ${place.remote}`];
    const lines = [...begin, ...wanted.flatMap(name => step(place, name)), 'bye', ''];
    return place.run(['-n', '-i', '-v'], lines.join('\n'));
  };
const typedClient = (program: string): Client => ({
  program,
  secure: false,
  get: typed((place, name) => [`get ${escaped(name)} ${escaped(place.to(name))}`]),
  put: typed((place, name) => [`put ${escaped(place.from(name))} ${escaped(name)}`]),
  resumeGet: typed((place, name) => [`reget ${escaped(name)} ${escaped(place.to(name))}`]),
  resumePut: typed((place, name) => [`restart ${HALF}`, `put ${escaped(place.from(name))} ${escaped(name)}`]),
  list: async place => String(((await typed(() => ['ls'])(place, [''])) as RunResult).stdout),
});

const ncftpLogin = ({ port }: Place) => ['-u', 'ada', '-p', 'secret', '-P', String(port)];

/** What `rclone obscure secret` says; it differs each time, and any is taken. */
const rclone =
  (verb: string, operands: (place: Place) => readonly string[], more: readonly string[] = []): Move =>
  async place => {
    const pass = String((await place.run(['obscure', 'secret'])).stdout).trim();
    const login = ['--ftp-host=127.0.0.1', `--ftp-port=${place.port}`, '--ftp-user=ada', `--ftp-pass=${pass}`];
    const tls = place.secure ? ['--ftp-explicit-tls', '--ftp-no-check-certificate'] : [];
    return place.run([verb, ...operands(place), '--config=', '--retries=1', ...login, ...tls, ...more]);
  };

const basic =
  (step: (client: BasicFtp, place: Place, name: string) => Promise<unknown>): Move =>
  async (place, wanted) => {
    const client = new BasicFtp();
    try {
      const secureOptions = { rejectUnauthorized: false };
      const { port, secure } = place;
      await client.access({ host: '127.0.0.1', port, user: 'ada', password: 'secret', secure, secureOptions });
      await client.cd(place.remote);
      const results: unknown[] = [];
      for (const name of wanted) results.push(await step(client, place, name));
      return results;
    } finally {
      client.close();
    }
  };

const output = (move: Move) => async (place: Place) => String(((await move(place, [''])) as RunResult).stdout);

const clients: Readonly<Record<string, Client>> = {
  curl: {
    program: 'curl',
    secure: true,
    get: curl([], curlGet),
    put: curl([], curlPut),
    resumeGet: curl(['-C', '-'], curlGet),
    resumePut: curl(['-C', '-'], curlPut),
    list: output(curl([], place => [url(place, '')])),
  },
  wget: {
    program: 'wget',
    secure: true,
    get: wget([]),
    resumeGet: wget(['-c']),
    list: async place => {
      await wget(['--no-remove-listing', '-O', '/dev/null'])(place, ['']);
      return readFile(place.to('.listing'), 'utf8');
    },
  },
  lftp: {
    program: 'lftp',
    secure: true,
    get: lftp((place, name) => `get ${quoted(name)} -o ${quoted(place.to(name))}`),
    put: lftp((place, name) => `put ${quoted(place.from(name))} -o ${quoted(name)}`),
    resumeGet: lftp((place, name) => `get -c ${quoted(name)} -o ${quoted(place.to(name))}`),
    resumePut: lftp((place, name) => `put -c ${quoted(place.from(name))} -o ${quoted(name)}`),
    list: output(lftp(() => 'ls')),
  },
  ncftp: {
    program: 'ncftpget',
    secure: false,
    get: (place, wanted) =>
      place.run([
        ...ncftpLogin(place),
        '-V',
        '127.0.0.1',
        place.to(''),
        ...wanted.map(name => `${place.remote}/${name}`),
      ]),
    put: (place, wanted) =>
      run('ncftpput', [...ncftpLogin(place), '-V', '127.0.0.1', place.remote, ...wanted.map(place.from)]),
    resumeGet: (place, wanted) =>
      place.run([
        ...ncftpLogin(place),
        '-V',
        '-z',
        '127.0.0.1',
        place.to(''),
        ...wanted.map(name => `${place.remote}/${name}`),
      ]),
    resumePut: (place, wanted) =>
      run('ncftpput', [...ncftpLogin(place), '-V', '-z', '-s', '127.0.0.1', place.remote, ...wanted.map(place.from)]),
    list: async place =>
      String(
        (await run('ncftpls', ['-l', ...ncftpLogin(place), `ftp://127.0.0.1:${place.port}${place.remote}/`])).stdout,
      ),
  },
  tnftp: typedClient('tnftp'),
  'inetutils-ftp': typedClient('inetutils-ftp'),
  rclone: {
    program: 'rclone',
    secure: true,
    get: rclone('copy', place => [`:ftp:${place.remote}`, place.to('')]),
    put: rclone('copy', place => [place.from(''), `:ftp:${place.remote}`]),
    list: output(rclone('lsf', place => [`:ftp:${place.remote}`])),
  },
  aria2: {
    program: 'aria2c',
    secure: false,
    get: (place, wanted) => aria2(place, wanted, []),
    resumeGet: (place, wanted) => aria2(place, wanted, ['-c']),
  },
  'basic-ftp': {
    secure: true,
    losesEmpty: true,
    get: basic((client, place, name) => client.downloadTo(place.to(name), name)),
    put: basic((client, place, name) => client.uploadFrom(place.from(name), name)),
    resumeGet: basic((client, place, name) => client.downloadTo(place.to(name), name, HALF)),
    resumePut: basic((client, place, name) => client.appendFrom(place.from(name), name, { localStart: HALF })),
    list: async place =>
      String(await basic(async client => (await client.list()).map(({ name }) => name))(place, [''])),
  },
};

/** One at a time and without its pool of connections, in which it now and then waits for ever, whoever serves. */
async function aria2(place: Place, wanted: readonly string[], more: readonly string[]): Promise<void> {
  const login = ['--ftp-user=ada', '--ftp-passwd=secret'];
  const own = ['--no-conf', '-q', '--file-allocation=none', '--ftp-reuse-connection=false', '-d', place.to('')];
  for (const name of wanted) await place.run([...own, ...login, ...more, '-o', name, url(place, name)]);
}

const server = await startServer(t);
await addAccount(server, 'ada', 'secret');
const hub = await connect(`pl://ada@127.0.0.1:${server.ports.line}`, { auth: password('secret') });
t.teardown(() => hub.finish());

/** Puts a file that no FTP client brought. */
async function place(path: string, octets: Buffer): Promise<void> {
  const local = join(await tempDir(t), 'content');
  await writeFile(local, octets);
  await hub.put(local, path);
}

const hashOf = (octets: Buffer) => `sha256:${createHash('sha256').update(octets).digest('hex')}`;

/** A folder of its own on the server, and two here. */
async function placeOf(t: Test, name: string, program: string, secure: boolean): Promise<Place> {
  const folder = await tempDir(t);
  const remote = `/lobby/${name}${secure ? '-tls' : ''}`;
  await hub.request('MKDIR', { path: remote as FilePath });
  await Promise.all(['from', 'to', 'home'].map(each => mkdir(join(folder, each))));
  for (const [file, octets] of Object.entries(contents)) await writeFile(join(folder, 'from', file), octets);
  const env = cleanEnv({ HOME: join(folder, 'home'), LC_ALL: 'C.UTF-8' });
  return {
    port: server.ports.ftp,
    secure,
    remote,
    from: file => join(folder, 'from', file),
    to: file => join(folder, 'to', file),
    run: async (args, input = '') => {
      const result = await run(program, args, { input, env });
      if (result.code !== 0) throw new Error(`${program} ended with ${result.code}: ${result.stderr}${result.stdout}`);
      return result;
    },
  };
}

async function assertStored(t: Test, place: Place, name: string, octets: Buffer, what: string): Promise<void> {
  const { size, hash } = await hub.request('STAT', { path: `${place.remote}/${name}` as FilePath });
  t.same({ size, hash }, { size: octets.length, hash: hashOf(octets) }, what);
}

async function movesAll(t: Test, client: Client, here: Place): Promise<void> {
  const { put, get, resumeGet, resumePut } = client;
  const putting = !put ? [] : names.filter(name => !(name === 'empty' && here.secure && client.losesEmpty));
  await put?.(here, putting);
  for (const name of names) if (!putting.includes(name)) await place(`${here.remote}/${name}`, contents[name]!);
  for (const [name, octets] of Object.entries(contents)) await assertStored(t, here, name, octets, `put ${name}`);
  await get(here, names);
  for (const [name, octets] of Object.entries(contents)) {
    t.ok((await readFile(here.to(name))).equals(octets), `get ${name}`);
  }
  if (client.list) {
    const listed = await client.list(here);
    for (const name of names) t.match(listed, name, `list ${name}`);
  }
  const whole = contents[plain]!;
  if (resumeGet) {
    await writeFile(here.to(plain), whole.subarray(0, HALF));
    await resumeGet(here, [plain]);
    t.ok((await readFile(here.to(plain))).equals(whole), 'get, resumed');
  }
  if (resumePut) {
    await place(`${here.remote}/half.bin`, whole.subarray(0, HALF));
    await writeFile(here.from('half.bin'), whole);
    await resumePut(here, ['half.bin']);
    await assertStored(t, here, 'half.bin', whole, 'put, resumed');
  }
}

for (const [name, client] of Object.entries(clients)) {
  for (const secure of client.secure ? [false, true] : [false]) {
    t.test(`${name}${secure ? ' over TLS' : ''} puts, gets, resumes and lists`, async t => {
      const program = client.program === undefined ? '' : requireTool(t, client.program);
      if (program === undefined) return;
      await movesAll(t, client, await placeOf(t, name, program, secure));
    });
  }
}

t.test('while the kernel sends a file nobody waits, ABOR ends it, and the rest comes with REST', async t => {
  const content = randomBytes(32 * MIB);
  await place('/lobby/big', content);
  const control = await enter(t, server.ports.ftp, 'ada');
  // Nobody reads: the transfer waits for room.
  const stuck = await dialData(t, await control.passivePort());
  t.match(await control.ask('RETR /lobby/big'), /^150 /);
  t.match(await control.ask('NOOP'), /^200 /);
  t.match(await control.ask('STAT'), /^211-.*A transfer runs/s);
  control.send('ABOR');
  t.match(await control.reply(), /^426 /);
  t.match(await control.reply(), /^226 /);
  stuck.destroy();
  t.ok((await retrieve(t, control, 'RETR /lobby/big')).equals(content));
  t.match(await control.ask(`REST ${content.length - 5}`), /^350 /);
  t.ok((await retrieve(t, control, 'RETR /lobby/big')).equals(content.subarray(-5)));
});

t.test('an upload that was reset is gone on with by REST, by APPE and by put, and told once each', async t => {
  const content = randomBytes(3 * MIB);
  const control = await enter(t, server.ports.ftp, 'ada');
  /** Resolves with how much of it the server holds. */
  const lose = async (path: string) => {
    const data = await dialData(t, await control.passivePort());
    await control.ask(`STOR ${path}`);
    await new Promise<void>(resolve => data.write(content.subarray(0, 2 * MIB), () => resolve()));
    t.match(await control.ask('NOOP'), /^200 /);
    data.resetAndDestroy();
    t.match(await control.reply(), /^426 /);
    return Number((await control.ask(`SIZE ${path}`)).slice(4));
  };
  const rest = await lose('/lobby/by-rest');
  t.ok(rest <= 2 * MIB);
  t.match(await control.ask(`REST ${rest}`), /^350 /);
  t.match(await store(t, control, '/lobby/by-rest', content.subarray(rest)), /^226 /);
  const held = await lose('/lobby/by-appe');
  t.match(await store(t, control, '/lobby/by-appe', content.subarray(held), 'APPE'), /^226 /);
  await lose('/lobby/by-put');
  await place('/lobby/by-put', content);
  const told: unknown[] = [];
  for await (const { fields } of hub.rows('HISTORY', { room: 'lobby' as RoomName, limit: 500 }))
    told.push(fields['path']);
  for (const path of ['/lobby/by-rest', '/lobby/by-appe', '/lobby/by-put']) {
    t.equal((await hub.request('STAT', { path: path as FilePath })).hash, hashOf(content), path);
    t.equal(told.filter(each => each === path).length, 1, 'one event');
  }
});

t.test('the room hears of an upload once, on the line and by TELNET, and of one that was reset nothing', async t => {
  const listeners = [];
  for (const [port, words] of [
    [server.ports.line, 'NICK liz\nJOIN lobby\n'],
    [server.ports.telnet, 'tom\r\n'],
  ] as const) {
    const socket = await dialData(t, port);
    socket.write(words);
    const inbox = new Inbox(socket);
    await inbox.when('the lobby', () => inbox.peek().includes('lobby') || undefined);
    listeners.push(inbox);
  }
  const control = await enter(t, server.ports.ftp, 'ada');
  const broken = await dialData(t, await control.passivePort());
  await control.ask('STOR /lobby/told-broken');
  await new Promise<void>(resolve => broken.write('half', () => resolve()));
  broken.resetAndDestroy();
  t.match(await control.reply(), /^426 /);
  t.match(await store(t, control, '/lobby/told-whole', Buffer.from('all')), /^226 /);
  await hub.request('SAY', { room: 'lobby' as RoomName, text: 'that was all' });
  for (const inbox of listeners) {
    const said = await inbox.when('the last word', () => {
      const text = inbox.peek().toString();
      return text.includes('that was all') ? text : undefined;
    });
    t.equal(said.split('told-whole').length - 1, 1);
    t.notMatch(said, /told-broken/);
  }
});

t.test('files of more than 4 GiB are gone on with behind that', { skip: !isLong && 'PARTYLINE_TEST_LONG' }, async t => {
  const size = 4 * 1024 * MIB + 2 * HALF;
  const tail = randomBytes(HALF);
  const folder = await tempDir(t);
  const local = await open(join(folder, 'huge'), 'w');
  await local.write(tail, 0, HALF, size - HALF);
  await local.close();
  await hub.put(join(folder, 'huge'), '/lobby/huge');
  for (const [name, client] of Object.entries(clients)) {
    const program = client.program === undefined ? '' : requireTool(t, client.program);
    if (program === undefined || !client.resumeGet || name === 'basic-ftp') continue;
    const here = { ...(await placeOf(t, `huge-${name}`, program, false)), remote: '/lobby' };
    await writeFile(here.to('huge'), '');
    await truncate(here.to('huge'), size - HALF);
    await client.resumeGet(here, ['huge']);
    const got = await open(here.to('huge'));
    const { bytesRead, buffer } = await got.read(Buffer.alloc(HALF + 1), 0, HALF + 1, size - HALF);
    await got.close();
    t.ok(buffer.subarray(0, bytesRead).equals(tail), name);
  }
});

t.test('the doctor goes the ways of data connections, and names the rule that is missing', async t => {
  const cli = fileURLToPath(new URL('../client/cli/main.js', import.meta.url));
  const doctor = (address: string) =>
    run(process.execPath, [cli, 'doctor', 'ftp', address], { env: cleanEnv({ PARTYLINE_PASSWORD: 'secret' }) });
  const well = await doctor(`ada@127.0.0.1:${server.ports.ftp}`);
  t.match(
    String(well.stdout),
    /^sign in +as ada\nPASV .* is open\nEPSV .* is open\nverdict +FTP clients get through$/m,
  );
  t.equal(well.code, 0);
  // A server whose data ports lead nowhere, as behind a firewall that refuses.
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  const replies: Readonly<Record<string, string>> = {
    USER: '331 and?',
    PASS: '230-in\r\n230 welcome',
    PASV: `227 come (127,0,0,1,${port >> 8},${port & 255})`,
    EPSV: `229 come (|||${port}|)`,
  };
  const fenced = createServer(socket => {
    socket.on('error', () => undefined).write('220-a long\r\n220 greeting\r\n');
    socket.on('data', octets => socket.write(`${replies[String(octets).slice(0, 4)] ?? '221 bye'}\r\n`));
  }).listen(0, '127.0.0.1');
  await once(fenced, 'listening');
  t.teardown(() => fenced.close());
  const ill = await doctor(`127.0.0.1:${(fenced.address() as AddressInfo).port}`);
  t.match(String(ill.stdout), new RegExp(`PASV +127.0.0.1 port ${port} is blocked: the connection is refused`));
  t.match(String(ill.stdout), /ufw allow 7100:7139\/tcp/, 'the ports of the settings');
  t.equal(ill.code, 69);
});
