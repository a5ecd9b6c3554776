/** The contract of searching and of transcripts, for any store: what the log holds, found and read as files. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { Test } from 'tap';
import type { Store } from '../../server/hub/host.ts';
import type { Write } from '../../server/hub/writes.ts';
import { parseQuery } from '../../shared/search-query.ts';
import type { MakeStore } from './store-contract.ts';
import { ada, at, hashNamed, message } from './store-writes.ts';

/** More rows than an index lets wait. */
const MANY = 700;

async function find(store: Store, text: string, rooms = ['lobby'], more: { before?: number; limit?: number } = {}) {
  const parsed = parseQuery(text);
  if (parsed.kind === 'invalid') throw new Error(parsed.reason);
  const rows = await store.search({ rooms, query: parsed.query, limit: 100, ...more });
  return rows.map(({ event }) => (event.room === 'lobby' ? event.seq : `${event.room} ${event.seq}`));
}

async function readAll(store: Store, room: string, name: string): Promise<string> {
  return Buffer.from(await store.transcript(room, name, 0, 1e9)).toString();
}

const dayOf = (write: Write, time: string, from = 'ada'): Write =>
  write.kind === 'append' ? { ...write, event: { ...write.event, time, from } } : write;

const edit = (seq: number, text: string): Write[] => [
  { kind: 'revise', room: 'lobby', seq, text, edited: '2026-11-23T02:00:00Z' },
  told({ event: 'EDITED', of: seq, text }),
];
const remove = (seq: number): Write[] => [
  { kind: 'revise', room: 'lobby', seq, text: '', deleted: true },
  told({ event: 'DELETED', of: seq }),
];

function told(draft: { event: 'EDITED'; of: number; text: string } | { event: 'DELETED'; of: number }): Write {
  const given = { room: 'lobby', time: '2026-11-23T02:00:00Z', from: 'ada' };
  return { kind: 'append', by: ada, timeMs: 1, event: { ...given, ...draft } };
}

function file(op: 'put' | 'move' | 'remove', path: string, to?: string): Write {
  const given = { event: 'FILE' as const, room: 'lobby', time: '2026-11-23T01:00:03Z', from: 'cam-3.x' };
  const event = { ...given, op, path, ...(to !== undefined && { to }), size: 3, hash: hashNamed('a') };
  return { kind: 'append', by: ada, timeMs: 1, event };
}

const filler = (room = 'lobby'): Write[] => Array.from({ length: MANY }, (_, n) => message(room, `filler ${n}`));

export function readingContract(t: Test, name: string, make: MakeStore): void {
  // The same sentences with all rows fresh, and with all rows long in the index.
  for (const behind of [0, 1]) {
    const settle = async (store: Store) => {
      if (behind === 0) return;
      for (let i = 0; i < 2; i++) await store.commit(filler('elsewhere'));
      await store.commit(filler());
    };
    t.test(`${name}: search, ${behind ? 'long ago' : 'fresh'}`, t => searches(t, make, settle));
    t.test(`${name}: transcripts, ${behind ? 'long ago' : 'fresh'}`, t => transcripts(t, make, settle));
  }
  t.test(`${name}: trimming`, t => trimming(t, make));
  t.test(`${name}: following a transcript`, t => following(t, make));
}

async function searches(t: Test, make: MakeStore, settle: (store: Store) => Promise<void>): Promise<void> {
  const store = await make(t);
  await store.commit([
    message('lobby', 'Hello wörld, the server is up'),
    dayOf(message('lobby', '今天天气很好，我们去吃饭'), '2026-11-20T23:59:59Z', 'Bob'),
    file('put', '/lobby/deep/Report-v2.pdf'),
    file('move', '/lobby/x', '/lobby/天气.png'),
    file('remove', '/lobby/deep/Report-v2.pdf'),
    message('lobby', 'server hello'),
    message('den', 'the SERVER of the den'),
    message('lobby', 'a " OR b* NEAR(x) -server: {col} (y)'),
  ]);
  await settle(store);
  t.same(await find(store, 'hello'), [1, 6], 'oldest first');
  t.same(await find(store, 'HELLO WORLD'), [1], 'case and accents do not count, all words must be there');
  t.same(await find(store, '"server hello"'), [6], 'a phrase keeps its order');
  t.same(await find(store, 'ser'), [], 'words count whole');
  t.same(await find(store, '天气'), [2, 4], 'two characters within a run, also of a file’s name');
  t.same(await find(store, '天天'), [2], 'an overlapping pair');
  t.same(await find(store, '气天'), [], 'in this order only');
  t.same(await find(store, '今天天气很好'), [2]);
  t.same(await find(store, '饭'), [2], 'the last character of a run');
  t.same(await find(store, '好 我们'), [2]);
  t.same(await find(store, 'report'), [3], 'a file that came, not one that went');
  t.same(await find(store, 'has:file'), [3, 4]);
  t.same(await find(store, 'from:CAM-3.x v2'), [3]);
  t.same(await find(store, 'from:cam'), [], 'a name counts whole');
  t.same(await find(store, 'from:bob from:cam-3.x'), [2, 3, 4], 'any of several');
  t.same(await find(store, 'from:bob before:2026-11-21'), [2]);
  t.same(await find(store, 'from:bob before:2026-11-20'), [], 'that day is not meant');
  t.same(await find(store, 'from:bob after:2026-11-20'), [2], 'that day is');
  t.same(await find(store, 'server', ['lobby', 'den']), [1, 6, 7, 'den 1'], 'several rooms by time');
  t.same(await find(store, 'hello', ['lobby'], { limit: 1 }), [6], 'the newest');
  t.same(await find(store, 'hello', ['lobby'], { before: 6 }), [1], 'before is exclusive');
  t.same(await find(store, 'hello', ['nowhere']), []);
  for (const text of ['"a " OR b* NEAR(x)', '-server:', '{col} (y)', 'server AND NOT', 'text:', "'; --"]) {
    await t.resolves(store.search({ rooms: ['lobby'], query: queryOf(text), limit: 5 }), `${text} is text`);
  }
  t.same(await find(store, '"a OR b NEAR x"'), [7], 'operators are words');
  const newest = (await store.head('lobby')) + 1;
  await store.commit([...edit(1, 'mended'), ...remove(6)]);
  t.same(await find(store, 'hello'), [], 'what was edited away or deleted is not found');
  t.same(await find(store, 'mended'), [1], 'the edit is found once, as the message');
  t.equal((await store.logRow('lobby', newest))?.event.event, 'EDITED');
}

function queryOf(text: string) {
  const parsed = parseQuery(text);
  return parsed.kind === 'query' ? parsed.query : { phrases: [], from: ['x'], in: [], hasFile: false };
}

async function transcripts(t: Test, make: MakeStore, settle: (store: Store) => Promise<void>): Promise<void> {
  const store = await make(t);
  t.same(await store.transcripts('lobby'), []);
  t.same(await readAll(store, 'lobby', 'all.jsonl'), '');
  await store.commit([
    dayOf(message('lobby', 'first'), '2026-11-22T23:59:59Z'),
    dayOf(message('lobby', 'two\nlines "ä\\"'), '2026-11-23T00:00:00Z'),
    dayOf(message('lobby', 'a clock went back'), '2026-11-22T23:00:00Z'),
  ]);
  await store.commit([file('put', '/lobby/x')]);
  await settle(store);
  const files = await store.transcripts('lobby');
  const names = ['2026-11-22.md', '2026-11-22.txt', '2026-11-23.md', '2026-11-23.txt', 'all.jsonl'];
  t.same(
    files.map(({ name }) => name),
    names,
  );
  t.equal(await readAll(store, 'lobby', '2026-11-22.txt'), '23:59:59 ada: first\n23:00:00 ada: a clock went back\n');
  const begin = '00:00:00 ada: two\n         lines "ä\\"\n01:00:03 cam-3.x put /lobby/x (3 octets)\n';
  t.equal((await readAll(store, 'lobby', '2026-11-23.txt')).slice(0, begin.length), begin);
  const before = await readAll(store, 'lobby', 'all.jsonl');
  t.match(JSON.parse(before.split('\n')[1]!), { event: 'MSG', seq: 2, from: 'ada', text: 'two\nlines "ä\\"' });
  await store.commit(edit(2, 'secret again'));
  const edited = await readAll(store, 'lobby', 'all.jsonl');
  t.ok(edited.startsWith(before), 'an edit appends');
  await store.commit(remove(2));
  const after = await readAll(store, 'lobby', 'all.jsonl');
  const lines = after.split('\n');
  const kept = lines.slice(
    0,
    lines.findIndex(line => line.includes('"event":"DELETED"')),
  );
  t.equal(Buffer.byteLength(kept.join('\n')) + 1, Buffer.byteLength(edited), 'no octet moved');
  t.notMatch(after, /secret|lines/, 'neither the text nor its edit can be read');
  t.match(JSON.parse(after.split('\n')[1]!), { seq: 2, text: /^\s+$/ }, 'and the line is still JSON');
  const edits = (await store.history('lobby', { limit: 5 })).filter(({ event }) => event.event === 'EDITED');
  t.same(
    edits.map(({ event }) => 'text' in event && event.text),
    [''],
    'the log has no text of it either',
  );
  for (const { name, size } of await store.transcripts('lobby')) {
    const whole = await store.transcript('lobby', name, 0, 1e9);
    t.equal(size, whole.length, name);
    const middle = await store.transcript('lobby', name, size - 30, 20);
    t.same(Buffer.from(middle), Buffer.from(whole).subarray(size - 30, size - 10), 'a range of it');
    t.equal((await store.transcript('lobby', name, size, 10)).length, 0);
  }
}

/** Blanks and what they stand for look alike. */
const shape = (octets: Uint8Array, final: Uint8Array): Uint8Array =>
  octets.map((octet, i) =>
    final[i] === 0x20 || final[i] === 0x09 || final[i] === 0x5c || final[i] === 0x74 ? final[i]! : octet,
  );

/** Three days of which the log is long enough for an index, some rows of it edited and taken back. */
async function trimming(t: Test, make: MakeStore): Promise<void> {
  const store = await make(t);
  const days = ['2026-11-21', '2026-11-22', '2026-11-23'];
  for (const day of days) await store.commit(filler().map(write => dayOf(write, `${day}T01:00:03Z`)));
  await store.commit([...edit(700, 'an apple'), ...edit(701, 'a pear'), ...remove(702)]);
  const whole = await readAll(store, 'lobby', 'all.jsonl');
  const second = await readAll(store, 'lobby', '2026-11-22.txt');
  const refused = await store
    .commit([
      { kind: 'trim-log', room: 'lobby', before: 900 },
      { kind: 'remove-entry', path: at('/lobby/x'), recursive: true },
    ])
    .catch(error => error.code);
  t.equal(refused, 'conflict');
  t.equal(
    (await store.history('lobby', { after: 0, limit: 1 }))[0]?.event.seq,
    1,
    'a refused transaction trims nothing',
  );

  const trim = (before: number) => store.commit([{ kind: 'trim-log', room: 'lobby', before }]);
  const first = async () => (await store.history('lobby', { after: 0, limit: 1 }))[0]?.event.seq;
  const head = await store.head('lobby');
  const line = (text: string, number: number) => text.split('\n').slice(0, number).join('\n').length + (number && 1);
  for (const before of [0, 1, 400, 400, 100, 701, 705, 900]) {
    await trim(before);
    const gone = Math.max((await first())! - 1, 0);
    t.equal(
      await readAll(store, 'lobby', 'all.jsonl'),
      '\n'.repeat(line(whole, gone)) + whole.slice(line(whole, gone)),
    );
    const ofSecond = Math.max(0, gone - MANY);
    const expected = '\n'.repeat(line(second, ofSecond)) + second.slice(line(second, ofSecond));
    t.equal(await readAll(store, 'lobby', '2026-11-22.txt'), expected, `trimmed below ${before}`);
  }
  t.equal(await first(), 900);
  t.equal(await store.head('lobby'), head);
  t.equal(await store.logRow('lobby', 899), undefined);
  t.same(await find(store, 'apple'), [], 'what is gone is not found');
  t.same((await find(store, 'from:ada "filler 250"')).length, 2, 'nor what was said alike on the first day');
  const cut = line(whole, 899);
  for (const [offset, length] of [
    [0, 5],
    [cut - 3, 6],
    [cut, 70_000],
    [cut + 5, 10],
    [whole.length - 4, 10],
  ] as const) {
    const octets = Buffer.from(await store.transcript('lobby', 'all.jsonl', offset, length)).toString();
    t.equal(octets, ('\n'.repeat(cut) + whole.slice(cut)).slice(offset, offset + length), `from ${offset}`);
  }
  const refusal = (writes: Write[]) =>
    store.commit(writes).then(
      () => 'ok',
      error => error.code,
    );
  t.equal(await refusal(edit(5, 'late')), 'conflict', 'what is gone is not mended');
  t.same(
    (await store.transcripts('lobby')).map(({ name }) => name),
    ['2026-11-22.md', '2026-11-22.txt', '2026-11-23.md', '2026-11-23.txt', 'all.jsonl'],
  );

  await trim(1e9);
  t.same([await first(), await store.head('lobby')], [head, head], 'the newest stays');
  t.same((await store.commit([message('lobby', 'apple pie')])).seqs, [head + 1]);
  t.same(await find(store, 'apple'), [head + 1]);
  t.equal((await store.transcripts('lobby')).at(-1)?.size, (await readAll(store, 'lobby', 'all.jsonl')).length);
  await trim(1e9);
  await store.commit([{ kind: 'remove-log', room: 'lobby' }]);
  t.same((await store.commit([message('lobby', 'anew')])).seqs, [1]);
  t.equal((await readAll(store, 'lobby', 'all.jsonl')).split('\n').length, 2, 'a removed log has no base');
  await trim(5);
  await store.commit([{ kind: 'trim-log', room: 'nowhere', before: 5 }]);
}

async function following(t: Test, make: MakeStore): Promise<void> {
  const store = await make(t);
  const deed = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.string({ unit: fc.constantFrom('a', 'é', '天', '\u{1f600}', '"', '\\', '\n', '\t', ' ') }),
    },
    { weight: 2, arbitrary: fc.record({ edit: fc.nat(), text: fc.constantFrom('new', '"n\n"', '新') }) },
    { weight: 2, arbitrary: fc.record({ delete: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ read: fc.integer({ min: 1, max: 60 }) }) },
    { weight: 1, arbitrary: fc.constant(filler()) },
  );
  let room = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { maxLength: 30 }), async deeds => {
      const name = `follow${++room}`;
      const here = (writes: readonly Write[]) => store.commit(writes.map(write => moved(write, name)));
      const read = new Map<string, Buffer[]>([
        ['all.jsonl', []],
        ['2026-11-23.txt', []],
        ['2026-11-23.md', []],
      ]);
      const said: number[] = [];
      const follow = async (length: number) => {
        for (const [file, parts] of read) {
          const offset = parts.reduce((sum, part) => sum + part.length, 0);
          parts.push(Buffer.from(await store.transcript(name, file, offset, length)));
        }
      };
      for (const what of deeds) {
        if (typeof what === 'string') said.push((await here([message('lobby', what)])).seqs[0]!);
        else if (Array.isArray(what)) await here(what);
        else if ('read' in what) await follow(what.read);
        else if (said.length === 0) continue;
        else if ('edit' in what) await here(edit(said[what.edit % said.length]!, what.text));
        else await here(remove(said.splice(what.delete % said.length, 1)[0]!));
      }
      await follow(1e9);
      const sizes = new Map((await store.transcripts(name)).map(({ name, size }) => [name, size]));
      for (const [file, parts] of read) {
        const heard = Buffer.concat(parts);
        const final = await store.transcript(name, file, 0, 1e9);
        assert.equal(heard.length, final.length);
        assert.equal(sizes.get(file) ?? 0, final.length);
        assert.ok(Buffer.compare(shape(heard, final), final) === 0, 'nothing but blanks came in between');
        assert.equal(heard.toString().split('\n').length, Buffer.from(final).toString().split('\n').length);
      }
    }),
    { numRuns: 25 },
  );
}

function moved(write: Write, room: string): Write {
  if (write.kind === 'append') return { ...write, event: { ...write.event, room } };
  return write.kind === 'revise' ? { ...write, room } : write;
}
