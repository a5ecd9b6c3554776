/** The command line as a program: files both ways, resuming, talk, saved hubs, accounts, and how it says what is wrong. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir as makeDir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { connect, password } from '../client/index.ts';
import { type Direction, type FaultProxy, startFaultProxy } from './support/fault-proxy.ts';
import { withDeadline } from './support/inbox.ts';
import { addAccount, startServer } from './support/server-process.ts';
import { tempDir } from './support/temp-dir.ts';
import { cleanEnv, type RunResult, run } from './support/tools.ts';

t.setTimeout(120_000);
// Most of the time is that of programs starting.
t.jobs = 4;

const cli = fileURLToPath(new URL('../client/cli/main.js', import.meta.url));

interface Person {
  /** Runs a command with the person's secret at hand. */
  pl(...args: readonly string[]): Promise<RunResult>;
  /** The same with words on standard input. */
  tell(input: string, ...args: readonly string[]): Promise<RunResult>;
  readonly env: NodeJS.ProcessEnv;
  readonly url: string;
  readonly folder: string;
  readonly ports: { readonly line: number; readonly 'line-tls': number };
}

// One server and one account for all: a process costs more than what most of these tests do.
const server = await startServer(t);
await addAccount(server, 'ada', 'secret');
const hub = await connect(`pl://ada@127.0.0.1:${server.ports.line}`, { auth: password('secret') });
await hub.request('CREATE', { room: 'talk' });
await hub.finish();

/** Ada at a command line that keeps its files to itself. */
async function adaAtWork(t: Test): Promise<Person> {
  const folder = await tempDir(t);
  const env = cleanEnv({
    XDG_CONFIG_HOME: join(folder, 'config'),
    PARTYLINE_DATA_DIR: server.dataDir,
    PARTYLINE_PASSWORD: 'secret',
  });
  const tell = (input: string, ...args: readonly string[]) => run(process.execPath, [cli, ...args], { env, input });
  const url = `pl://ada@127.0.0.1:${server.ports.line}`;
  return { pl: (...args) => tell('', ...args), tell, env, url, folder, ports: server.ports };
}

/** Starts a command, lets so much pass through the proxy, and interrupts it as Ctrl-C does. */
async function interruptBehind(person: Person, proxy: FaultProxy, way: Direction, args: readonly string[]) {
  const child = spawn(process.execPath, [cli, ...args], { env: person.env, stdio: ['ignore', 'ignore', 'pipe'] });
  const from = proxy.octets[way];
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<number | null>(resolve => child.once('close', resolve));
  try {
    while (proxy.octets[way] - from < 3_000_000 && child.exitCode === null) await pause(5);
    // What is frozen cannot have ended before the signal comes, however busy the machine is.
    proxy.set(way, { isFrozen: true });
    child.kill('SIGINT');
    const code = await withDeadline('the end behind Ctrl-C', ended, 30_000);
    return { code, stderr };
  } finally {
    proxy.set(way, { isFrozen: false });
    child.kill('SIGKILL');
  }
}

t.test('a home is a place for files like a room', async t => {
  const { pl, folder, url } = await adaAtWork(t);
  const home = `${url}/~ada`;
  const tree = join(folder, 'tree');
  await makeDir(join(tree, 'in'), { recursive: true });
  await writeFile(join(tree, 'in', 'a.txt'), 'hello');
  await writeFile(join(tree, 'big'), randomBytes(100_000));
  t.equal((await pl('mkdir', `${home}/kept`)).code, 0);
  t.match(await pl('sync', `${tree}/`, `${home}/tree`), { code: 0, stderr: /2 files/ });
  await writeFile(join(tree, 'big'), Buffer.alloc(5_000_000, 'x'));
  await pl('put', join(tree, 'big'), `${home}/tree/`);
  await writeFile(join(tree, 'big'), Buffer.alloc(5_000_001, 'x'));
  t.match(await pl('sync', '--delta', `${tree}/`, `${home}/tree`), {
    stderr: /^1 file, 4\.8 MiB .* 18\.8 KiB of it sent/m,
  });
  t.equal((await pl('mv', `${home}/tree/in/a.txt`, `${home}/kept/b.txt`)).code, 0);
  t.equal((await pl('get', '-r', `${home}/`, `${folder}/back/`)).code, 0);
  t.equal(await readFile(join(folder, 'back', 'kept', 'b.txt'), 'utf8'), 'hello');
  t.equal((await pl('rm', '-r', `${home}/tree`)).code, 0);
  const [all, own, quota] = await Promise.all([pl('ls', `${url}/`), pl('ls', home), pl('room', 'quota', home)]);
  t.match(all.stdout, /^.* ~ada\/$/m);
  t.match(own.stdout, /^ +- .* kept\/\n$/);
  t.match(quota.stdout, /^used {2,}5$/m);
  t.match(await pl('user', 'remove', 'ada'), { code: 73, stderr: /~ada holds files/ }, 'it would be the next ada’s');
});

t.test('files go up, are listed, moved, copied, read, removed and come back, with one line each', async t => {
  const { pl, folder, ...ada } = await adaAtWork(t);
  const url = `${ada.url}/lobby/files`;
  t.equal((await pl('mkdir', url)).code, 0);
  const tree = join(folder, 'tree');
  await makeDir(join(tree, 'sub'), { recursive: true });
  await writeFile(join(tree, 'sub', 'note'), 'hi\n');
  await writeFile(join(tree, 'big'), randomBytes(2_500_000));
  const put = await pl('put', '-r', tree, `${url}/`);
  t.match(put.stderr, /^\/lobby\/files\/tree\/sub\/note 3 B$/m);
  t.match(put.stderr, /^\/lobby\/files\/tree\/big 2\.4 MiB$/m);
  t.match(put.stderr, /^2 files, 2\.4 MiB in /m);
  t.match((await pl('put', '-r', tree, `${url}/`)).stderr, /^0 files, .* 2 unchanged$/m);
  const rows = String((await pl('ls', '--json', `${url}/tree`)).stdout)
    .trimEnd()
    .split('\n')
    .map(row => JSON.parse(row));
  t.match(rows, [
    { name: 'big', type: 'file', size: 2_500_000, owner: 'ada', hash: /^sha256:/ },
    { name: 'sub', type: 'dir' },
  ]);
  const [cat, mkdir] = await Promise.all([pl('cat', `${url}/tree/sub/note`), pl('mkdir', `${url}/other`)]);
  t.equal(String(cat.stdout), 'hi\n');
  t.equal(mkdir.code, 0);
  t.equal((await pl('mv', `${url}/tree/sub/note`, '/lobby/files/other/moved')).code, 0);
  t.equal((await pl('cp', `${url}/other/moved`, `${url}/copied`)).code, 0);
  const refused = await pl('rm', `${url}/other`);
  t.match(refused, { code: 73, stderr: /^partyline: \/lobby\/files\/other is not empty/ });
  t.equal((await pl('rm', '-r', `${url}/other`)).code, 0);
  t.match(String((await pl('ls', `${url}`)).stdout), /^ +3 B .* ada +copied\n +- .* tree\/\n$/);
  const got = await pl('get', '--json', `${url}/tree/big`, join(folder, 'here'));
  const progress = String(got.stdout).trimEnd().split('\n');
  t.match(JSON.parse(progress[0]!), {
    phase: 'done',
    path: '/lobby/files/tree/big',
    octets: 2_500_000,
    resumedFrom: 0,
  });
  t.match(JSON.parse(progress[1]!), { phase: 'end', files: 1 });
  t.ok((await readFile(join(folder, 'here'))).equals(await readFile(join(tree, 'big'))));
  await writeFile(join(tree, 'sub', 'new'), 'new');
  await writeFile(join(tree, 'sub', 'left.tmp'), 'out');
  const plan = await pl('sync', '-n', '--delete', '--exclude', '*.tmp', tree, `${url}/tree`);
  t.equal(String(plan.stdout), 'would send /lobby/files/tree/sub/new\nwould send /lobby/files/tree/sub/note\n');
  t.match((await pl('sync', '--exclude', '*.tmp', tree, `${url}/tree`)).stderr, /^2 files, 6 B .* 1 unchanged$/m);
});

t.test('a transfer that Ctrl-C ended says how to go on, and goes on from there, both ways', async t => {
  const person = await adaAtWork(t);
  const { pl, folder, ports } = person;
  const [file, back] = [join(folder, 'a big one'), join(folder, 'back')];
  const content = randomBytes(6_000_000);
  await writeFile(file, content);
  const proxy = await startFaultProxy(t, ports.line);
  const remote = `pl://ada@127.0.0.1:${proxy.port}/lobby/slow`;
  const ways = [
    ['toServer', ['put', file, remote], `put '${file}' ${remote}`],
    ['toClient', ['get', remote, back], `get ${remote} ${back}`],
  ] as const;
  for (const [way, args, again] of ways) {
    proxy.set(way, { octetsPerSecond: 4_000_000 });
    const { code, stderr } = await interruptBehind(person, proxy, way, args);
    t.equal(stderr, `partyline: interrupted; to go on: partyline ${again}\n`);
    t.equal(code, 75);
    if (way === 'toServer')
      t.notMatch(String((await pl('ls', remote.replace('/slow', ''))).stdout), /slow/, 'nothing half is seen');
    proxy.set(way, { octetsPerSecond: Number.POSITIVE_INFINITY });
    t.match((await pl(...args)).stderr, /^\/lobby\/slow: resumed at [1-9]\d? %, /m);
  }
  t.ok((await readFile(back)).equals(content));
});

t.test('people talk: say, tail, chat and raw', async t => {
  const { pl, tell, url, env, ports } = await adaAtWork(t);
  t.equal((await pl('say', `${url}/talk`, 'hello', 'there')).code, 0);
  t.equal((await tell('from a\npipe\n', 'say', `${url}/talk`)).code, 0);
  t.match(await tell(' \n', 'say', `${url}/talk`), { code: 64, stderr: 'partyline: there is nothing to say\n' });
  const following = spawn(process.execPath, [cli, 'tail', '-n', '1', '--json', `${url}/talk`], { env, stdio: 'pipe' });
  t.teardown(() => following.kill('SIGKILL'));
  const lines = createInterface({ input: following.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await withDeadline('an event', lines.next(), 20_000)).value as string);
  t.match(await next(), { event: 'MSG', from: 'ada', text: 'from a\npipe' });
  const talk = await tell('hi\n/join nowhere\n/dance\n//slash\n/quit\n', 'chat', `${url}/talk`);
  t.equal(talk.code, 0, 'a room that is not there does not end the talk');
  t.match(talk.stderr, /^partyline: there is no room nowhere/m);
  t.match(talk.stderr, /^\/dance: there are \/join ROOM and \/quit/m);
  t.match([await next(), await next()], [{ text: 'hi' }, { text: '/slash' }]);
  following.kill('SIGINT');
  for (const [scheme, port] of [
    ['pl', ports.line],
    ['pls', ports['line-tls']],
  ]) {
    const raw = await tell('NICK bo\nPING x\n', 'raw', `${scheme}://127.0.0.1:${port}`);
    t.match(
      String(raw.stdout),
      /^\* PARTYLINE\/1 .*\n\+ NICK user=bo\n\+ PING token=x\n\* BYE reason=drained replies=2\n$/,
    );
    t.match(raw, { code: 0, stderr: /the server sent FIN/ });
  }
});

t.test('a saved hub, the known certificate, and the way to a hub', async t => {
  const { pl, url, folder, ports } = await adaAtWork(t);
  t.match(await pl('ls', 'den:/'), { code: 64, stderr: /^partyline: den is not a saved hub; partyline login den / });
  t.equal((await pl('login', 'den', url)).code, 0);
  t.match(String((await pl('ls', 'den:/')).stdout), / lobby\/$/m);
  const secure = `pls://ada@127.0.0.1:${ports['line-tls']}`;
  t.match((await pl('ls', `${secure}/`)).stderr, /has the certificate sha256 \S+; it is remembered\n$/);
  t.match(await pl('ls', `${secure}/`), { code: 0, stderr: '' });
  const known = join(folder, 'config', 'partyline', 'known-hubs.json');
  await writeFile(known, (await readFile(known, 'utf8')).replace(/[0-9A-F]{2}(:[0-9A-F]{2})+/, 'AA:BB'));
  t.match(await pl('ls', `${secure}/`), { code: 77, stderr: /certificate of .* known hubs/ });
  await writeFile(known, '{ half');
  t.match(await pl('ls', `${secure}/`), { code: 64, stderr: /known-hubs\.json is not JSON; mend it or remove it/ });
  const doctor = await pl('doctor', `pls://127.0.0.1:${ports['line-tls']}`);
  for (const line of [
    /^reach and sign in +\S+ ms$/m,
    /^certificate sha256 +[0-9A-F:]{95}$/m,
    /^half-close +every answer/m,
  ]) {
    t.match(String(doctor.stdout), line);
  }
});

// Alone, since the folder is looked through.
t.test(
  'accounts are made, listed, changed and removed beside the running server; check finds nothing',
  { buffered: false },
  async t => {
    const { pl, tell, url, env } = await adaAtWork(t);
    const without = { env: Object.fromEntries(Object.entries(env).filter(([key]) => key !== 'PARTYLINE_PASSWORD')) };
    const asBob = (secret: string) =>
      run(process.execPath, [cli, 'ls', '--password-stdin', url.replace('ada', 'bob')], { ...without, input: secret });
    t.equal((await tell('one', 'user', 'add', 'bob', '--admin', '--password-stdin')).code, 0);
    t.equal((await asBob('one')).code, 0);
    t.match(String((await tell('two', 'user', 'add', 'bob', '--password-stdin')).stdout), /bob has a new password/);
    t.match(await asBob('one'), { code: 77, stderr: /^partyline: / });
    t.match(String((await pl('user', 'list')).stdout), /^ada since \S+\nbob \(administrator\) since \S+\n$/);
    const minted = String((await tell('two', 'token', 'make', url.replace('ada', 'bob'), '--password-stdin')).stdout);
    const asToken = { env: { ...env, PARTYLINE_TOKEN: /^token +(\S+)$/m.exec(minted)![1]! } };
    t.equal((await run(process.execPath, [cli, 'ls', url], asToken)).code, 0);
    t.equal((await pl('user', 'remove', 'bob')).code, 0);
    t.equal((await tell('three', 'user', 'add', 'bob', '--password-stdin')).code, 0);
    t.equal((await run(process.execPath, [cli, 'ls', url], asToken)).code, 77, 'the next bob is not entered by it');
    t.equal((await pl('user', 'remove', 'bob')).code, 0);
    t.match(await pl('user', 'remove', 'bob'), { code: 66, stderr: 'partyline: there is no account bob\n' });
    t.match(await run(process.execPath, [cli, 'ls', url], without), { code: 77, stderr: /ada is an account/ });
    t.match(String((await pl('check')).stdout), /; 0 problems\n$/);
  },
);

t.test('what is wrong is said in words, with the exit code of the one table', async t => {
  const env = cleanEnv({ XDG_CONFIG_HOME: await tempDir(t), PARTYLINE_LINE_PORT: '9999' });
  const pl = (...args: readonly string[]) => run(process.execPath, [cli, ...args], { env });
  const cases: readonly (readonly [args: readonly string[], code: number, line: RegExp])[] = [
    [['dance'], 64, /^partyline: unknown command 'dance'/],
    [['get', '--parallel', '0', 'pl://127.0.0.1:1/x'], 64, /^partyline: --parallel 0: say 1 to 99/],
    [['put', 'x'], 64, /^partyline: say what to send and where to/],
    [['user', 'add'], 64, /^partyline: missing required argument 'name'/],
    [['ls', 'pl://ada:secret@den/'], 64, /^partyline: no password in an address/],
    [['ls', 'pl://127.0.0.1:1/'], 69, /^partyline: nobody listens there/],
    [['serve', '--line-prt', '1'], 64, /^partyline: there is no setting --line-prt; did you mean line-port/],
  ];
  const results = await Promise.all(cases.map(([args]) => pl(...args)));
  for (const [n, [args, code, line]] of cases.entries()) {
    const result = results[n]!;
    t.match(result.stderr, line);
    t.equal(result.code, code, args.join(' '));
    t.notMatch(result.stderr, /^ +at /m, 'no stack');
  }
  t.match(String((await pl('config', 'print')).stdout), /^line-port +9999 +environment$/m);
  t.match(String((await pl('serve', '--help')).stdout), /--line-port +line protocol/);
});
