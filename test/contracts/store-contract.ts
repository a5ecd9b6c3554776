/** The contract of `Store` in `server/hub/host.ts`, sentence by sentence, for any implementation; entries stand in `entry-contract.ts`. */
import type { Test } from 'tap';
import type { PrincipalId, Store } from '../../server/hub/host.ts';
import type { Write } from '../../server/hub/writes.ts';
import { parseQuery } from '../../shared/search-query.ts';
import { ada, at, fileRow, hashNamed, message, names, refuses, tree } from './store-writes.ts';

export type MakeStore = (t: Test) => Promise<Store>;

async function texts(store: Store, room: string): Promise<readonly unknown[]> {
  const rows = await store.history(room, { limit: 1_000 });
  return rows.map(({ event }) => [event.seq, 'text' in event ? event.text : undefined]);
}

export function storeContract(t: Test, name: string, make: MakeStore): void {
  t.test(`${name}: a log`, async t => {
    await logs(t, make);
    await pages(t, make);
    await repeats(t, make);
    await revisions(t, make);
    await t.test('reactions are kept with their message', t => reactions(t, make));
    await t.test('a log can be removed whole', t => removedLogs(t, make));
  });
  t.test(`${name}: documents`, t => documents(t, make));
  t.test(`${name}: a transaction`, t => transactions(t, make));
}

/** Apart, since it ends the store. */
export function closeContract(t: Test, name: string, make: MakeStore): void {
  t.test(`${name}: close resolves after what was committed, and then nothing is`, async t => {
    const store = await make(t);
    const pending = Array.from({ length: 600 }, () => store.commit([message('lobby', 'x')]));
    await store.close();
    t.equal((await Promise.all(pending)).at(-1)?.seqs[0], 600);
    await t.rejects(store.commit([message('lobby', 'late')]));
    await store.close();
  });
}

async function logs(t: Test, make: MakeStore): Promise<void> {
  await t.test('an event gets the next number of its room', async t => {
    const store = await make(t);
    t.equal(await store.head('lobby'), 0, 'an empty room');
    t.same(await store.commit([message('lobby', 'one')]), { seqs: [1], unreferenced: [] });
    const receipt = await store.commit([message('lobby', 'two'), message('den', 'other'), message('lobby', 'three')]);
    t.same(receipt.seqs, [2, 1, 3], 'in the order of the steps');
    t.equal(await store.head('lobby'), 3);
    t.equal(await store.head('den'), 1);
    const row = await store.logRow('lobby', 2);
    t.strictSame(row, {
      by: 'u:ada',
      event: { event: 'MSG', room: 'lobby', seq: 2, time: '2026-11-23T01:00:03Z', from: 'ada', text: 'two' },
    });
    t.equal(await store.logRow('lobby', 4), undefined);
    t.equal(await store.logRow('nowhere', 1), undefined);
  });
  await t.test('commits that wait at once get dense numbers in the order in which they were asked', async t => {
    const store = await make(t);
    const receipts = await Promise.all(
      Array.from({ length: 1_500 }, (_, n) => store.commit([message('lobby', `${n}`)])),
    );
    t.same(
      receipts.map(({ seqs }) => seqs[0]),
      Array.from({ length: 1_500 }, (_, n) => n + 1),
    );
    t.equal(await store.head('lobby'), 1_500, 'a read sees what resolved before it');
  });
  await t.test('every kind of event comes back as it went in', async t => {
    const store = await make(t);
    const given = { room: 'lobby', time: '2026-11-23T01:00:03Z', from: 'zoë "q"', guest: true };
    const events = [
      { event: 'MSG', ...given, id: 'x.1', reply: 3, text: 'tab\tand\nline \u{1f600} \\ \u2028' },
      { event: 'EDITED', ...given, of: 1, text: '' },
      { event: 'DELETED', ...given, of: 1 },
      { event: 'TOPIC', ...given, text: 'a topic' },
      { event: 'FILE', ...given, op: 'move', path: '/lobby/ä', to: '/lobby/b', size: 2 ** 40, hash: hashNamed('0') },
    ] as const;
    await store.commit(events.map(event => ({ kind: 'append', by: 'g:17', timeMs: 5, event })));
    const rows = await store.history('lobby', { limit: 10 });
    t.strictSame(
      rows.map(({ by, event }) => [by, event]),
      events.map((event, i) => ['g:17', { ...event, seq: i + 1 }]),
    );
  });
}

async function pages(t: Test, make: MakeStore): Promise<void> {
  await t.test('history pages by before and after, and rows ascend', async t => {
    const store = await make(t);
    await store.commit(Array.from({ length: 10 }, (_, n) => message('lobby', `${n + 1}`)));
    const seqs = async (page: Parameters<Store['history']>[1]) =>
      (await store.history('lobby', page)).map(({ event }) => event.seq);
    t.same(await seqs({ limit: 3 }), [8, 9, 10], 'the newest');
    t.same(await seqs({ limit: 3, before: 8 }), [5, 6, 7], 'before is exclusive');
    t.same(await seqs({ limit: 3, before: 3 }), [1, 2]);
    t.same(await seqs({ limit: 3, after: 4 }), [5, 6, 7], 'after is exclusive');
    t.same(await seqs({ limit: 30, after: 8 }), [9, 10]);
    t.same(await seqs({ limit: 30, after: 0 }).then(all => all.length), 10);
    t.same(await seqs({ limit: 2, after: 2, before: 9 }), [3, 4], 'both: the oldest between');
    t.same(await seqs({ limit: 3, after: 10 }), []);
    t.same(await store.history('nowhere', { limit: 3 }), []);
  });
}

async function repeats(t: Test, make: MakeStore): Promise<void> {
  await t.test('a repetition changes nothing and names the earlier number', async t => {
    const store = await make(t);
    const key = 'u:ada lobby x';
    await store.commit([message('lobby', 'first')]);
    t.same((await store.commit([message('lobby', 'said', { key, sinceMs: 0 }, 500)])).seqs, [2]);
    const again = await store.commit([message('lobby', 'said', { key, sinceMs: 500 }, 600)]);
    t.same(again, { seqs: [], unreferenced: [], repeated: 2 }, 'at the limit of time it is one');
    const mixed = await store.commit([
      { kind: 'put-document', document: 'room', key: 'lobby', value: 1 },
      message('lobby', 'other'),
      message('lobby', 'said', { key, sinceMs: 500 }, 600),
    ]);
    t.same(mixed, { seqs: [], unreferenced: [], repeated: 2 }, 'nor do the other steps');
    t.equal(await store.document('room', 'lobby'), undefined);
    t.equal(await store.head('lobby'), 2);
    t.same((await store.commit([message('lobby', 'later', { key, sinceMs: 501 }, 700)])).seqs, [3], 'too long ago');
    const newest = await store.commit([message('lobby', 'later', { key, sinceMs: 700 }, 800)]);
    t.equal(newest.repeated, 3, 'the newer event is remembered');
  });
  await t.test('a repetition is harmless though its expectations do not hold any more', async t => {
    const store = await make(t);
    const writes = [fileRow('/lobby/a', 'b1'), message('lobby', 'put', { key: 'k', sinceMs: 0 })];
    await store.commit(writes);
    t.equal((await store.commit(writes)).repeated, 1);
  });
  await t.test('the events of one transaction may share a key, and do not repeat each other', async t => {
    const store = await make(t);
    const repeat = { key: 'k', sinceMs: 0 };
    const writes = [message('lobby', 'a', repeat), message('lobby', 'b', repeat), message('den', 'c', repeat)];
    t.same((await store.commit(writes)).seqs, [1, 2, 1]);
    t.equal((await store.commit(writes)).repeated, 1, 'the first one is named');
  });
  await t.test('repetitions that wait at once are seen', async t => {
    const store = await make(t);
    const receipts = await Promise.all(
      Array.from({ length: 40 }, (_, n) => store.commit([message('lobby', 'x', { key: `${n % 20}`, sinceMs: 0 })])),
    );
    t.same(receipts.filter(({ repeated }) => repeated !== undefined).length, 20);
    t.same(receipts[25]?.repeated, receipts[5]?.seqs[0]);
    t.equal(await store.head('lobby'), 20);
  });
  await t.test('a refused transaction remembers no key', async t => {
    const store = await make(t);
    const said = message('lobby', 'x', { key: 'k', sinceMs: 0 });
    await refuses(
      t,
      store,
      [said, { kind: 'remove-entry', path: at('/lobby/a'), recursive: false }],
      '/lobby/a',
      'no a',
    );
    t.same((await store.commit([said])).seqs, [1]);
  });
}

async function revisions(t: Test, make: MakeStore): Promise<void> {
  await t.test('a message is revised as an edit or as a tombstone', async t => {
    const store = await make(t);
    await store.commit([message('lobby', 'helo'), message('lobby', 'secret'), message('lobby', 'stays')]);
    await store.commit([
      { kind: 'revise', room: 'lobby', seq: 1, text: 'hello \u{1f600}', edited: '2026-11-23T02:00:00Z' },
    ]);
    await store.commit([{ kind: 'revise', room: 'lobby', seq: 2, text: 'ignored', deleted: true }]);
    const rows = await store.history('lobby', { limit: 3 });
    t.match(rows[0]?.event, { seq: 1, text: 'hello \u{1f600}', edited: '2026-11-23T02:00:00Z' });
    t.notOk(rows[0]?.event && 'deleted' in rows[0].event, 'an edit is not a tombstone');
    t.match(rows[1]?.event, { seq: 2, text: '', deleted: true });
    t.strictSame((await store.logRow('lobby', 1))?.event, rows[0]?.event, 'read alone it is the same');
    t.match(rows[2]?.event, { text: 'stays' });
  });
  await t.test('only a message can be revised', async t => {
    const store = await make(t);
    const topic = { event: 'TOPIC' as const, room: 'lobby', time: '2026-11-23T01:00:03Z', from: 'ada', text: 'x' };
    await store.commit([{ kind: 'append', by: ada, timeMs: 1, event: topic }]);
    await refuses(t, store, [{ kind: 'revise', room: 'lobby', seq: 1, text: 'y' }], '1', 'a topic');
    await refuses(t, store, [{ kind: 'revise', room: 'lobby', seq: 9, text: 'y' }], '9', 'nothing');
  });
}

async function reactions(t: Test, make: MakeStore): Promise<void> {
  const react = (emoji: string, by: PrincipalId, isOn: boolean, seq = 1): Write[] => [
    { kind: 'react', room: 'lobby', seq, by, emoji, isOn },
  ];
  const store = await make(t);
  await store.commit([message('lobby', 'said'), message('lobby', 'other')]);
  const held = async () => (await store.logRow('lobby', 1))?.reactions;
  // As text: a comparison of objects stumbles over the word `constructor`.
  const text = async () => JSON.stringify(await held());
  t.equal(await held(), undefined, 'nobody reacted');
  for (const [emoji, by] of [
    ['\u{1f44d}', ada],
    ['constructor', 'u:bob'],
    ['\u{1f44d}', 'u:bob'],
  ] as const) {
    await store.commit(react(emoji, by, true));
  }
  t.equal(await text(), JSON.stringify({ '\u{1f44d}': [ada, 'u:bob'], constructor: ['u:bob'] }));
  await refuses(t, store, react('constructor', 'u:bob', true), '1', 'it is there');
  await refuses(t, store, react('no', 'u:bob', false), '1', 'it is not there');
  await refuses(t, store, react('no', 'u:bob', true, 9), '9', 'no message');
  await store.commit([{ kind: 'revise', room: 'lobby', seq: 1, text: 'mended', edited: '2026-11-23T02:00:00Z' }]);
  t.equal(Object.keys((await held()) ?? {}).length, 2, 'an edit leaves them');
  await store.commit(react('\u{1f44d}', ada, false));
  t.equal(await text(), JSON.stringify({ '\u{1f44d}': ['u:bob'], constructor: ['u:bob'] }));
  const [row] = await store.history('lobby', { after: 0, limit: 1 });
  t.match(row?.event, { text: 'mended', seq: 1 });
  t.notOk(row && 'reactions' in row.event, 'they are not part of the event');
  await store.commit([...react('\u{1f44d}', 'u:bob', false), ...react('constructor', 'u:bob', false)]);
  t.equal(await held(), undefined, 'the last one leaves nothing');
}

async function removedLogs(t: Test, make: MakeStore): Promise<void> {
  const store = await make(t);
  await store.commit([message('den', 'stays'), message('lobby', 'a'), message('lobby', 'b')]);
  await refuses(
    t,
    store,
    [
      { kind: 'remove-log', room: 'lobby' },
      { kind: 'put-document', document: 'room', key: 'x', value: 1, expect: 3 },
    ],
    'x',
    'all or nothing',
  );
  t.equal(await store.head('lobby'), 2);
  t.same((await store.commit([message('lobby', 'c')])).seqs, [3], 'a refused removal moves no number');
  await store.commit([{ kind: 'remove-log', room: 'lobby' }]);
  t.same([await store.head('lobby'), await store.head('den')], [0, 1]);
  t.same((await store.commit([message('lobby', 'anew')])).seqs, [1]);
  t.same(await texts(store, 'lobby'), [[1, 'anew']]);
  // More rows than wait for an index.
  await Promise.all(Array.from({ length: 1_200 }, () => store.commit([message('lobby', 'needle')])));
  const query = parseQuery('needle');
  if (query.kind === 'invalid') throw new Error(query.reason);
  const found = async () => (await store.search({ rooms: ['lobby'], query: query.query, limit: 5_000 })).length;
  t.equal(await found(), 1_200);
  await store.commit([{ kind: 'remove-log', room: 'lobby' }]);
  t.same([await found(), await store.transcripts('lobby')], [0, []], 'nothing of it is found or read');
  await store.commit([message('lobby', 'needle')]);
  t.equal(await found(), 1);
}

async function documents(t: Test, make: MakeStore): Promise<void> {
  const store = await make(t);
  const put = (key: string, value: unknown, expect?: number): Write[] => [
    { kind: 'put-document', document: 'account', key, value, ...(expect !== undefined && { expect }) },
  ];
  const value = { name: 'Ada', list: [1, null, 'x'], deep: { yes: true } };
  await store.commit(put('ada', value, 0));
  value.name = 'changed by the caller';
  const first = { key: 'ada', version: 1, value: { ...value, name: 'Ada' } };
  t.strictSame(await store.document('account', 'ada'), first, 'the version starts at 1');
  await refuses(t, store, put('ada', 1, 0), 'ada', 'none was expected');
  await refuses(t, store, put('ada', 1, 2), 'ada', 'another version was expected');
  await refuses(t, store, put('bob', 1, 1), 'bob', 'one was expected');
  await store.commit(put('ada', 'two', 1));
  await store.commit(put('ada', 'three'));
  t.strictSame(await store.document('account', 'ada'), { key: 'ada', version: 3, value: 'three' });
  t.equal(await store.document('room', 'ada'), undefined, 'kinds are apart');
  await Promise.all(['c', 'b', 'é', 'd'].map(key => store.commit(put(key, key))));
  const keys = async (page: { after?: string; limit: number }) =>
    (await store.documents('account', page)).map(({ key }) => key);
  t.same(await keys({ limit: 10 }), ['ada', 'b', 'c', 'd', 'é'], 'in the order of keys');
  t.same(await keys({ limit: 2, after: 'b' }), ['c', 'd'], 'behind the last');
  t.same(await store.documents('token', { limit: 10 }), []);
  await store.commit([{ kind: 'remove-document', document: 'account', key: 'ada' }]);
  t.equal(await store.document('account', 'ada'), undefined);
  await store.commit([{ kind: 'remove-document', document: 'account', key: 'ada' }]);
  await store.commit(put('ada', 'new', 0));
  t.equal((await store.document('account', 'ada'))?.version, 1, 'begins anew');
  const races = await Promise.allSettled(Array.from({ length: 8 }, () => store.commit(put('race', 1, 0))));
  t.equal(races.filter(({ status }) => status === 'fulfilled').length, 1, 'one of those who compare and set wins');
}

async function transactions(t: Test, make: MakeStore): Promise<void> {
  await t.test('all steps or none', async t => {
    const store = await make(t);
    await tree(store);
    await store.commit([message('lobby', 'before')]);
    const writes: Write[] = [
      message('lobby', 'never'),
      message('den', 'never'),
      { kind: 'revise', room: 'lobby', seq: 1, text: 'never' },
      { kind: 'put-document', document: 'room', key: 'lobby', value: 1 },
      { kind: 'move-entry', from: at('/lobby/a'), to: at('/lobby/z') },
      { kind: 'remove-entry', path: at('/lobby/ab'), recursive: true },
      fileRow('/lobby/z/new', 'b9'),
      { kind: 'put-document', document: 'room', key: 'other', value: 1, expect: 7 },
    ];
    const [refused, kept] = await Promise.allSettled([store.commit(writes), store.commit([message('lobby', 'after')])]);
    t.equal(refused.status, 'rejected');
    t.same(kept.status === 'fulfilled' && kept.value.seqs, [2], 'the neighbour in the same commit is not harmed');
    t.same(await texts(store, 'lobby'), [
      [1, 'before'],
      [2, 'after'],
    ]);
    t.equal(await store.head('den'), 0);
    t.equal(await store.document('room', 'lobby'), undefined);
    t.same(await names(store, '/lobby/a'), ['/lobby/a/b', '/lobby/a/g']);
    t.same(await names(store, '/lobby/ab'), ['/lobby/ab/f']);
    t.equal(await store.entry(at('/lobby/z')), undefined);
  });
  await t.test('a transaction without steps is fine', async t => {
    t.same(await (await make(t)).commit([]), { seqs: [], unreferenced: [] });
  });
  await t.test('a store without trouble has none', async t => {
    t.equal((await make(t)).trouble(), undefined);
  });
}
