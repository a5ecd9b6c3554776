/** What only a store on disk can do: outlive its process, keep others out, notice damage, and survive a full disk. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Test, t } from 'tap';
import type { Store } from '../server/hub/host.ts';
import { type CheckReport, checkEmbedded } from '../server/store/embedded/check.ts';
import { openDatabase } from '../server/store/embedded/database.ts';
import { FAULT_POINTS } from '../server/store/embedded/fault-point.ts';
import { blobPath, databasePath, incomingPath } from '../server/store/embedded/folders.ts';
import { createPasswords } from '../server/store/passwords.ts';
import { limits } from '../shared/limits.ts';
import type { FilePath } from '../shared/names.ts';
import { parseQuery } from '../shared/search-query.ts';
import { fileRow, folderRow, message } from './contracts/store-writes.ts';
import { openStore, smallDisk } from './support/embedded.ts';
import { tempDir } from './support/temp-dir.ts';
import { cleanEnv, requireTool, run } from './support/tools.ts';

const child = fileURLToPath(new URL('./support/store-child.js', import.meta.url));

/** The lines that the child says; after `killAt` of them it is killed. */
async function listen(talking: ChildProcess, killAt = Number.POSITIVE_INFINITY): Promise<readonly unknown[]> {
  const said: unknown[] = [];
  for await (const line of createInterface({ input: talking.stdout! })) {
    said.push(JSON.parse(line));
    if (said.length === killAt) talking.kill('SIGKILL');
  }
  if (talking.exitCode === null && talking.signalCode === null) await once(talking, 'exit');
  return said;
}

function start(t: Test, command: string, args: readonly string[]): ChildProcess {
  const started = spawn(command, args, { env: cleanEnv(), stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => started.kill('SIGKILL'));
  return started;
}

const node = (t: Test, ...args: readonly string[]) => start(t, process.execPath, [child, ...args]);

const kinds = ({ problems }: CheckReport) => problems.map(({ kind }) => kind).sort();

t.test('what was committed is there when the folder is opened again', async t => {
  const dataDir = await tempDir(t);
  const first = await openStore(t, dataDir);
  await first.store.commit([message('lobby', 'one'), folderRow('/lobby/d')]);
  await first.store.commit([message('lobby', 'two', { key: 'k', sinceMs: 0 })]);
  const writer = await first.blobs.create();
  await writer.write(0, [Buffer.from('held')]);
  await writer.sync();
  await writer.close();
  const lost = await first.blobs.create();
  await lost.write(0, [Buffer.from('sealed, and no file')]);
  await first.store.commit([{ kind: 'put-document', document: 'upload', key: 'u', value: { blob: lost.id } }]);
  await lost.seal(6);
  await first.close();

  const { store, blobs } = await openStore(t, dataDir);
  t.same((await store.commit([message('lobby', 'three')])).seqs, [3], 'numbers go on');
  t.equal((await store.commit([message('lobby', 'two', { key: 'k', sinceMs: 0 })])).repeated, 2);
  t.match(await store.entry('/lobby/d' as FilePath), { type: 'dir' });
  const resumed = await blobs.resume(writer.id);
  await resumed?.write(4, [Buffer.from(' on')]);
  t.equal(await resumed?.seal(7), blobs.hash([Buffer.from('held on')]));
  const unsealed = await blobs.resume(lost.id);
  t.equal(await unsealed?.seal(6), blobs.hash([Buffer.from('sealed')]), 'an upload that died behind its seal goes on');
});

t.test('a second server is refused, a short visit is not', async t => {
  const dataDir = await tempDir(t);
  const { store } = await openStore(t, dataDir);
  await t.rejects(openStore(t, dataDir), { message: dataDir }, 'in this process');
  const other = await run(process.execPath, [child, 'upload', dataDir]);
  t.not(other.code, 0, 'in another process');
  t.match(other.stderr, dataDir, 'the refusal names the folder');

  await store.commit([message('lobby', 'one')]);
  const visit = await openStore(t, dataDir, true);
  const account = { kind: 'put-document', document: 'account', key: 'ada' } as const;
  await visit.store.commit([{ ...account, value: 1, expect: 0 }, message('lobby', 'from outside')]);
  t.same((await store.commit([message('lobby', 'three')])).seqs, [3], 'the server sees what the visitor wrote');
  await t.rejects(store.commit([{ ...account, value: 2, expect: 0 }]), { code: 'conflict' });
  t.equal(await visit.store.head('lobby'), 3, 'and the visitor what the server wrote');
  const both = [store, visit.store].flatMap(one =>
    Array.from({ length: 100 }, (_, n) => one.commit([message('lobby', `${n}`)])),
  );
  const seqs = (await Promise.all(both)).map(receipt => receipt.seqs[0]!);
  t.equal(new Set(seqs).size, 200, 'numbers are given once while both write');
  t.equal(await store.head('lobby'), 203);
});

t.test('a folder of a newer version is refused', async t => {
  const dataDir = await tempDir(t);
  await (await openStore(t, dataDir)).close();
  const database = openDatabase(databasePath(dataDir), 1_000);
  database.exec("UPDATE meta SET value = '99' WHERE key = 'schema'");
  database.close();
  await t.rejects(openStore(t, dataDir), { message: /newer partyline.*schema 99/ });
});

t.test('a folder of the first version is searched and read as if it had always been this one', async t => {
  const dataDir = await tempDir(t);
  const first = await openStore(t, dataDir);
  await first.store.commit(Array.from({ length: 1_500 }, (_, n) => message('lobby', `天气 ${n}`)));
  await first.store.commit([message('den', '天气 of the den')]);
  const transcript = (store: Store) => store.transcript('lobby', 'all.jsonl', 50_000, 70_000);
  const before = await transcript(first.store);
  await first.close();
  const database = openDatabase(databasePath(dataDir), 1_000);
  for (const table of ['search', 'indexed', 'marks']) database.exec(`DROP TABLE ${table}`);
  for (const column of ['said', 'reactions']) database.exec(`ALTER TABLE log DROP COLUMN ${column}`);
  database.exec('DROP INDEX entries_by_hash');
  database.exec('ALTER TABLE entries DROP COLUMN seq');
  database.exec('DROP INDEX entries_by_owner; ALTER TABLE entries DROP COLUMN added');
  database.exec("UPDATE meta SET value = '1' WHERE key = 'schema'");
  database.close();

  const { store } = await openStore(t, dataDir);
  const parsed = parseQuery('天气 1499');
  const found = parsed.kind === 'query' ? await store.search({ rooms: ['lobby'], query: parsed.query, limit: 9 }) : [];
  t.match(found, [{ event: { seq: 1_500, text: '天气 1499' } }]);
  t.same(Buffer.from(await transcript(store)), Buffer.from(before));
  await store.close();
  const marked = openDatabase(databasePath(dataDir), 1_000);
  t.same(marked.prepare('SELECT room, seq FROM indexed ORDER BY room').all([]), [
    ['den', 1],
    ['lobby', 1_500],
  ]);
  marked.close();
});

t.test('keys that nobody repeats any more are forgotten', async t => {
  const dataDir = await tempDir(t);
  const { store } = await openStore(t, dataDir);
  const say = (from: number, to: number, timeMs: number) =>
    Promise.all(
      Array.from({ length: to - from }, (_, i) =>
        store.commit([message('lobby', 'x', { key: `k${from + i}`, sinceMs: timeMs - limits.repeatMs }, timeMs)]),
      ),
    );
  await say(0, 1_000, 1_000);
  await say(1_000, 4_000, 1_000 + 3 * limits.repeatMs);
  const database = openDatabase(databasePath(dataDir), 1_000);
  t.same(database.prepare('SELECT time, count(*) FROM repeats GROUP BY time').all([]), [
    [1_000 + 3 * limits.repeatMs, 3_000],
  ]);
  database.close();
});

t.test('a process that is killed among many commits loses nothing that it acknowledged', async t => {
  const dataDir = await tempDir(t);
  const said: (readonly [seq: number, text: string])[] = [];
  for (const killAt of [300, 2_000, 5_000]) {
    const lines = await listen(node(t, 'post', dataDir), killAt);
    for (const line of lines) if (Array.isArray(line)) said.push([line[0], line[1]]);
  }
  const acknowledged = new Map(said);
  t.ok(said.length > 7_000, `${said.length} were acknowledged`);
  t.equal(acknowledged.size, said.length, 'no number was given twice');
  const { store } = await openStore(t, dataDir);
  const lost = new Map(acknowledged);
  for (let after = 0; ; ) {
    const rows = await store.history('lobby', { after, limit: 1_000 });
    for (const { event } of rows) {
      if (event.seq !== ++after) return t.fail(`${after} is missing`);
      if ('text' in event && lost.get(after) === event.text) lost.delete(after);
    }
    if (rows.length === 0) break;
  }
  t.same([...lost], [], 'none is lost or another');
  await store.close();
  t.same(kinds(await checkEmbedded({ dataDir, repair: false })), []);
});

t.test('a process that dies at a named step leaves nothing that a repair does not mend', async t => {
  // All of them are met by the server's own test in `faults/`.
  const some = FAULT_POINTS.filter((_, i) => i % 3 === 0);
  for (const point of some) {
    const dataDir = await tempDir(t);
    const dying = node(t, 'upload', dataDir, point);
    const said = (await listen(dying)).filter(line => typeof line === 'string' && line !== 'open');
    t.equal(dying.signalCode, 'SIGKILL', `${point} is reached`);
    await checkEmbedded({ dataDir, repair: true });
    t.same(kinds(await checkEmbedded({ dataDir, repair: false, verifyHashes: true })), [], `${point}: sound`);
    const { store, close } = await openStore(t, dataDir);
    const rows = await store.history('lobby', { limit: 10 });
    const texts = rows.map(({ event }) => ('text' in event ? event.text : ''));
    t.same(texts.slice(0, said.length), said, `${point}: what was acknowledged is there`);
    const entry = await store.entry('/lobby/f' as FilePath);
    t.equal(entry?.type === 'file' ? entry.hash : undefined, texts.at(-1), `${point}: file and event are one`);
    await close();
  }
});

t.test('check finds what does not agree, and repair removes what nothing refers to', async t => {
  const dataDir = await tempDir(t);
  const { store, blobs, close } = await openStore(t, dataDir);
  const sealed = async () => {
    const writer = await blobs.create();
    await writer.write(0, [Buffer.from('abc')]);
    return { id: writer.id, hash: await writer.seal(3) };
  };
  const [gone, cut, changed, orphan, kept] = [
    await sealed(),
    await sealed(),
    await sealed(),
    await sealed(),
    await sealed(),
  ];
  const half = await blobs.create();
  const uploading = await blobs.create();
  await Promise.all([half.close(), uploading.close()]);
  const row = (path: string, { id, hash }: { id: string; hash: string }) => {
    const write = fileRow(path, id);
    return write.kind === 'put-entry' ? { ...write, entry: { ...write.entry, hash } as typeof write.entry } : write;
  };
  await store.commit([
    folderRow('/lobby/d'),
    row('/lobby/d/gone', gone),
    row('/lobby/cut', cut),
    row('/lobby/changed', changed),
    row('/lobby/kept', kept),
    { kind: 'put-document', document: 'upload', key: 'u', value: { blob: uploading.id } },
    ...['1', '2', '3'].map(text => message('lobby', text)),
  ]);
  t.same(
    kinds(await checkEmbedded({ dataDir, repair: false })),
    ['orphan-blob', 'orphan-incoming'],
    'while it is served',
  );
  await t.rejects(checkEmbedded({ dataDir, repair: true }), { message: dataDir }, 'no repair while it is served');
  await close();
  await rm(blobPath(dataDir, gone.id));
  await truncate(blobPath(dataDir, cut.id), 2);
  await writeFile(blobPath(dataDir, changed.id), 'abd');
  const database = openDatabase(databasePath(dataDir), 1_000);
  database.exec("DELETE FROM log WHERE seq = 2; DELETE FROM entries WHERE path = '/lobby/d'");
  database.close();

  const damage = ['blob-missing', 'blob-size', 'numbers', 'parent'];
  const found = await checkEmbedded({ dataDir, repair: false });
  t.same(kinds(found), [...damage, 'orphan-blob', 'orphan-incoming'].sort());
  t.match(found.problems.find(({ kind }) => kind === 'orphan-blob')?.detail, orphan.id);
  t.same(found.counts, { rooms: 0, events: 2, files: 4, folders: 0, blobs: 4, documents: 1 });
  const repaired = await checkEmbedded({ dataDir, repair: true, verifyHashes: true });
  t.same(kinds(repaired), [...damage, 'blob-hash', 'orphan-blob', 'orphan-incoming'].sort());
  t.same(
    repaired.problems.filter(problem => problem.repaired).map(({ kind }) => kind),
    ['orphan-blob', 'orphan-incoming'],
  );
  t.same(
    kinds(await checkEmbedded({ dataDir, repair: false })),
    damage,
    'the orphans are gone, the rest is not touched',
  );
  await rename(incomingPath(dataDir, uploading.id), join(dataDir, 'kept'));
});

t.test('a full disk refuses uploads, lets talk and removals go on, and recovers', async t => {
  const disk = await smallDisk(t);
  if (!disk) return;
  const [program, ...args] = [...disk.under(), process.execPath, child, 'fill', disk.dataDir];
  const lines = await listen(start(t, program!, args));
  const said: Record<string, unknown> = Object.assign({}, ...lines.filter(line => typeof line === 'object'));
  const well = { hasBallast: true, hasRoom: true, blobWrite: 'ok', talk: 'ok', put: 'ok', document: 'ok' };
  const full = {
    trouble: 'no-space',
    hasBallast: false,
    hasRoom: false,
    blobWrite: 'no-space',
    talk: 'ok',
    put: 'no-space',
    document: 'ok',
  };
  t.same(said['before'], well);
  t.same(said['blobsFull'], full, 'filled by blobs');
  t.equal(said['removal'], 'ok');
  t.same(said['blobsRecovered'], well);
  t.equal(said['putOutcome'], 'no-space', 'a batch that met the end of the disk: contents are refused');
  t.equal(said['talkOutcome'], 'ok', 'talk of the same batch is not');
  t.same(said['storeFull'], full, 'filled by others');
  t.same(said['storeRecovered'], well);
});

t.test('a disk that fails once is not trusted again', async t => {
  const strace = requireTool(t, 'strace');
  if (strace === undefined) return;
  const inject = [
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    'trace=fsync,fdatasync',
    '-e',
    'inject=fsync,fdatasync:error=EIO:when=40',
  ];
  const probe = await run(strace, [...inject, 'true']);
  if (probe.code !== 0) return void t.pass('processes cannot be traced', { skip: probe.stderr });
  const dataDir = await tempDir(t);
  const said = await listen(start(t, strace, [...inject, process.execPath, child, 'post', dataDir]));
  const failures = said.filter(line => typeof line === 'object' && line !== null && 'failed' in line);
  t.equal(failures.length, 64, 'everybody hears of it');
  t.match(failures[0], { failed: 'internal' });
  t.same(said.at(-1), { trouble: 'read-only', again: 'internal' }, 'and nothing is written from there on');
  const { store } = await openStore(t, dataDir);
  const acknowledged = said.filter(line => Array.isArray(line));
  t.ok(acknowledged.length > 0);
  t.ok((await store.head('lobby')) >= acknowledged.length, 'what was acknowledged before is there');
});

t.test('passwords', async t => {
  const passwords = createPasswords();
  t.teardown(() => passwords.close());
  const stored = await passwords.hash('caf\u00e9');
  t.match(stored, /^scrypt\$32768\$8\$1\$[\w-]{22}\$[\w-]{43}$/);
  t.not(await passwords.hash('caf\u00e9'), stored, 'salted');
  t.equal(await passwords.verify('caf\u00e9', stored), true);
  t.equal(await passwords.verify('cafe\u0301', stored), true, 'however a keyboard composes it');
  t.equal(await passwords.verify('cafe', stored), false);
  t.equal(await passwords.verify('', stored), false);
  t.equal(await passwords.verify('x', undefined), false, 'nobody');
  t.equal(await passwords.verify('x', 'scrypt$32768$8$1$AA$A'), false, 'not the form of a hash');
  const many = Array.from({ length: limits.passwordQueueMax + 1 }, () => passwords.verify('x', undefined));
  await t.rejects(many.pop()!, { code: 'busy' }, 'the queue is bounded');
  const ended = Promise.allSettled(many);
  await passwords.close();
  t.ok(
    (await ended).some(({ status }) => status === 'rejected'),
    'who waits at the end is told',
  );
});

t.test('a thread that is ended while its answer is on the way keeps the process until it has ended', async t => {
  const link = new URL('../server/store/worker-link.js', import.meta.url).href;
  const thread = `import { parentPort } from 'node:worker_threads'; parentPort.on('message', ([n]) => parentPort.postMessage([n, 1]));`;
  const program = `
    const { WorkerLink } = await import('${link}');
    const link = new WorkerLink(new URL('data:text/javascript,${encodeURIComponent(thread).replaceAll("'", '%27')}'), {}, () => {});
    link.ask(1).catch(() => undefined);
    // The answer is there, and not looked at yet.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    await link.end();
    process.stdout.write('ended');`;
  for (let n = 0; n < 4; n++) {
    const { code, stdout } = await run(process.execPath, ['--input-type=module', '-e', program]);
    t.same([code, stdout.toString()], [0, 'ended']);
  }
});
