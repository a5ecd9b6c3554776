/** The library against the real server: talk that survives cuts, the graceful end, cancelling, trees and streams. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import t, { type Test } from 'tap';
import { connect, guest, type Hub, parseAddress, password, TruncatedError } from '../client/index.ts';
import { startFaultProxy } from './support/fault-proxy.ts';
import { addAccount, startServer } from './support/server-process.ts';
import { tempDir } from './support/temp-dir.ts';
import { run } from './support/tools.ts';

t.setTimeout(120_000);
// One server and one account for all, and a room of its own for who counts what is said.
const server = await startServer(t);
await addAccount(server, 'ada', 'secret');
t.jobs = 2;

/** The library is the same on both. */
const wires = [
  { wire: 'line', scheme: 'pl', door: server.ports.line, verse: '' },
  { wire: 'web', scheme: 'ws', door: server.ports.http, verse: ' by WebSocket' },
] as const;

async function enter(t: Test, port: number, auth = password('secret'), scheme = 'pl'): Promise<Hub> {
  const hub = await connect(`${scheme}://ada@127.0.0.1:${port}`, { auth, reconnect: { minMs: 5, maxMs: 50 } });
  t.teardown(() => hub.destroy());
  return hub;
}

t.test('addresses are read, and what is not one says how one looks', async t => {
  t.same(parseAddress('pl://ada@den/lobby/a b'), {
    host: 'den',
    port: 7070,
    secure: false,
    user: 'ada',
    path: '/lobby/a b',
  });
  t.same(parseAddress('pls://[::1]:9'), { host: '::1', port: 9, secure: true, path: '/' });
  t.match(
    parseAddress('den:/lobby/', name => (name === 'den' ? 'pl://10.0.0.5' : undefined)),
    { host: '10.0.0.5', path: '/lobby/' },
  );
  t.throws(() => parseAddress('pl://ada:secret@den'), /no password in an address/);
  t.throws(() => parseAddress('den:/x'), /not a saved hub/);
});

for (const { wire, scheme, door, verse } of wires) {
  t.test(`every message is heard exactly once and in order, however often the connection is cut${verse}`, async t => {
    const proxy = await startFaultProxy(t, door);
    const [speaker, hearer] = [
      await enter(t, proxy.port, undefined, scheme),
      await enter(t, proxy.port, guest(`eve-${wire}`), scheme),
    ];
    await speaker.request('CREATE', { room: `cuts-${wire}` });
    const heard = await hearer.join(`cuts-${wire}`, { after: 0 });
    const room = await speaker.join(`cuts-${wire}`);
    const count = 300;
    const speaking = (async () => {
      for (let n = 0; n < count; n++) {
        if (n % 60 === 30) proxy.cutAll(n % 120 === 30 ? 'rst' : 'fin');
        await room.say(`message ${n}`);
      }
    })();
    const texts: string[] = [];
    const seqs: number[] = [];
    for await (const event of heard) {
      if (event.event !== 'MSG') continue;
      texts.push(event.text);
      seqs.push(event.seq);
      if (texts.length === count) break;
    }
    await speaking;
    t.same(
      texts,
      Array.from({ length: count }, (_, n) => `message ${n}`),
    );
    t.same(
      seqs,
      Array.from({ length: count }, (_, n) => n + 1),
    );
  });
}

for (const { wire, scheme, door, verse } of wires) {
  t.test(`a transcript is fetched and streamed like a file, and again when it has grown${verse}`, async t => {
    const hub = await enter(t, door, undefined, scheme);
    await hub.request('CREATE', { room: `told-${wire}` });
    const room = await hub.join(`told-${wire}`);
    const path = `/told-${wire}/.chat/all.jsonl`;
    const local = join(await tempDir(t), 'all.jsonl');
    for (const text of ['one', 'two']) {
      await room.say(text);
      await hub.get(path, local);
      const fetched = await readFile(local, 'utf8');
      t.equal(JSON.parse(fetched.trimEnd().split('\n').at(-1)!).text, text);
      const streamed: Buffer[] = [];
      for await (const piece of hub.createReadStream(path, { start: 10 })) streamed.push(piece);
      t.equal(Buffer.concat(streamed).toString(), fetched.slice(10));
    }
  });
}

t.test('finish resolves after every reply, BYE and the peer’s FIN', async t => {
  const hub = await enter(t, server.ports.line);
  const pings = Array.from({ length: 1_000 }, (_, n) => hub.request('PING', { token: `t${n}` }));
  const finished = hub.finish();
  t.equal(hub.state, 'half-closed');
  t.same((await Promise.all(pings)).at(-1), { token: 't999' });
  await finished;
  t.equal(hub.state, 'closed');
  await t.rejects(hub.request('PING', {}), { name: 'OfflineError' });
});

t.test('an end without BYE is told as such', async t => {
  const proxy = await startFaultProxy(t, server.ports.line);
  const hub = await connect(`pl://bo@127.0.0.1:${proxy.port}`, { reconnect: false });
  proxy.set('toClient', { isFrozen: true });
  const answer = hub.request('PING', {});
  proxy.cutAll('fin');
  await t.rejects(answer, TruncatedError);
});

for (const { wire, scheme, door, verse } of wires) {
  t.test(`a request that is given up leaves the connection usable${verse}`, async t => {
    const hub = await enter(t, door, undefined, scheme);
    const stop = new AbortController();
    const waiting = hub.request('HISTORY', { room: 'lobby' }, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await t.rejects(waiting, /enough/);
    t.match(await hub.request('WHOAMI', {}), { user: 'ada', wire });
    await t.rejects(hub.request('SAY', { room: 'nowhere', text: 'x' }), {
      code: 'no-room',
      class: 'permanent',
      verb: 'SAY',
    });
    await hub.finish();
  });
}

for (const { wire, scheme, door, verse } of wires) {
  t.test(
    `a tree goes up and comes back the same, with odd names, and only what changed goes again${verse}`,
    async t => {
      const folder = await tempDir(t);
      const source = join(folder, 'site');
      const names = [
        'plain.txt',
        'with space',
        '"quoted" \\back',
        '#hash {5} :colon',
        '中文.txt',
        'family 👨‍👩‍👧.txt',
        'key=value',
        '-dash',
        'empty',
      ];
      await mkdir(join(source, 'sub/deeper/empty folder'), { recursive: true });
      for (const name of names) await writeFile(join(source, 'sub', name), name === 'empty' ? '' : randomBytes(2_000));
      await writeFile(join(source, 'large'), randomBytes(3_000_000));
      await symlink('..', join(source, 'sub/up'));
      const hub = await enter(t, door, undefined, scheme);
      await hub.request('MKDIR', { path: `/lobby/${wire}` });
      t.match(await hub.put(source, `/lobby/${wire}/`, { recursive: true }), { files: names.length + 1, same: 0 });
      await hub.get(`/lobby/${wire}/site`, `${folder}/back/`, { recursive: true });
      const diff = await run('diff', ['-r', '--exclude=up', source, join(folder, 'back/site')]);
      t.equal(diff.stdout.toString() + diff.stderr, '');
      t.match(await hub.put(source, `/lobby/${wire}/`, { recursive: true }), { files: 0, same: names.length + 1 });
      await writeFile(join(source, 'sub/plain.txt'), 'changed');
      await utimes(join(source, 'sub/plain.txt'), 1, 1);
      const plan = await hub.sync(source, `/lobby/${wire}/site`, { dryRun: true });
      t.same(plan.planned, [`/lobby/${wire}/site/sub/plain.txt`]);
      await hub.request('PUT', { path: `/lobby/${wire}/site/extra` }, { blob: Buffer.from('x') });
      t.match(await hub.sync(source, `/lobby/${wire}/site`, { delete: true }), {
        files: 1,
        removed: [`/lobby/${wire}/site/extra`],
      });
      await hub.finish();
    },
  );
}

t.test('an upload whose file changed between two attempts is sent anew', async t => {
  const folder = await tempDir(t);
  const file = join(folder, 'f');
  const [old, now] = [randomBytes(2_500_000), randomBytes(2_500_000)];
  const hub = await enter(t, server.ports.line);
  const { upload } = await hub.request('PUT', { path: '/lobby/f', size: old.length });
  await hub.request('CHUNK', { upload: upload!, offset: 0 }, { blob: old.subarray(0, 1_048_576) });
  await writeFile(file, now);
  const { sent } = await hub.put(file, '/lobby/f');
  t.equal(sent[0]?.hash, `sha256:${createHash('sha256').update(now).digest('hex')}`);
  await hub.finish();
});

for (const { scheme, door, verse } of wires) {
  t.test(`streams read a range, and write a file that is seen when they have closed${verse}`, async t => {
    const folder = await tempDir(t);
    const content = randomBytes(1_500_000);
    const hub = await enter(t, door, undefined, scheme);
    await pipeline([content], hub.createWriteStream('/lobby/streamed'));
    t.match(await hub.request('STAT', { path: '/lobby/streamed' }), { size: content.length });
    const parts: Buffer[] = [];
    for await (const part of hub.createReadStream('/lobby/streamed', { start: 10, end: 700_000 }))
      parts.push(part as Buffer);
    t.ok(Buffer.concat(parts).equals(content.subarray(10, 700_001)));
    await hub.get('/lobby/streamed', join(folder, 'here'));
    t.ok((await readFile(join(folder, 'here'))).equals(content));
    await hub.finish();
  });
}
