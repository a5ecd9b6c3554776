/** The library through what goes wrong: cuts in the middle of files, loops that are left, rooms that are gone, strange certificates. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import {
  type Change,
  type ConnectOptions,
  connect,
  guest,
  type Hub,
  type Progress,
  password,
} from '../../client/index.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { addAccount, startServer } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { cleanEnv, run } from '../support/tools.ts';

t.setTimeout(120_000);
t.jobs = 3;
const server = await startServer(t);
await addAccount(server, 'ada', 'secret');

async function enter(t: Test, port = server.ports.line, options: ConnectOptions = {}): Promise<Hub> {
  const reconnect = { minMs: 5, maxMs: 50 };
  const hub = await connect(`pl://ada@127.0.0.1:${port}`, { auth: password('secret'), reconnect, ...options });
  t.teardown(() => hub.destroy());
  return hub;
}

const hashOf = (octets: Uint8Array) => createHash('sha256').update(octets).digest('hex');

t.test('one put and one get bring a file through any number of cuts, and say where they went on', async t => {
  const folder = await tempDir(t);
  const proxy = await startFaultProxy(t, server.ports.line);
  const hub = await enter(t, proxy.port);
  const content = randomBytes(40 << 20);
  await writeFile(join(folder, 'big'), content);

  // Pieces are made safe every 16 MiB; a cut behind that is one that can be gone on from.
  let cuts = 0;
  let known = 0;
  const resumed = new Set<number>();
  const onProgress = ({ phase, octets, resumedFrom }: Progress) => {
    if (phase !== 'send' && phase !== 'receive') return;
    if (resumedFrom > 0) resumed.add(resumedFrom);
    // What was on its way is still counted behind a cut: only a connection that came since is worth cutting.
    if (octets > (cuts + 1) * (10 << 20) && cuts < 3 && proxy.accepted > known) {
      known = proxy.accepted;
      cuts++;
      proxy.cutAll(cuts % 2 === 0 ? 'fin' : 'rst');
    }
  };
  const { sent } = await hub.put(join(folder, 'big'), '/lobby/cut', { onProgress });
  t.equal(cuts, 3);
  t.equal(sent[0]?.hash, `sha256:${hashOf(content)}`);
  t.ok(resumed.size > 0, 'the upload went on where a cut left it');

  cuts = 0;
  resumed.clear();
  const before = proxy.octets.toClient;
  await hub.get('/lobby/cut', join(folder, 'back'), { onProgress });
  t.equal(cuts, 3);
  t.equal(hashOf(await readFile(join(folder, 'back'))), hashOf(content));
  t.ok(resumed.size > 0, 'the download went on where a cut left it');
  t.ok(proxy.octets.toClient - before < 1.5 * content.length, 'what had arrived was not sent again');
  t.same((await readdir(folder)).sort(), ['back', 'big'], 'no part and no journal is left');
  await hub.finish();
});

t.test('many small files and a stream come through cuts whole', async t => {
  const folder = await tempDir(t);
  const proxy = await startFaultProxy(t, server.ports.line);
  const hub = await enter(t, proxy.port);
  const source = join(folder, 'many');
  await mkdir(source);
  for (let n = 0; n < 300; n++) await writeFile(join(source, `file ${n}`), `content ${n}\n`.repeat(n));
  let done = 0;
  const onProgress = ({ phase }: Progress) => {
    if (phase === 'done' && ++done % 100 === 50) proxy.cutAll('rst');
  };
  await hub.put(source, '/lobby/', { recursive: true, onProgress });
  t.equal(done, 300);
  await hub.get('/lobby/many', `${folder}/back/`, { recursive: true });
  const { code, stdout } = await run('diff', ['-r', source, join(folder, 'back/many')]);
  t.equal(code, 0, stdout.toString());

  const content = randomBytes(6 << 20);
  const writing = hub.createWriteStream('/lobby/streamed');
  for (let at = 0; at < content.length; at += 1 << 20) {
    if (at === 2 << 20) proxy.cutAll('rst');
    if (!writing.write(content.subarray(at, at + (1 << 20)))) await once(writing, 'drain');
  }
  writing.end();
  await once(writing, 'close');
  const parts: Buffer[] = [];
  for await (const part of hub.createReadStream('/lobby/streamed')) {
    parts.push(part as Buffer);
    if (parts.length === 5) proxy.cutAll('fin');
  }
  t.equal(hashOf(Buffer.concat(parts)), hashOf(content));
  await hub.finish();
});

t.test('requests may be made while rows are read, and a loop that is left leaves the connection usable', async t => {
  const hub = await enter(t);
  await hub.request('MKDIR', { path: '/lobby/rows' });
  const paths = Array.from({ length: 700 }, (_, n) => `/lobby/rows/${n}`);
  await Promise.all(paths.map(path => hub.request('PUT', { path }, { blob: Buffer.from('x') })));
  let count = 0;
  for await (const { fields } of hub.rows('LS', { path: '/lobby/rows' })) {
    if (count++ % 100 === 0) t.match(await hub.request('STAT', { path: `/lobby/rows/${fields['name']}` }), { size: 1 });
  }
  t.equal(count, 700);
  for await (const row of hub.rows('LS', { path: '/lobby/rows' })) {
    t.equal(row.name, 'LS');
    break;
  }
  t.same(await hub.request('PING', { token: 'here' }), { token: 'here' });
  await t.rejects(
    async () => {
      for await (const row of hub.rows('LS', { path: '/lobby/nothing' })) t.fail(String(row.name));
    },
    { code: 'no-file' },
  );
  await hub.finish();
});

t.test('the changes of a connection are told to the last one', async t => {
  const proxy = await startFaultProxy(t, server.ports.line);
  const hub = await enter(t, proxy.port);
  const kinds: Change['kind'][] = [];
  const watching = (async () => {
    for await (const { kind } of hub.status()) {
      kinds.push(kind);
      if (kind === 'up') await hub.finish();
    }
  })();
  await hub.request('PING', {});
  proxy.cutAll('rst');
  await watching;
  t.same([kinds[0], ...kinds.slice(-3)], ['down', 'up', 'bye', 'closed']);
  t.equal(hub.state, 'closed');
});

t.test('a gap that was never sent is filled from history, also over a cut', async t => {
  const proxy = await startFaultProxy(t, server.ports.line);
  const speaker = await enter(t);
  await speaker.request('CREATE', { room: 'long' });
  const says = Array.from({ length: 1_200 }, (_, n) => speaker.request('SAY', { room: 'long', text: `n${n}` }));
  await Promise.all(says);
  const hearer = await enter(t, proxy.port);
  const room = await hearer.join('LONG', { after: 0 });
  const seqs: number[] = [];
  for await (const event of room) {
    if (!('seq' in event)) continue;
    seqs.push(event.seq);
    // Behind 500 replayed ones the rest was named as a GAP.
    if (event.seq === 600) proxy.cutAll('rst');
    if (event.seq === 1_100) await speaker.request('SAY', { room: 'long', text: 'live' });
    if (event.seq === 1_201) break;
  }
  t.same(
    seqs,
    Array.from({ length: 1_201 }, (_, n) => n + 1),
  );
  await Promise.all([hearer.finish(), speaker.finish()]);
});

t.test('what will not come back is told: a lost connection without reconnect, a refused secret', async t => {
  const proxy = await startFaultProxy(t, server.ports.line);
  const hub = await enter(t, proxy.port, { reconnect: false });
  const room = await hub.join('lobby');
  const reading = (async () => {
    for await (const event of room) void event;
  })();
  proxy.cutAll('fin');
  await t.rejects(reading, { name: 'TruncatedError' });
  t.equal(hub.state, 'closed');
  await t.rejects(enter(t, server.ports.line, { auth: password('wrong') }), { code: 'auth-failed' });
});

t.test('a room that is gone does not keep the session from coming back, and its reader is told', async t => {
  const own = await startServer(t);
  await addAccount(own, 'ada', 'secret');
  const ada = await enter(t, own.ports.line, { reconnect: false });
  await ada.request('CREATE', { room: 'den' });
  const eve = await enter(t, own.ports.line, { auth: guest('eve') });
  const [lobby, den] = [await eve.join('lobby', { after: 0 }), await eve.join('den')];
  await eve.request('SAY', { room: 'lobby', text: 'before' });
  await own.kill();
  for (const name of await readdir(own.dataDir)) await rm(join(own.dataDir, name), { recursive: true });
  await own.restart();
  await t.rejects(
    async () => {
      for await (const event of den) void event;
    },
    { code: 'no-room' },
  );
  await lobby.say('after');
  const texts: string[] = [];
  for await (const event of lobby) if (event.event === 'MSG' && texts.push(event.text) === 2) break;
  t.same(texts, ['before', 'after']);
  await eve.finish();
});

t.test('a request waits for a connection, and the process with it', async t => {
  const program = `
    import { createServer } from 'node:net';
    import { connect } from ${JSON.stringify(new URL('../../client/index.js', import.meta.url).href)};
    const hub = await connect('pl://bo@127.0.0.1:${server.ports.line}', { reconnect: { minMs: 200, maxMs: 200 } });
    hub.status().next();
    // Stands for a lost connection in a process that has nothing else to do.
    const handles = process._getActiveHandles().filter(handle => handle.remotePort === ${server.ports.line});
    for (const handle of handles) handle.destroy();
    const { token } = await hub.request('PING', { token: 'later' });
    console.log(token);
    await hub.finish();
  `;
  const { code, stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', program]);
  t.same({ code, stdout: stdout.toString(), stderr }, { code: 0, stdout: 'later\n', stderr: '' });
});

t.test('sync --delete takes away what is gone, and nothing that is ignored', async t => {
  const folder = await tempDir(t);
  const hub = await enter(t);
  const put = (path: string) => hub.request('PUT', { path, parents: true }, { blob: Buffer.from(path) });
  for (const name of ['build/theirs', 'old/a', 'old/keep.log', 'gone/x', 'gone/y/z', 'turned/inner'])
    await put(`/lobby/site/${name}`);
  await writeFile(join(folder, '.plignore'), 'build/\n*.log\n');
  await writeFile(join(folder, 'index'), 'hello');
  await writeFile(join(folder, 'turned'), 'a file now');
  const plan = await hub.sync(folder, '/lobby/site', { delete: true, dryRun: true });
  t.same([...plan.removed].sort(), ['/lobby/site/gone', '/lobby/site/old/a', '/lobby/site/turned']);
  const summary = await hub.sync(folder, '/lobby/site', { delete: true });
  t.same(summary.removed, plan.removed);
  await hub.request('STAT', { path: '/lobby/site/build/theirs' });
  await hub.request('STAT', { path: '/lobby/site/old/keep.log' });
  t.match(await hub.request('STAT', { path: '/lobby/site/turned' }), { type: 'file' });
  await t.rejects(hub.request('STAT', { path: '/lobby/site/gone' }), { code: 'no-file' });
  t.match(await hub.sync(folder, '/lobby/site', { delete: true, dryRun: true }), { planned: [], removed: [], same: 3 });
  await hub.finish();
});

t.test('names of the greatest length come back, and progress has a rate', async t => {
  const folder = await tempDir(t);
  const hub = await enter(t);
  const name = 'n'.repeat(255);
  await writeFile(join(folder, name), randomBytes(3 << 20));
  const seen: Progress[] = [];
  await hub.put(join(folder, name), '/lobby/', { onProgress: progress => void seen.push(progress) });
  await hub.get(`/lobby/${name}`, `${folder}/back/`);
  t.same(await readdir(join(folder, 'back')), [name]);
  const last = seen.at(-1)!;
  t.match(last, { phase: 'done', octets: 3 << 20, total: 3 << 20, etaMs: 0 });
  t.ok(last.octetsPerSecond > 0);
  await hub.finish();
});

t.test('the certificate that was seen first is the one that is trusted, also for further connections', async t => {
  const folder = await tempDir(t);
  const knownHubs = join(folder, 'config/known-hubs.json');
  const address = `pls://ada@127.0.0.1:${server.ports['line-tls']}`;
  const secure = () => connect(address, { auth: password('secret'), reconnect: false, knownHubs });
  const hub = await secure();
  await writeFile(join(folder, 'f'), randomBytes(100_000));
  await hub.put(join(folder, 'f'), '/lobby/over-tls');
  t.match(await hub.request('WHOAMI', {}), { secure: true });
  await t.rejects(connect(address, { tls: false }), { code: 'bad-argument' });
  await t.rejects(connect(address.replace('pls', 'pl'), { tls: true }), { code: 'tls-required' });
  await hub.finish();
  const known = JSON.parse(await readFile(knownHubs, 'utf8')) as Record<string, string>;
  t.same(Object.keys(known), [`127.0.0.1:${server.ports['line-tls']}`]);
  await writeFile(knownHubs, JSON.stringify({ ...known, [Object.keys(known)[0]!]: 'AA:BB' }));
  await t.rejects(secure(), { code: 'tls-required' });
  await writeFile(knownHubs, '{ half');
  await t.rejects(secure(), { code: 'bad-argument' }, 'a file that cannot be read trusts nobody');
});

t.test('an address where nobody listens is an error of its own, over TLS too', async t => {
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address() as AddressInfo;
  free.close();
  await once(free, 'close');
  for (const scheme of ['pl', 'pls'])
    await t.rejects(connect(`${scheme}://eve@127.0.0.1:${port}`, { reconnect: false }), { code: 'ECONNREFUSED' });
  const silent = createServer(socket => void socket.end('220 some FTP server\r\n')).listen(0, '127.0.0.1');
  t.teardown(() => void silent.close());
  await once(silent, 'listening');
  const { port: other } = silent.address() as AddressInfo;
  await t.rejects(connect(`pl://eve@127.0.0.1:${other}`), /is this a partyline port/);
  await t.rejects(connect('pl://eve@h:99999'), { code: 'bad-argument' });
  await t.rejects(connect('pl://%zz@h'), { code: 'bad-argument' });
});

t.test('every example of the guide runs and prints what it says', async t => {
  const guide = await readFile(fileURLToPath(new URL('../../../docs/guide/library.md', import.meta.url)), 'utf8');
  const blocks = [...guide.matchAll(/```ts\n(.*?)```/gs)].map(([, block]) => block!);
  t.ok(blocks.length >= 6, `${blocks.length} examples`);
  const library = new URL('../../client/index.js', import.meta.url).href;
  const example = async (block: string) => {
    const folder = await tempDir(t);
    await mkdir(join(folder, 'site'));
    await writeFile(join(folder, 'site/index.html'), '<p>hello</p>\n');
    await writeFile(join(folder, 'big.iso'), randomBytes(2 << 20));
    const program = block
      .replace("from 'partyline'", `from ${JSON.stringify(library)}`)
      .replaceAll('@localhost', `@127.0.0.1:${server.ports.line}`);
    await writeFile(join(folder, 'example.mjs'), program);
    const { code, stdout, stderr } = await run(
      'sh',
      ['-c', `cd "$1" && exec "$2" example.mjs`, 'sh', folder, process.execPath],
      {
        env: cleanEnv({ PARTYLINE_PASSWORD: 'secret' }),
      },
    );
    const expected = [...block.matchAll(/\/\/ prints (.*)/g)].map(([, line]) => `${line}\n`).join('');
    t.same({ code, stdout: stdout.toString(), stderr }, { code: 0, stdout: expected, stderr: '' }, block);
  };
  await Promise.all(blocks.map(example));
});
