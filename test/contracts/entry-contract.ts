/** What the contract of `Store` says of files and folders, for any implementation. */
import type { Test } from 'tap';
import type { Write } from '../../server/hub/writes.ts';
import type { MakeStore } from './store-contract.ts';
import {
  ada,
  at,
  common,
  fileRow,
  folderRow,
  hashNamed,
  message,
  names,
  putEntry,
  refuses,
  tree,
} from './store-writes.ts';

export function entryContract(t: Test, name: string, make: MakeStore): void {
  t.test(`${name}: entries`, async t => {
    await puts(t, make);
    await moves(t, make);
    await announcements(t, make);
    await contents(t, make);
    await removals(t, make);
    await listings(t, make);
  });
}

async function puts(t: Test, make: MakeStore): Promise<void> {
  await t.test('an entry comes back with its content', async t => {
    const store = await make(t);
    const octets = Buffer.from('..abc..').subarray(2, 5);
    const inline = { ...common('/lobby/in'), type: 'file', size: 3, hash: hashNamed('b') } as const;
    const put = putEntry({ ...inline, content: { kind: 'inline', octets } }, 'absent');
    const committed = store.commit([folderRow('/lobby/d'), fileRow('/lobby/d/f', 'blob-1'), put]);
    octets.fill(0);
    t.same(await committed, { seqs: [], unreferenced: [] });
    t.strictSame(await store.entry(at('/lobby/d')), { ...common('/lobby/d'), type: 'dir' });
    t.strictSame(await store.entry(at('/lobby/d/f')), {
      ...common('/lobby/d/f'),
      type: 'file',
      size: 3,
      hash: hashNamed('a'),
      content: { kind: 'blob', id: 'blob-1' },
    });
    const row = await store.entry(at('/lobby/in'));
    const content = row?.type === 'file' ? row.content : undefined;
    t.strictSame(row, { ...inline, content }, 'with all facts');
    t.equal(content?.kind === 'inline' && Buffer.from(content.octets).toString(), 'abc', 'as it was when committed');
    t.equal(await store.entry(at('/lobby/none')), undefined);
    t.equal(await store.entry(at('/lobby')), undefined, 'the room itself has no entry');
  });
  await t.test('expectations of what stands at a path', async t => {
    const store = await make(t);
    await store.commit([fileRow('/lobby/f', 'b1', 'a'), folderRow('/lobby/d')]);
    await refuses(t, store, [fileRow('/lobby/f', 'b2', 'b')], '/lobby/f', 'absent, and it is there');
    await refuses(t, store, [fileRow('/lobby/f', 'b2', 'b', { hash: hashNamed('c') })], '/lobby/f', 'another hash');
    await refuses(
      t,
      store,
      [fileRow('/lobby/g', 'b2', 'b', { hash: hashNamed('c') })],
      '/lobby/g',
      'a hash of nothing',
    );
    const replaced = await store.commit([fileRow('/lobby/f', 'b2', 'b', { hash: hashNamed('a') })]);
    t.same(replaced.unreferenced, ['b1'], 'the old blob has no entry any more');
    t.same((await store.commit([fileRow('/lobby/f', 'b3', 'c', 'any')])).unreferenced, ['b2']);
    t.same((await store.commit([fileRow('/lobby/new', 'b4', 'd', 'any')])).unreferenced, []);
    t.same((await store.commit([fileRow('/lobby/f', 'b3', 'c', 'any')])).unreferenced, [], 'the same blob again');
    await refuses(t, store, [fileRow('/lobby/d', 'b5', 'e', 'any')], '/lobby/d', 'a file over a folder');
    await refuses(t, store, [folderRow('/lobby/f', 'any')], '/lobby/f', 'a folder over a file');
  });
  await t.test('the parent is a folder or the root of a room', async t => {
    const store = await make(t);
    await store.commit([fileRow('/lobby/f', 'b1')]);
    await refuses(t, store, [fileRow('/lobby/d/f', 'b2')], '/lobby/d/f', 'no folder');
    await refuses(t, store, [fileRow('/lobby/f/g', 'b2')], '/lobby/f/g', 'a file as the folder');
    await refuses(t, store, [folderRow('/lobby')], '/lobby', 'a room is no entry');
    t.same((await store.commit([folderRow('/lobby/d'), fileRow('/lobby/d/f', 'b2')])).seqs, [], 'made just before');
  });
}

async function moves(t: Test, make: MakeStore): Promise<void> {
  await t.test('a folder moves with all below it, and with nothing beside it', async t => {
    const store = await make(t);
    await tree(store);
    const receipt = await store.commit([{ kind: 'move-entry', from: at('/lobby/a'), to: at('/lobby/ab/\u{1f600}é') }]);
    t.same(receipt, { seqs: [], unreferenced: [] });
    t.same(await names(store, '/lobby'), ['/lobby/a.txt', '/lobby/a0', '/lobby/ab']);
    t.same(await names(store, '/lobby/ab'), ['/lobby/ab/f', '/lobby/ab/\u{1f600}é']);
    t.same(await names(store, '/lobby/ab/\u{1f600}é'), ['/lobby/ab/\u{1f600}é/b', '/lobby/ab/\u{1f600}é/g']);
    t.match(await store.entry(at('/lobby/ab/\u{1f600}é/b/f')), { content: { id: 'b1' }, owner: ada });
    t.equal(await store.entry(at('/lobby/a/b/f')), undefined);
    await store.commit([{ kind: 'move-entry', from: at('/lobby/ab/\u{1f600}é'), to: at('/den/a') }]);
    t.same(await names(store, '/den/a/b'), ['/den/a/b/f'], 'to another room, and back to a shorter name');
  });
  await t.test('moves that cannot be are refused', async t => {
    const store = await make(t);
    await tree(store);
    const move = (from: string, to: string): Write[] => [{ kind: 'move-entry', from: at(from), to: at(to) }];
    await refuses(t, store, move('/lobby/none', '/lobby/x'), '/lobby/none', 'from nothing');
    await refuses(t, store, move('/lobby/a', '/lobby/ab'), '/lobby/ab', 'onto what is there');
    await refuses(t, store, move('/lobby/a', '/lobby/a'), '/lobby/a', 'onto itself');
    await refuses(t, store, move('/lobby/a', '/lobby/a/b/c'), '/lobby/a/b/c', 'into itself');
    await refuses(t, store, move('/lobby/a', '/lobby/none/a'), '/lobby/none/a', 'into no folder');
    await refuses(t, store, move('/lobby/a', '/lobby/a0/a'), '/lobby/a0/a', 'into a file');
    await refuses(t, store, move('/lobby/a', '/other'), '/other', 'to where rooms are');
  });
}

async function announcements(t: Test, make: MakeStore): Promise<void> {
  await t.test('an entry bears the number of the event of its transaction, as long as it is in that room', async t => {
    const store = await make(t);
    const seqAt = async (path: string) => (await store.entry(at(path)))?.seq;
    const put = (path: string, blob: string, announcedBy: number) => ({
      ...fileRow(path, blob, 'a', 'any'),
      announcedBy,
    });
    await store.commit([message('lobby', 'x'), message('den', 'x'), message('lobby', 'x'), put('/lobby/f', 'b1', 2)]);
    t.equal(await seqAt('/lobby/f'), 2);
    await store.commit([message('lobby', 'x'), { ...folderRow('/lobby/d'), announcedBy: 0 }]);
    t.equal(await seqAt('/lobby/d'), 3);
    await store.commit([fileRow('/lobby/d/g', 'b2')]);
    t.equal(await seqAt('/lobby/d/g'), undefined, 'nobody told of it');
    const move = (from: string, to: string) =>
      ({ kind: 'move-entry', from: at(from), to: at(to), announcedBy: 0 }) as const;
    await store.commit([message('lobby', 'x'), move('/lobby/f', '/lobby/d/f')]);
    t.equal(await seqAt('/lobby/d/f'), 4);
    t.equal((await store.children(at('/lobby/d'), { limit: 1 }))[0]?.seq, 4, 'listed too');
    await store.commit([message('lobby', 'x'), move('/lobby/d', '/lobby/e')]);
    t.same([await seqAt('/lobby/e'), await seqAt('/lobby/e/f')], [5, 4]);
    await store.commit([message('den', 'x'), move('/lobby/e', '/den/e')]);
    t.same([await seqAt('/den/e'), await seqAt('/den/e/f')], [2, undefined], 'numbers are of the room');
    await store.commit([fileRow('/den/e/f', 'b3', 'b', 'any')]);
    t.equal(await seqAt('/den/e/f'), undefined);
  });
  await t.test('an event that is expected has to be there, and of the kind', async t => {
    const store = await make(t);
    await store.commit([message('lobby', 'x')]);
    const expected = (seq: number, event: 'MSG' | 'FILE'): Write[] => [
      { kind: 'expect-event', room: 'lobby', seq, events: [event, 'TOPIC'] },
      message('lobby', 'y'),
    ];
    await refuses(t, store, expected(1, 'FILE'), '1', 'another kind');
    await refuses(t, store, expected(2, 'MSG'), '2', 'not there, though the transaction makes it');
    t.same((await store.commit(expected(1, 'MSG'))).seqs, [2]);
  });
}

async function contents(t: Test, make: MakeStore): Promise<void> {
  await t.test('files are found by their content, and share it while one of them has it', async t => {
    const store = await make(t);
    const inline = { ...common('/lobby/in'), type: 'file', size: 1, hash: hashNamed('c') } as const;
    const row = putEntry({ ...inline, content: { kind: 'inline', octets: Buffer.from('x') } }, 'absent');
    await store.commit([fileRow('/lobby/f', 'b1'), fileRow('/lobby/g', 'b1'), fileRow('/lobby/h', 'b2', 'b'), row]);
    const pathsWith = async (digit: string, limit = 9) =>
      (await store.filesWith(hashNamed(digit), limit)).map(({ path }) => path);
    t.same([...(await pathsWith('a'))].sort(), ['/lobby/f', '/lobby/g']);
    t.equal((await pathsWith('a', 1)).length, 1);
    t.same(await pathsWith('d'), []);
    const [found] = await store.filesWith(hashNamed('c'), 9);
    t.ok(
      found?.type === 'file' && found.content.kind === 'inline' && found.content.octets.length === 1,
      'with content',
    );
    const copy = (from: string, blob: string, digit = 'a') => ({
      ...fileRow('/den/copy', blob, digit, 'any'),
      contentOf: at(from),
    });
    for (const [from, blob, digit] of [
      ['/lobby/none', 'b1', 'a'],
      ['/lobby/h', 'b1', 'a'],
      ['/lobby/f', 'b2', 'a'],
      ['/lobby/f', 'b1', 'b'],
    ] as const)
      await refuses(t, store, [copy(from, blob, digit)], from, `${from} ${blob} ${digit}`);
    await store.commit([copy('/lobby/f', 'b1')]);
    const remove: Write[] = ['/lobby/f', '/lobby/g'].map(path => ({
      kind: 'remove-entry',
      path: at(path),
      recursive: false,
    }));
    t.same((await store.commit(remove)).unreferenced, []);
    const inlined = (from: string) => ({ ...row, entry: { ...row.entry, path: at('/den/in') }, contentOf: at(from) });
    await refuses(t, store, [inlined('/den/copy')], '/den/copy', 'another content');
    await store.commit([inlined('/lobby/in')]);
  });
}

async function removals(t: Test, make: MakeStore): Promise<void> {
  await t.test('an entry is removed with all below it, and the receipt names the blobs', async t => {
    const store = await make(t);
    await tree(store);
    await store.commit([fileRow('/lobby/copy', 'b2')]);
    const remove = (path: string, recursive: boolean): Write[] => [{ kind: 'remove-entry', path: at(path), recursive }];
    await refuses(t, store, remove('/lobby/none', true), '/lobby/none', 'nothing');
    await refuses(t, store, remove('/lobby/a', false), '/lobby/a', 'a folder with children');
    t.same(await store.commit(remove('/lobby/a/b/f', false)), { seqs: [], unreferenced: ['b1'] });
    const { owner } = (await store.entry(at('/lobby/a/b')))!;
    for (const [onlyOf, isRefused] of [
      ['u:nobody', true],
      [owner, false],
    ] as const) {
      const writes: Write[] = [
        { kind: 'move-entry', from: at('/lobby/a/b'), to: at('/lobby/c'), onlyOf },
        { kind: 'move-entry', from: at('/lobby/c'), to: at('/lobby/a/b') },
      ];
      if (isRefused) await refuses(t, store, writes, '/lobby/a/b', 'what is another person’s');
      else await store.commit(writes);
    }
    t.same((await store.commit(remove('/lobby/a/b', false))).unreferenced, [], 'an empty folder');
    t.same((await store.commit(remove('/lobby/a', true))).unreferenced, [], 'b2 has a second entry');
    t.same(await names(store, '/lobby'), ['/lobby/a.txt', '/lobby/a0', '/lobby/ab', '/lobby/copy']);
    t.same((await store.commit(remove('/lobby/copy', true))).unreferenced, ['b2']);
    const moved = await store.commit([...remove('/lobby/ab', true), fileRow('/lobby/kept', 'b5')]);
    t.same(moved.unreferenced, [], 'what counts is the end of the transaction');
  });
}

async function listings(t: Test, make: MakeStore): Promise<void> {
  await t.test('children come in the order of their names, in pages', async t => {
    const store = await make(t);
    const given = ['b', 'B', 'a', 'é', '\u{1f600}', '\uffee', 'a b', 'a.b'];
    await store.commit([...given.map((name, i) => fileRow(`/lobby/${name}`, `b${i}`)), folderRow('/lobby/dir')]);
    await store.commit([fileRow('/lobby/dir/inner', 'b9'), fileRow('/den/x', 'b10')]);
    const all = (await store.children(at('/lobby'), { limit: 100 })).map(({ path }) => path.slice('/lobby/'.length));
    t.same([...all].sort(), [...given, 'dir'].sort(), 'those of this folder, once');
    const paged: string[] = [];
    for (let after: string | undefined; ; after = paged.at(-1)) {
      const page = await store.children(at('/lobby'), { limit: 2, ...(after !== undefined && { after }) });
      paged.push(...page.map(({ path }) => path.slice('/lobby/'.length)));
      if (page.length < 2) break;
    }
    t.same(paged, all, 'pages give the same order');
    t.same(await store.children(at('/lobby/none'), { limit: 5 }), []);
    t.same(await store.children(at('/lobby/a'), { limit: 5 }), [], 'a file has none');
  });
}
