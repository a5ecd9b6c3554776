/** One contract for every store: each sentence, and random histories that memory and disk must tell in the same way. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { type Test, t } from 'tap';
import type { EntryRow, Store } from '../../server/hub/host.ts';
import type { Write } from '../../server/hub/writes.ts';
import { openDatabase } from '../../server/store/embedded/database.ts';
import { databasePath } from '../../server/store/embedded/folders.ts';
import { memoryBlobs } from '../../server/store/memory/blobs.ts';
import { memoryStore } from '../../server/store/memory/store.ts';
import { HubError } from '../../shared/errors.ts';
import type { FilePath } from '../../shared/names.ts';
import { openStore } from '../support/embedded.ts';
import { tempDir } from '../support/temp-dir.ts';
import { blobsContract } from './blobs-contract.ts';
import { entryContract } from './entry-contract.ts';
import { readingContract } from './reading-contract.ts';
import { closeContract, type MakeStore, storeContract } from './store-contract.ts';
import { fileRow, folderRow, hashNamed, message } from './store-writes.ts';

storeContract(t, 'memory', async () => memoryStore());
entryContract(t, 'memory', async () => memoryStore());
readingContract(t, 'memory', async () => memoryStore());
closeContract(t, 'memory', async () => memoryStore());
/** One open store for all sentences, emptied between them: opening takes longer than most. */
function emptied(t: Test): MakeStore {
  let opened: { readonly dataDir: string; readonly store: Store } | undefined;
  return async () => {
    const dataDir = opened?.dataDir ?? (await tempDir(t));
    opened ??= { dataDir, store: (await openStore(t, dataDir)).store };
    wipe(dataDir);
    return opened.store;
  };
}

const disk = emptied(t);
storeContract(t, 'embedded', disk);
entryContract(t, 'embedded', disk);
readingContract(t, 'embedded', disk);
closeContract(t, 'embedded', async t => (await openStore(t)).store);
blobsContract(t, 'memory', async () => memoryBlobs());
blobsContract(t, 'embedded', async t => (await openStore(t)).blobs);

const room = fc.constantFrom('lobby', 'den');
const name = fc.constantFrom('a', 'b', 'a0', 'é', '\u{1f600}');
const path = fc
  .tuple(room, fc.array(name, { minLength: 1, maxLength: 3 }))
  .map(([top, parts]) => `/${top}/${parts.join('/')}` as FilePath);
const digit = fc.constantFrom('a', 'b', 'c');
const blob = fc.constantFrom('b1', 'b2', 'b3', 'b4');
const repeat = fc.record({ key: fc.constantFrom('k1', 'k2', 'k3'), sinceMs: fc.integer({ min: 0, max: 40 }) });
const expected = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('absent' as const, 'any' as const) },
  digit.map(d => ({ hash: hashNamed(d) })),
);

const onDay = (day: string, write: Write): Write =>
  write.kind === 'append' ? { ...write, event: { ...write.event, time: `${day}T01:00:03Z` } } : write;

const owner = fc.constantFrom('u:ada' as const, 'u:nobody' as const);

const step: fc.Arbitrary<Write> = fc.oneof(
  fc
    .tuple(
      room,
      fc.string({ unit: 'binary' }),
      fc.option(repeat, { nil: undefined }),
      fc.integer({ min: 0, max: 40 }),
      fc.constantFrom('2026-11-22', '2026-11-23', '2026-11-24'),
    )
    .map(([where, text, again, timeMs, day]) => onDay(day, message(where, text, again, timeMs))),
  fc.record({ kind: fc.constant('trim-log' as const), room, before: fc.integer({ min: 1, max: 12 }) }),
  fc.record({
    kind: fc.constant('revise' as const),
    room,
    seq: fc.integer({ min: 1, max: 6 }),
    text: fc.string(),
  }),
  fc.tuple(path, blob, digit, expected).map(([where, id, d, expect]) => fileRow(where, id, d, expect)),
  fc.tuple(path, fc.constantFrom('absent' as const, 'any' as const)).map(([where, expect]) => folderRow(where, expect)),
  fc.record(
    { kind: fc.constant('move-entry' as const), from: path, to: path, onlyOf: owner },
    { requiredKeys: ['kind', 'from', 'to'] },
  ),
  fc.record(
    {
      kind: fc.constant('remove-entry' as const),
      path,
      recursive: fc.boolean(),
      onlyOf: owner,
      match: digit.map(hashNamed),
    },
    { requiredKeys: ['kind', 'path', 'recursive'] },
  ),
  fc.record(
    {
      kind: fc.constant('date-entry' as const),
      path,
      modified: fc.constantFrom('2001-02-03T04:05:06Z', '2002-02-03T04:05:06Z'),
      onlyOf: owner,
    },
    { requiredKeys: ['kind', 'path', 'modified'] },
  ),
  fc.record(
    {
      kind: fc.constant('put-document' as const),
      document: fc.constantFrom('room' as const, 'token' as const),
      key: name,
      value: fc.jsonValue(),
      expect: fc.integer({ min: 0, max: 2 }),
    },
    { requiredKeys: ['kind', 'document', 'key', 'value'] },
  ),
  fc.record({ kind: fc.constant('remove-document' as const), document: fc.constant('room' as const), key: name }),
);

/** What became of each transaction; those of a group are asked at once. */
async function play(store: Store, groups: readonly (readonly (readonly Write[])[])[]): Promise<unknown> {
  const told: unknown[] = [];
  for (const group of groups) {
    const outcomes = await Promise.allSettled(group.map(writes => store.commit(writes)));
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') {
        told.push({ ...outcome.value, unreferenced: [...outcome.value.unreferenced].sort() });
      } else if (outcome.reason instanceof HubError) told.push([outcome.reason.code, outcome.reason.message]);
      else throw outcome.reason;
    }
  }
  return told;
}

const everything = { limit: 1_000 };

async function tree(store: Store, folder: FilePath): Promise<readonly (EntryRow | undefined)[]> {
  const children = await store.children(folder, everything);
  const found: (EntryRow | undefined)[] = [];
  for (const { path, type } of children) {
    found.push(await store.entry(path));
    if (type === 'dir') found.push(...(await tree(store, path)));
  }
  return found;
}

async function transcripts(store: Store, where: string): Promise<unknown> {
  const files = await store.transcripts(where);
  const octets = async (name: string) => String(Buffer.from(await store.transcript(where, name, 1, 1e6)));
  return Promise.all(files.map(async file => [file, await octets(file.name)]));
}

async function state(store: Store): Promise<unknown> {
  return {
    logs: [await store.history('lobby', everything), await store.history('den', everything)],
    heads: [await store.head('lobby'), await store.head('den')],
    transcripts: [await transcripts(store, 'lobby'), await transcripts(store, 'den')],
    trees: [await tree(store, '/lobby' as FilePath), await tree(store, '/den' as FilePath)],
    owned: [await store.owned('u:ada'), await store.owned('u:nobody')],
    documents: [await store.documents('room', everything), await store.documents('token', everything)],
  };
}

/** Opening a store takes longer than a history; another connection may write beside it, as the command line does. */
function wipe(dataDir: string): void {
  const database = openDatabase(databasePath(dataDir), 1_000);
  for (const table of ['log', 'entries', 'documents', 'repeats', 'indexed', 'search', 'marks'])
    database.exec(`DELETE FROM ${table}`);
  database.close();
}

t.test('memory and disk give the same receipts, refusals and reads for any history', async t => {
  const transaction = fc.array(step, { minLength: 1, maxLength: 4 });
  const groups = fc.array(fc.array(transaction, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 10 });
  const dataDir = await tempDir(t);
  const { store: disk } = await openStore(t, dataDir);
  await fc.assert(
    fc.asyncProperty(groups, async history => {
      const memory = memoryStore();
      wipe(dataDir);
      assert.deepStrictEqual(await play(disk, history), await play(memory, history));
      assert.deepStrictEqual(await state(disk), await state(memory));
    }),
    { numRuns: 200 },
  );
});
