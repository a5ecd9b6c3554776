/** R18 and what else keeps data over years: copies that are taken under load, older schemas, and a room as plain files. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { backup, check, exportRoom, restore } from '../server/administration.ts';
import { openDatabase } from '../server/store/embedded/database.ts';
import { blobPath, databasePath, incomingPath } from '../server/store/embedded/folders.ts';
import { openHubDatabase, upgrade } from '../server/store/embedded/schema.ts';
import { MIB } from '../shared/limits.ts';
import type { FilePath } from '../shared/names.ts';
import { fileRow, message } from './contracts/store-writes.ts';
import { openStore, smallDisk } from './support/embedded.ts';
import { connectLine } from './support/line-client.ts';
import { addAccount, startServer } from './support/server-process.ts';
import { tempDir } from './support/temp-dir.ts';
import { cleanEnv, run } from './support/tools.ts';
import { nothingYet, poster, uploader, verify } from './support/workload.ts';

t.setTimeout(120_000);

const fixture = fileURLToPath(new URL('../../test/fixtures/schema-1', import.meta.url));
const sha256 = (octets: Uint8Array) => `sha256:${createHash('sha256').update(octets).digest('hex')}`;

/** A data folder made of the one that version 1 wrote. */
async function oldFolder(t: Test): Promise<string> {
  const dataDir = join(await tempDir(t), 'old');
  await cp(fixture, dataDir, { recursive: true });
  return dataDir;
}

t.test(
  'a backup taken under load restores elsewhere to a prefix of the history, and a server starts on it',
  async t => {
    const server = await startServer(t);
    for (const name of ['ada', 'bob']) await addAccount(server, name, 'secret');
    const record = nothingYet();
    const workers = [
      poster(t, server, 'ada', record, 'a'),
      poster(t, server, 'bob', record, 'b'),
      uploader(t, server, 'ada', record, 'fa'),
      uploader(t, server, 'bob', record, 'fb'),
    ];
    const watcher = await connectLine(t, server.ports.line);
    watcher.send('NICK eve\nJOIN lobby');
    for (let files = 0; files < 8; ) files += (await watcher.until(/^\* FILE/)).length > 0 ? 1 : 0;
    const acknowledged = { ...record, messages: new Map(record.messages), files: new Map(record.files) };
    const copy = join(await tempDir(t), 'copy');
    const { problems } = await backup(server.dataDir, copy, true);
    for (let files = 0; files < 2; ) files += (await watcher.until(/^\* FILE/)).length > 0 ? 1 : 0;
    for (const worker of workers) worker.stop();
    await Promise.all(workers.map(worker => worker.done));
    t.same(problems, [], 'the copy is whole');
    await server.kill('SIGKILL');

    const dataDir = join(await tempDir(t), 'restored');
    t.same((await restore(copy, dataDir)).problems, []);
    t.equal((await stat(join(dataDir, 'key.pem'))).mode & 0o777, 0o600, 'the key is nobody else’s');
    const restored = await startServer(t, { dataDir });
    // `verify` asks for what was acknowledged before the backup; what it lists may be younger, never torn.
    await verify(t, restored, 'ada', acknowledged);
    await restored.kill('SIGTERM');
    t.same((await check(dataDir, false)).problems, [], 'check finds nothing');
    const [before, after] = await Promise.all([server.dataDir, dataDir].map(dir => texts(dir)));
    t.same(after, before!.slice(0, after!.length), 'it is a prefix of the history');
    t.ok(after!.length < before!.length, 'which went on behind it');
  },
);

async function texts(dataDir: string): Promise<readonly unknown[]> {
  const database = openDatabase(databasePath(dataDir), 1_000);
  try {
    return database.prepare("SELECT seq, event FROM log WHERE room = 'lobby' ORDER BY seq").all([]);
  } finally {
    database.close();
  }
}

t.test('a copy leaves unfinished uploads, the ballast and the lock behind', async t => {
  const dataDir = await oldFolder(t);
  const { store, blobs, close } = await openStore(t, dataDir);
  const writer = await blobs.create();
  await writer.write(0, [Buffer.from('half')]);
  await store.commit([{ kind: 'put-document', document: 'upload', key: 'u', value: { blob: writer.id } }]);
  await writer.close();
  await writeFile(join(dataDir, 'ballast'), 'x');
  const copy = join(await tempDir(t), 'copy');
  t.same((await backup(dataDir, copy, false)).problems, []);
  t.same((await readdir(copy)).sort(), ['blobs', 'hub.db', 'incoming']);
  t.same(await readdir(join(copy, 'incoming')), []);
  await stat(incomingPath(dataDir, writer.id));
  t.ok(await store.document('upload', 'u'), 'where it is being uploaded it goes on');
  await close();
  const again = join(await tempDir(t), 'again');
  await restore(copy, again);
  t.equal(await (await openStore(t, again)).store.document('upload', 'u'), undefined);
});

t.test('damage of the data is copied and told, and hashes are compared when asked', async t => {
  const dataDir = await oldFolder(t);
  const { store, close } = await openStore(t, dataDir);
  await store.commit([fileRow('/lobby/lost', 'f'.repeat(32))]);
  const large = await store.entry('/lobby/large.txt' as FilePath);
  await close();
  if (large?.type !== 'file' || large.content.kind !== 'blob') return t.fail('the fixture has a blob');
  await writeFile(blobPath(dataDir, large.content.id), Buffer.alloc(large.size));
  const kinds = async (deep: boolean) => {
    const { problems } = await backup(dataDir, join(await tempDir(t), 'copy'), deep);
    return problems.map(({ kind }) => kind).sort();
  };
  t.same(await kinds(false), ['blob-missing']);
  t.same(await kinds(true), ['blob-hash', 'blob-missing']);
});

t.test('a copy is refused where it would overwrite, mix, or lose something, and leaves nothing half made', async t => {
  const dataDir = await oldFolder(t);
  const copy = join(await tempDir(t), 'copy');
  await backup(dataDir, copy, false);
  await t.rejects(backup(dataDir, copy, false), { code: 'exists', message: copy }, 'twice into the same folder');
  await t.rejects(restore(copy, dataDir), { code: 'exists', message: dataDir }, 'over data');
  await t.rejects(backup(dataDir, join(dataDir, 'copy'), false), { code: 'bad-argument', message: /another disk/ });
  const empty = await tempDir(t);
  await t.rejects(restore(empty, join(empty, 'new')), { code: 'no-file', message: /no hub\.db/ });
  const half = await tempDir(t);
  await mkdir(join(half, 'partial'));
  await t.rejects(backup(dataDir, half, false), { code: 'exists', message: /interrupted/ });
  const database = openDatabase(databasePath(copy), 1_000);
  database.exec("UPDATE meta SET value = '99' WHERE key = 'schema'");
  database.close();
  await t.rejects(restore(copy, join(empty, 'new')), { message: /newer partyline.*schema 99/ });
  t.same(await readdir(empty), [], 'nothing was made');
});

t.test(
  'a copy goes to another disk whole, to one that is full not at all, and none that was killed passes for one',
  async t => {
    const server = await startServer(t);
    await addAccount(server, 'ada', 'secret');
    const ada = await connectLine(t, server.ports.line);
    const put = (name: string, octets: Buffer) =>
      ada.send(Buffer.concat([Buffer.from(`{${octets.length}} PUT /lobby/${name}\n`), octets, Buffer.from('\n')]));
    ada.send('LOGIN ada :secret');
    for (let n = 0; n < 3; n++) put(`file${n}`, randomBytes(MIB - 1));
    await ada.until(/^\+ PUT path=\/lobby\/file2/);
    const env = cleanEnv({ PARTYLINE_DATA_DIR: server.dataDir });
    const cli = [process.execPath, fileURLToPath(new URL('../client/cli/main.js', import.meta.url))] as const;

    const disk = await smallDisk(t);
    if (disk) {
      const copy = join(disk.dataDir, 'copy');
      // The disk is there as long as the shell.
      const script = `"$0" "$1" backup --verify "${copy}"; echo "code $?"; ls -A "${copy}"; PARTYLINE_DATA_DIR="${copy}" "$0" "$1" check`;
      const onDisk = async () => {
        const [program, ...args] = [...disk.under(), 'sh', '-c', script, ...cli];
        const { stdout, stderr } = await run(program!, args, { env });
        return `${stdout}${stderr}`;
      };
      const whole = await onDisk();
      t.match(whole, /code 0\n(.*\n)*hub\.db\n/, 'another file system takes it');
      for (let n = 3; n < 12; n++) put(`file${n}`, randomBytes(MIB - 1));
      await ada.until(/^\+ PUT path=\/lobby\/file11/);
      const none = await onDisk();
      t.match(none, /there is not enough room for a copy in /);
      t.notMatch(none, /code 0|hub\.db\n|partial/, 'nothing is left behind');
    }

    for (let n = 0; n < 3; n++) {
      const copy = join(await tempDir(t), 'copy');
      const child = spawn(cli[0], [cli[1], 'backup', '--verify', copy], { env, stdio: 'ignore' });
      const ended = once(child, 'close');
      while (!existsSync(join(copy, 'partial')) && child.exitCode === null) await pause(1);
      await pause(n * 10);
      child.kill('SIGKILL');
      await ended;
      const restored = join(await tempDir(t), 'restored');
      if (existsSync(join(copy, 'hub.db')))
        t.same((await restore(copy, restored)).problems, [], 'it was complete by then');
      else await t.rejects(restore(copy, restored), { code: 'no-file' }, 'half a copy is none');
    }
  },
);

t.test('a folder that version 1 wrote is opened, and its message and files are read', async t => {
  const { store, blobs } = await openStore(t, await oldFolder(t));
  const [first] = await store.history('lobby', { limit: 1, after: 0 });
  t.match(first?.event, { event: 'MSG', from: 'ada', text: 'hello from version 1' });
  const small = await store.entry('/lobby/small.txt' as FilePath);
  t.match(small, { content: { kind: 'inline', octets: Buffer.from('a file that lies in its row\n') } });
  const large = await store.entry('/lobby/large.txt' as FilePath);
  if (large?.type !== 'file' || large.content.kind !== 'blob') return t.fail('the large file lies in a blob');
  const reader = await blobs.open(large.content.id);
  const octets = Buffer.alloc(reader.size);
  t.equal(await reader.read(octets, 0), large.size);
  await reader.close();
  t.equal(sha256(octets), large.hash);
  t.same((await store.commit([message('lobby', 'and on')])).seqs, [4]);
});

t.test('steps of the schema are taken one after the other, all or none, and never twice', async t => {
  const path = join(await tempDir(t), 'hub.db');
  const database = openHubDatabase(path);
  t.teardown(() => database.close());
  const version = () => Number(database.prepare("SELECT value FROM meta WHERE key = 'schema'").first([])?.[0]);
  const today = version();
  const known = Array.from({ length: today }, () => 'fails if it is taken again');
  const two = ['CREATE TABLE a (x)', 'INSERT INTO a VALUES (7)'];
  t.throws(() => upgrade(database, path, [...known, ...two, 'nonsense']), /syntax/);
  t.equal(version(), today);
  t.equal(database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'a'").first([]), undefined, 'none was taken');
  upgrade(database, path, [...known, ...two]);
  upgrade(database, path, [...known, ...two]);
  t.equal(version(), today + 2);
  t.same(database.prepare('SELECT x FROM a').all([]), [[7]]);
  t.throws(() => upgrade(database, path), /newer partyline/, 'and the program of today refuses what it does not know');
});

t.test('a room is exported as JSON lines and files, beside a running server', async t => {
  const dataDir = await oldFolder(t);
  const { store } = await openStore(t, dataDir);
  await store.commit(Array.from({ length: 1_200 }, (_, n) => message('lobby', `${n}`)));
  const folder = join(await tempDir(t), 'lobby');
  t.same(await exportRoom(dataDir, 'Lobby', folder), { events: 1_203, files: 2 });
  const lines = (await readFile(join(folder, 'events.jsonl'), 'utf8')).trimEnd().split('\n');
  t.same(
    lines.map(line => JSON.parse(line).seq),
    lines.map((_, n) => n + 1),
  );
  for (const name of ['small.txt', 'large.txt']) {
    const row = await store.entry(`/lobby/${name}` as FilePath);
    t.equal(row?.type === 'file' && row.hash, sha256(await readFile(join(folder, 'files', name))), name);
  }
  await t.rejects(exportRoom(dataDir, 'lobby', folder), { code: 'exists' });
  await t.rejects(exportRoom(dataDir, 'nowhere', join(folder, 'new')), { code: 'no-room' });
  await rm(folder, { recursive: true });
});
