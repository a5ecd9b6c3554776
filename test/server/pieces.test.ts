/** The hashes of pieces, uploads that take pieces of other files, and contents that need not be sent at all. */
import { createHash, randomBytes } from 'node:crypto';
import t from 'tap';
import { limits, MIB } from '../../shared/limits.ts';
import { type Guest, testHub } from '../support/hub.ts';

const sha256 = (octets: Uint8Array | string) => `sha256:${createHash('sha256').update(octets).digest('hex')}`;
const none = `sha256:${'0'.repeat(64)}`;

const chunk = (person: Guest, upload: string | undefined, offset: number, octets: Uint8Array) =>
  person.do('CHUNK', { upload: upload!, offset }, { content: { pieces: [Uint8Array.from(octets)] } });

t.test('the pieces of a file have hashes, and so has what an upload holds', async t => {
  const { account } = await testHub();
  const [ada, bob] = [await account('ada'), await account('bob')];
  const octets = randomBytes(2 * MIB + 100);
  await ada.put('/lobby/big', octets);
  const piecesOf = (size: number, length = octets.length) =>
    Array.from({ length: Math.ceil(length / size) }, (_, n) => {
      const piece = octets.subarray(n * size, Math.min(length, (n + 1) * size));
      return { offset: n * size, length: piece.length, hash: sha256(piece) };
    });
  t.same(await bob.rows('PIECES', { of: '/lobby/big' }), piecesOf(MIB));
  t.same(await bob.rows('PIECES', { of: '/lobby/big', size: '65536' }), piecesOf(65_536));
  t.same(await bob.do('PIECES', { of: '/lobby/big' }), {
    of: '/lobby/big',
    size: octets.length,
    hash: sha256(octets),
    count: 3,
  });
  await ada.put('/lobby/small', 'abc');
  t.same(await bob.rows('PIECES', { of: '/lobby/small' }), [{ offset: 0, length: 3, hash: sha256('abc') }]);
  await ada.put('/lobby/empty', '');
  t.match(await bob.do('PIECES', { of: '/lobby/empty' }), { size: 0, count: 0 });
  const { upload } = await ada.do('PUT', { path: '/lobby/held', size: 3 * MIB });
  await chunk(ada, upload, 0, octets.subarray(0, MIB + 10));
  await chunk(ada, upload, 2 * MIB, new Uint8Array(MIB));
  const zeros = { offset: 2 * MIB, length: MIB, hash: sha256(new Uint8Array(MIB)) };
  t.same(await ada.rows('PIECES', { of: upload }), [...piecesOf(MIB, MIB), zeros]);
  t.equal(await bob.code('PIECES', { of: upload }), 'no-upload');
});

t.test('pieces are asked of what may be downloaded, in sizes that are bearable', async t => {
  const { account, store } = await testHub();
  const [ada, bob] = [await account('ada'), await account('bob')];
  await ada.put('/~ada/a', 'a');
  await ada.put('/lobby/a', 'a');
  for (const [of, code] of [
    ['/~ada/a', 'no-room'],
    ['/lobby', 'no-file'],
    ['/', 'bad-argument'],
    ['/lobby/.chat/all.jsonl', 'forbidden'],
    ['/lobby/none', 'no-file'],
    ['u_none_there', 'no-upload'],
    ['lobby', 'bad-argument'],
  ] as const)
    t.equal(await bob.code('PIECES', { of }), code, of);
  for (const size of [limits.pieceOctetsMin - 1, limits.pieceOctetsMax + 1, '1MiB'])
    t.equal(await bob.code('PIECES', { of: '/lobby/a', size }), 'bad-argument', `${size}`);
  await ada.do('CREATE', { room: 'den' });
  await ada.put('/den/a', 'a');
  await ada.do('ROLE', { room: 'den', user: 'bob', role: 'dropper' });
  t.equal(await bob.code('PIECES', { of: '/den/a' }), 'forbidden');
  const huge = { size: limits.piecesMax * MIB + 1, hash: none, content: { kind: 'blob', id: 'x' } } as const;
  const row = { path: '/lobby/huge', owner: 'u:ada', ownerName: 'ada', modified: '', type: 'file', ...huge } as const;
  await store.commit([{ kind: 'put-entry', entry: row as never, expect: 'any' }]);
  t.equal(await bob.code('PIECES', { of: '/lobby/huge' }), 'too-large');
});

t.test('hashing ends with whoever asked, and a person has only so much of it at once', async t => {
  const { account } = await testHub();
  const ada = await account('ada');
  await ada.put('/lobby/big', randomBytes(40 * MIB));
  const stop = new AbortController();
  const rows: unknown[] = [];
  const row = (fields: object) => {
    rows.push(fields);
    stop.abort();
  };
  t.equal(await ada.code('PIECES', { of: '/lobby/big' }, { row, signal: stop.signal }), 'cancelled');
  t.ok(rows.length < 40);
  let go = () => {};
  const wait = new Promise<void>(resolve => {
    go = resolve;
  });
  const waiting = Array.from({ length: limits.piecesAtOnceMax }, () =>
    ada.code('PIECES', { of: '/lobby/big' }, { row: () => wait }),
  );
  t.equal(await ada.code('PIECES', { of: '/lobby/big' }), 'busy');
  go();
  t.same(new Set(await Promise.all(waiting)), new Set(['ok']));
  t.equal(await ada.code('PIECES', { of: '/lobby/big' }), 'ok');
});

t.test('an upload takes from a file what it need not send, and is a file of its own', async t => {
  const { account } = await testHub();
  const [ada, bob] = [await account('ada'), await account('bob')];
  const old = randomBytes(3 * MIB);
  const { hash } = await ada.put('/lobby/old', old);
  const [head, added, tail] = [old.subarray(0, MIB), Buffer.from('new'), old.subarray(2 * MIB + 5)];
  const wanted = Buffer.concat([head, added, tail]);
  const { upload } = await bob.do('PUT', { path: '/lobby/new', size: wanted.length });
  const keep = { upload: upload!, from: '/lobby/old' };
  t.same(await bob.do('KEEP', { ...keep, offset: 0, length: MIB, 'if-hash': hash! }), { upload, offset: 0, size: MIB });
  await chunk(bob, upload, MIB, added);
  await bob.do('KEEP', { ...keep, offset: MIB + 3, length: tail.length, 'from-offset': 2 * MIB + 5 });
  await ada.do('RM', { path: '/lobby/old' });
  t.match(await bob.do('COMMIT', { upload: upload!, hash: sha256(wanted) }), { size: wanted.length });
  const got: Uint8Array[] = [];
  await bob.do('GET', { path: '/lobby/new' }, { row: (_, __, octets) => void got.push(Uint8Array.from(octets!)) });
  t.ok(wanted.equals(Buffer.concat(got)));
});

t.test('an upload takes only from what may be downloaded, and only what is there', async t => {
  const { account } = await testHub();
  const [ada, bob] = [await account('ada'), await account('bob')];
  await ada.put('/~ada/a', 'abc');
  await ada.put('/lobby/a', 'abc');
  await ada.do('CREATE', { room: 'den' });
  await ada.put('/den/a', 'abc');
  await ada.do('ROLE', { room: 'den', user: 'bob', role: 'dropper' });
  const { upload } = await bob.do('PUT', { path: '/lobby/b', size: 4 });
  const whole = { upload, from: '/lobby/a', offset: 0, length: 3 };
  for (const [change, code] of [
    [{ from: '/~ada/a' }, 'no-room'],
    [{ from: '/den/a' }, 'forbidden'],
    [{ from: '/lobby/none' }, 'no-file'],
    [{ from: '/lobby/.chat/all.jsonl' }, 'forbidden'],
    [{ length: 4 }, 'bad-argument'],
    [{ 'from-offset': 1 }, 'bad-argument'],
    [{ offset: 2 }, 'bad-argument'],
    [{ 'if-hash': none }, 'if-match'],
    [{ length: limits.keepOctetsMax + 1 }, 'too-large'],
    [{ upload: 'u_none_there' }, 'no-upload'],
    [{}, 'ok'],
  ] as const)
    t.equal(await bob.code('KEEP', { ...whole, ...change }), code, JSON.stringify(change));
  t.equal(await ada.code('KEEP', whole), 'no-upload', 'another person’s upload');
  t.match(await bob.do('OFFSET', { upload: upload! }), { have: '0-2' });
});

t.test('a content that one may download already need not be sent', async t => {
  const { account, settle } = await testHub();
  const [ada, bob] = [await account('ada'), await account('bob')];
  const octets = randomBytes(MIB);
  const facts = { size: octets.length, hash: sha256(octets) };
  await ada.put('/lobby/a', octets);
  await bob.do('JOIN', { room: 'lobby' });
  const { upload } = await bob.do('PUT', { path: '/lobby/d/b', size: octets.length, parents: true });
  const done = await bob.do('PUT', { path: '/lobby/d/b', ...facts, modified: '2020-01-01T00:00:00Z' });
  t.same(done, { done: true, path: '/lobby/d/b', ...facts, seq: 2 });
  t.equal(await bob.code('OFFSET', { upload }), 'no-upload', 'what was begun before is over');
  await settle();
  t.match(bob.events.at(-1), { event: 'FILE', op: 'put', path: '/lobby/d/b', from: 'bob' });
  t.match(await bob.do('STAT', { path: '/lobby/d/b' }), { owner: 'bob', modified: '2020-01-01T00:00:00Z' });
  await ada.do('RM', { path: '/lobby/a' });
  t.match(await bob.rows('PIECES', { of: '/lobby/d/b' }), [{ hash: facts.hash }], 'the content is its own');
  t.equal(await bob.code('PUT', { path: '/lobby/d/b', ...facts }), 'exists');
  t.match(await bob.do('PUT', { path: '/lobby/d/b', ...facts, mode: 'replace' }), { done: true }, 'over itself');
  t.match(await bob.rows('PIECES', { of: '/lobby/d/b' }), [{ hash: facts.hash }]);
  t.match(await bob.do('PUT', { path: '/lobby/c', ...facts, size: 5 }), { have: '' }, 'another size');
  await bob.put('/lobby/small', 'abc');
  t.match(await bob.do('PUT', { path: '/lobby/small2', size: 3, hash: sha256('abc') }), { done: true });
});

t.test('whether strangers hold a content is not told', async t => {
  const { account } = await testHub();
  const [ada, bob] = [await account('ada'), await account('bob')];
  const facts = { size: 3, hash: sha256('abc') };
  await ada.put('/~ada/a', 'abc');
  await ada.do('CREATE', { room: 'den' });
  await ada.put('/den/a', 'abc');
  await ada.do('ROLE', { room: 'den', user: 'bob', role: 'dropper' });
  const { upload, ...answer } = await bob.do('PUT', { path: '/lobby/b', ...facts });
  t.same(answer, { piece: MIB, have: '' });
  t.equal(await bob.code('COMMIT', { upload }), 'conflict');
  await ada.do('ROLE', { room: 'den', user: 'bob', role: 'reader' });
  t.match(await bob.do('COMMIT', { upload: upload! }), { ...facts, seq: 1 }, 'and at the end it is looked at again');
});

t.test('an upload on its way ends when its content turns out to be there, and repeats its answer', async t => {
  const { account } = await testHub();
  const [ada, bob] = [await account('ada'), await account('bob')];
  const octets = randomBytes(2 * MIB);
  await ada.put('/lobby/a', octets);
  const { upload } = await bob.do('PUT', { path: '/lobby/b', size: octets.length });
  await chunk(bob, upload, 0, octets.subarray(0, MIB));
  const commit = { upload: upload!, hash: sha256(octets) };
  const done = await bob.do('COMMIT', commit);
  t.match(done, { path: '/lobby/b', size: octets.length, seq: 2 });
  t.same(await bob.do('COMMIT', commit), done);
  t.same(await bob.rows('UPLOADS', {}), []);
  t.equal(await bob.code('CHUNK', { upload, offset: 0 }, { content: { pieces: [octets] } }), 'no-upload');
});

t.test('what need not be sent counts as if it had been', async t => {
  const { account } = await testHub();
  const [ada, bob] = [await account('ada'), await account('bob')];
  await ada.put('/lobby/a', 'abcdef');
  await bob.do('CREATE', { room: 'den' });
  await bob.do('QUOTA', { room: 'den', octets: 5 });
  t.equal(await bob.code('PUT', { path: '/den/a', size: 6, hash: sha256('abcdef') }), 'quota');
});
