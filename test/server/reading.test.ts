/** What was said, read again: searching it, and its transcripts as files. */
import t from 'tap';
import type { RoomDocument } from '../../server/hub/live-rooms.ts';
import { memoryStore } from '../../server/store/memory/store.ts';
import { type Guest, testHub } from '../support/hub.ts';

const texts = (rows: readonly Record<string, unknown>[]) => rows.map(row => row['text']);

/** A hub with a room that only ada may read, and one into which eve may drop. */
async function hubWithDen() {
  const store = memoryStore();
  const room = (name: string, roles: RoomDocument['roles']) => {
    const value: RoomDocument = { name, topic: '', visibility: 'private', roles, created: '2026-11-23T00:00:00Z' };
    return { kind: 'put-document', document: 'room', key: name, value } as const;
  };
  await store.commit([room('den', { ada: 'owner' }), room('box', { ada: 'owner', bob: 'dropper' })]);
  return testHub({ store });
}

async function get(person: Guest, path: string, range: { offset?: number; length?: number } = {}) {
  const parts: Uint8Array[] = [];
  const take = (_fields: unknown, _name: unknown, octets?: Uint8Array) => void (octets && parts.push(octets));
  const output = await person.do('GET', { path, ...range }, { row: take });
  return { ...output, text: Buffer.concat(parts).toString() };
}

t.test('search', async t => {
  t.test('finds in every room that one may read, and nowhere else', async t => {
    const { account, guest } = await hubWithDen();
    const [ada, bob, eve] = [await account('ada'), await account('bob'), await guest('eve')];
    await ada.do('SAY', { room: 'den', text: 'the plan of the den' });
    await ada.do('SAY', { room: 'box', text: 'the plan of the box' });
    await ada.do('SAY', { room: 'lobby', text: 'a plan for all' });
    t.equal((await ada.rows('SEARCH', { query: 'plan' })).length, 3);
    for (const person of [bob, eve]) t.same(texts(await person.rows('SEARCH', { query: 'plan' })), ['a plan for all']);
    t.equal(await bob.code('SEARCH', { room: 'box', query: 'plan' }), 'forbidden', 'who drops does not read');
    t.equal(await eve.code('SEARCH', { room: 'den', query: 'plan' }), 'no-room');
    t.equal(await eve.code('SEARCH', { query: 'plan in:den' }), 'no-room');
    t.equal(await eve.code('SEARCH', { query: 'plan in:lobby in:den' }), 'no-room');
    t.same(texts(await ada.rows('SEARCH', { query: 'plan in:den' })), ['the plan of the den']);
    t.same(await ada.rows('SEARCH', { room: 'lobby', query: 'plan in:den' }), [], 'both must hold');
  });

  t.test('pages backwards through one room', async t => {
    const { guest } = await testHub();
    const ada = await guest('ada');
    for (let i = 0; i < 7; i++) await ada.do('SAY', { room: 'lobby', text: `天气 ${i}` });
    const input = { room: 'lobby', query: '天气', limit: 3 };
    t.same(texts(await ada.rows('SEARCH', input)), ['天气 4', '天气 5', '天气 6']);
    t.same(await ada.do('SEARCH', input), { room: 'lobby', count: 3, more: 'yes' });
    t.same(texts(await ada.rows('SEARCH', { ...input, before: 5 })), ['天气 1', '天气 2', '天气 3']);
    t.same(await ada.do('SEARCH', { ...input, before: 2 }), { room: 'lobby', count: 1, more: 'no' });
    t.equal(await ada.code('SEARCH', { query: '天气', before: 5 }), 'ok', 'the lobby is the only room');
  });

  t.test('a number counts in one room only, and a query must say something', async t => {
    const { account } = await hubWithDen();
    const ada = await account('ada');
    t.equal(await ada.code('SEARCH', { query: 'x', before: 5 }), 'bad-argument');
    t.equal(await ada.code('SEARCH', { query: 'x in:den', before: 5 }), 'ok');
    for (const query of ['', '!', 'x before:noon', 'x'.repeat(301)]) {
      t.equal(await ada.code('SEARCH', { query }), 'bad-argument', query);
    }
  });

  t.test('sees what was said, mended, taken back and put a moment ago', async t => {
    const { account } = await testHub();
    const ada = await account('ada');
    await ada.do('SAY', { room: 'lobby', text: 'helo' });
    await ada.do('EDIT', { room: 'lobby', of: 1, text: 'hello' });
    t.same(await ada.rows('SEARCH', { query: 'helo' }), []);
    t.same(texts(await ada.rows('SEARCH', { query: 'hello' })), ['hello']);
    await ada.do('DELETE', { room: 'lobby', of: 1 });
    t.same(await ada.rows('SEARCH', { query: 'hello' }), []);
    await ada.put('/lobby/日程表.txt', 'x');
    const [file] = await ada.rows('SEARCH', { query: '日程 has:file from:ADA' });
    t.match(file, { event: 'FILE', op: 'put', path: '/lobby/日程表.txt' });
  });
});

t.test('transcripts', async t => {
  t.test('are listed by name, read in ranges, and not seen from above', async t => {
    const { guest } = await testHub();
    const ada = await guest('ada');
    t.same(await ada.rows('LS', { path: '/lobby/.chat' }), [], 'nothing was said');
    t.equal(await ada.code('GET', { path: '/lobby/.chat/all.jsonl' }), 'no-file');
    await ada.do('SAY', { room: 'lobby', text: 'one\ntwo' });
    t.same(await ada.rows('LS', { path: '/lobby' }), []);
    t.same(await ada.do('STAT', { path: '/lobby/.chat' }), { path: '/lobby/.chat', type: 'dir' });
    const files = await ada.rows('LS', { path: '/lobby/.chat' });
    t.match(files, [{ name: /^[\d-]{10}\.md$/ }, { name: /^[\d-]{10}\.txt$/ }, { name: 'all.jsonl', type: 'file' }]);
    const path = `/lobby/.chat/${files[1]!['name']}`;
    const { size, text, hash } = await get(ada, path);
    t.match(text, /^\d\d:\d\d:\d\d ada: one\n {9}two\n$/);
    t.equal(hash, undefined, 'it grows');
    t.match(await ada.do('STAT', { path }), { type: 'file', size, modified: files[1]!['modified'] });
    t.same((await ada.rows('LS', { path }))[0], files[1]);
    t.equal((await ada.rows('LS', { path: '/lobby/.chat', after: String(files[1]!['name']) })).length, 1);
    t.equal((await get(ada, path, { offset: 9, length: 3 })).text, 'ada');
    await ada.do('SAY', { room: 'lobby', text: 'three' });
    t.match((await get(ada, path, { offset: size })).text, /^\d\d:\d\d:\d\d ada: three\n$/, 'the rest is what came');
    t.equal(await ada.code('GET', { path, offset: 10_000 }), 'bad-argument');
    t.equal(await ada.code('GET', { path, 'if-hash': `sha256:${'0'.repeat(64)}` }), 'if-match');
  });

  t.test('are never written, moved or removed, and nothing takes their name', async t => {
    const { account } = await testHub();
    const admin = await account('admin');
    await admin.do('SAY', { room: 'lobby', text: 'x' });
    await admin.put('/lobby/f', 'x');
    const all = '/lobby/.chat/all.jsonl';
    for (const path of ['/lobby/.chat', all, '/lobby/.chat/new', '/lobby/.chat/a/b']) {
      t.equal(await admin.code('PUT', { path, size: 1 }), 'forbidden', `PUT ${path}`);
      t.equal(
        await admin.code('PUT', { path, size: 1, parents: true, mode: 'replace' }),
        'forbidden',
        `PUT all ${path}`,
      );
      t.equal(await admin.code('MKDIR', { path }), 'forbidden', `MKDIR ${path}`);
      t.equal(await admin.code('RM', { path, recursive: true }), 'forbidden', `RM ${path}`);
      t.equal(await admin.code('MV', { from: path, to: '/lobby/g' }), 'forbidden', `MV from ${path}`);
      t.equal(await admin.code('MV', { from: '/lobby/f', to: path }), 'forbidden', `MV to ${path}`);
      t.equal(await admin.code('CP', { from: '/lobby/f', to: path }), 'forbidden', `CP to ${path}`);
      t.equal(await admin.code('CP', { from: path, to: '/lobby/g' }), 'forbidden', `CP from ${path}`);
    }
    await admin.do('MKDIR', { path: '/lobby/sub' });
    t.equal(await admin.code('MKDIR', { path: '/lobby/sub/.chat' }), 'ok', 'elsewhere it is a name');
    t.same(
      (await admin.rows('LS', { path: '/lobby' })).map(({ name }) => name),
      ['f', 'sub'],
    );
  });

  t.test('are for those who may read the room', async t => {
    const { account, guest } = await hubWithDen();
    await (await account('ada')).do('SAY', { room: 'box', text: 'x' });
    const [bob, eve] = [await account('bob'), await guest('eve')];
    for (const [command, path] of [
      ['LS', '/box/.chat'],
      ['STAT', '/box/.chat/all.jsonl'],
      ['GET', '/box/.chat/all.jsonl'],
    ] as const) {
      t.equal(await bob.code(command, { path }), 'forbidden', command);
      t.equal(await eve.code(command, { path }), 'no-room', command);
    }
  });

  t.test('tell of an edit, and lose what was deleted', async t => {
    const { guest } = await testHub();
    const ada = await guest('ada');
    await ada.do('SAY', { room: 'lobby', text: 'my "secret"' });
    await ada.do('EDIT', { room: 'lobby', of: 1, text: 'my secret, mended' });
    const before = await get(ada, '/lobby/.chat/all.jsonl');
    t.match(before.text, /my \\"secret\\"[\s\S]*EDITED[\s\S]*mended/);
    await ada.do('DELETE', { room: 'lobby', of: 1 });
    const after = await get(ada, '/lobby/.chat/all.jsonl');
    t.notMatch(after.text, 'secret');
    const events = after.text
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
    t.match(events, [
      { event: 'MSG', seq: 1, from: 'ada', guest: true },
      { event: 'EDITED', seq: 2, of: 1 },
      { event: 'DELETED', seq: 3, of: 1 },
    ]);
    t.match(await get(ada, '/lobby/.chat/all.jsonl', { offset: before.size }), { text: after.text.slice(before.size) });
    t.notMatch(JSON.stringify(await ada.rows('HISTORY', { room: 'lobby' })), 'secret', 'nor does the history tell it');
  });
});
