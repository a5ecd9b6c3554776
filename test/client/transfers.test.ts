/** The library's files on their way: one file over several connections, what an earlier process left, rates, and what stays out. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ignoredBy } from '../../client/filters.ts';
import { connect, type Hub, type Progress, password } from '../../client/index.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { addAccount, startServer } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';

t.setTimeout(120_000);
const MIB = 1 << 20;
const server = await startServer(t);
await addAccount(server, 'ada', 'secret');

async function enter(t: Test, port = server.ports.line): Promise<Hub> {
  const reconnect = { minMs: 5, maxMs: 50 };
  const hub = await connect(`pl://ada@127.0.0.1:${port}`, { auth: password('secret'), reconnect });
  t.teardown(() => hub.destroy());
  return hub;
}

const hashOf = (octets: Uint8Array) => createHash('sha256').update(octets).digest('hex');

/** A get that is given up behind `octets`, as by another process; resolves with where its part lies. */
async function getSome(t: Test, remote: string, folder: string, octets: number, parallel = 1) {
  const hub = await enter(t);
  const stop = new AbortController();
  const onProgress = (progress: Progress) => {
    if (progress.octets >= octets) stop.abort(new Error('enough'));
  };
  // So slow that it cannot be whole before it is given up.
  const options = { onProgress, parallel, signal: stop.signal, bytesPerSecond: 40 * MIB };
  const got = hub.get(remote, `${folder}/`, options);
  await t.rejects(got, /enough/);
  hub.destroy();
  return join(folder, `.${remote.split('/').at(-1)}.plpart`);
}

async function turnOctet(path: string, position: number): Promise<void> {
  const file = await open(path, 'r+');
  const octet = Buffer.alloc(1);
  await file.read(octet, 0, 1, position);
  octet[0]! ^= 1;
  await file.write(octet, 0, 1, position);
  await file.close();
}

/** Gets the rest; resolves with what came over the wire, and what was there before. */
async function getRest(hub: Hub, proxy: FaultProxy, remote: string, folder: string) {
  const before = proxy.octets.toClient;
  const { sent } = await hub.get(remote, `${folder}/`);
  return { came: proxy.octets.toClient - before, resumedFrom: sent[0]!.resumedFrom };
}

t.test('several connections carry one large file, up and down, through cuts too', async t => {
  const folder = await tempDir(t);
  const proxy = await startFaultProxy(t, server.ports.line);
  const hub = await enter(t, proxy.port);
  const content = randomBytes(24 * MIB + 4_321);
  await writeFile(join(folder, 'big'), content);
  // Slow enough that the first connection cannot be through before the others have come.
  for (const way of ['toServer', 'toClient'] as const) proxy.set(way, { octetsPerSecond: 50_000_000 });
  await hub.put(join(folder, 'big'), '/lobby/several', { parallel: 3 });
  t.equal(proxy.accepted, 4, 'one for talk, three for the file');
  t.match(await hub.request('STAT', { path: '/lobby/several' }), { hash: `sha256:${hashOf(content)}` });

  let cuts = 0;
  const onProgress = ({ octets }: Progress) => {
    if (octets > (cuts + 1) * 8 * MIB && cuts < 2) proxy.cutAll(++cuts === 1 ? 'rst' : 'fin');
  };
  const accepted = proxy.accepted;
  const before = proxy.octets.toClient;
  await hub.get('/lobby/several', join(folder, 'back'), { parallel: 3, onProgress });
  t.equal(cuts, 2);
  t.ok(proxy.accepted >= accepted + 2 * 2, 'for talk and for the file, they came again after each cut');
  t.ok(proxy.octets.toClient - before < 1.5 * content.length, 'what had arrived was not sent again');
  t.equal(hashOf(await readFile(join(folder, 'back'))), hashOf(content));
  t.same((await readdir(folder)).sort(), ['back', 'big'], 'no part and no journal is left');
  await hub.finish();
});

t.test('of what an earlier process left, only a piece that is damaged is fetched again', async t => {
  const folder = await tempDir(t);
  const proxy = await startFaultProxy(t, server.ports.line);
  const hub = await enter(t, proxy.port);
  const content = randomBytes(20 * MIB + 1_234);
  await writeFile(join(folder, 'source'), content);
  await hub.put(join(folder, 'source'), '/lobby/damaged');
  const slack = 200_000;
  const rest = (resumedFrom: number) => content.length - resumedFrom;
  const isRight = async () => {
    t.equal(hashOf(await readFile(join(folder, 'damaged'))), hashOf(content));
    await rm(join(folder, 'damaged'));
  };

  const part = await getSome(t, '/lobby/damaged', folder, 12 * MIB);
  await turnOctet(part, 5 * MIB + 77);
  const mended = await getRest(hub, proxy, '/lobby/damaged', folder);
  t.ok(mended.resumedFrom >= 8 * MIB, `went on from ${mended.resumedFrom}`);
  t.ok(mended.came > rest(mended.resumedFrom) + MIB, 'the damaged piece came again');
  t.ok(mended.came < rest(mended.resumedFrom) + MIB + slack, 'and nothing else');
  await isRight();

  await getSome(t, '/lobby/damaged', folder, 12 * MIB);
  await truncate(part, 3 * MIB + 5);
  const shorter = await getRest(hub, proxy, '/lobby/damaged', folder);
  t.ok(shorter.came < rest(3 * MIB) + slack, 'what was cut off came again');
  await isRight();

  await getSome(t, '/lobby/damaged', folder, 12 * MIB, 3);
  const lines = (await readFile(`${part}.json`, 'utf8')).split('\n');
  t.ok(lines.length > 3, 'the journal has digests');
  await writeFile(`${part}.json`, [lines[0], lines[2], ...lines.slice(2)].join('\n'));
  await hub.get('/lobby/damaged', `${folder}/`);
  await isRight();
  await hub.finish();
});

t.test('a part belongs to one content', async t => {
  const folder = await tempDir(t);
  const hub = await enter(t);
  const [old, now] = [randomBytes(6 * MIB), randomBytes(6 * MIB)];
  await writeFile(join(folder, 'source'), old);
  await hub.put(join(folder, 'source'), '/lobby/changing');
  await getSome(t, '/lobby/changing', folder, 3 * MIB);
  await writeFile(join(folder, 'source'), now);
  await hub.put(join(folder, 'source'), '/lobby/changing', { force: true });
  const { sent } = await hub.get('/lobby/changing', `${folder}/`);
  t.match(sent[0], { resumedFrom: 0, hash: `sha256:${hashOf(now)}` });
  t.equal(hashOf(await readFile(join(folder, 'changing'))), hashOf(now));
  await hub.finish();
});

t.test('what a filter names stays out, both ways, and the first pattern that matches decides', async t => {
  const folder = await tempDir(t);
  const hub = await enter(t);
  const source = join(folder, 'album');
  await mkdir(join(source, 'raw/old'), { recursive: true });
  for (const name of ['a.jpg', 'b.txt', 'raw/c.jpg', 'raw/d.tmp', 'raw/old/e.jpg'])
    await writeFile(join(source, name), randomBytes(300_000));
  const only = await ignoredBy([
    { keeps: false, pattern: 'old/' },
    { keeps: true, pattern: '*.jpg' },
  ]);
  const { sent } = await hub.put(source, '/lobby/', { recursive: true, isIgnored: only });
  t.same(sent.map(({ path }) => path).sort(), ['/lobby/album/a.jpg', '/lobby/album/raw/c.jpg']);
  await hub.put(source, '/lobby/all/', { recursive: true });
  const but = await ignoredBy([
    { keeps: true, pattern: 'raw/d.tmp' },
    { keeps: false, pattern: 'raw/' },
  ]);
  const got = await hub.get('/lobby/all/album', `${folder}/back/`, { recursive: true, isIgnored: but });
  t.same(
    got.sent.map(({ path }) => path),
    ['/lobby/all/album/raw/d.tmp'],
    'what is named first is kept, and with an include only what is named',
  );
  await hub.finish();
});

t.test('a rate is one for all that a call sends or fetches', async t => {
  const folder = await tempDir(t);
  const hub = await enter(t);
  const source = join(folder, 'paced');
  await mkdir(source);
  for (const name of ['a', 'b', 'c']) await writeFile(join(source, name), randomBytes(500_000));
  const options = { recursive: true, bytesPerSecond: 2_000_000 };
  const ways = [() => hub.put(source, '/lobby/', options), () => hub.get('/lobby/paced', `${folder}/back/`, options)];
  for (const way of ways) {
    const began = performance.now();
    t.match(await way(), { files: 3 });
    // The last piece is not waited for; nothing but waiting can make it longer.
    t.ok(performance.now() - began >= 450, `${performance.now() - began} ms`);
  }
  await hub.finish();
});

t.test('of a changed file only what differs is sent, through a cut too, and of a known content nothing', async t => {
  const folder = await tempDir(t);
  const proxy = await startFaultProxy(t, server.ports.line);
  const hub = await enter(t, proxy.port);
  const local = join(folder, 'image');
  const content = randomBytes(24 * MIB + 777);
  const send = async (remote: string, options: object = {}) => {
    await writeFile(local, content);
    const before = proxy.octets.toServer;
    const { kept } = await hub.put(local, remote, { delta: true, force: true, ...options });
    const { hash } = await hub.request('STAT', { path: remote });
    t.equal(hash, `sha256:${hashOf(content)}`);
    return { kept, came: proxy.octets.toServer - before };
  };
  t.match(await send('/~ada/image'), { kept: 0 }, 'nothing is there');
  content.fill(7, 5 * MIB, 5 * MIB + 10);
  // A piece that moved is found where it was.
  content.copyWithin(0, 20 * MIB, 21 * MIB);
  const changed = await send('/~ada/image');
  t.ok(changed.came < MIB, `${changed.came} octets came`);
  t.equal(changed.kept, content.length - (MIB >> 2));
  t.match(await send('/lobby/known'), { kept: content.length }, 'a content that is there under another name');

  content.fill(8, 2 * MIB, 14 * MIB);
  let cuts = 0;
  const onProgress = ({ phase, octets }: Progress) => {
    if (phase === 'send' && octets > 20 * MIB && cuts === 0) proxy.cutAll(++cuts === 1 ? 'rst' : 'fin');
  };
  const cut = await send('/~ada/image', { onProgress, bytesPerSecond: 40 * MIB });
  t.equal(cuts, 1);
  t.ok(cut.came < 20 * MIB, `${cut.came} octets came`);
  content.fill(9, 0, 1);
  t.match(await send('/~ada/other'), { kept: 0 }, 'nothing stands where it goes');
  await hub.finish();
});
