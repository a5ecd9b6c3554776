/** Homes and whose they are; what who may only bring files sees of them; comments on files. */
import t from 'tap';
import { openStore } from '../support/embedded.ts';
import { type Guest, testHub } from '../support/hub.ts';

/** Every way to name a place in a home. */
const tries = (home: string) =>
  [
    ['LS', { path: home }],
    ['LS', { path: `${home}/d` }],
    ['STAT', { path: home }],
    ['STAT', { path: `${home}/a` }],
    ['STAT', { path: `${home}/.chat` }],
    ['GET', { path: `${home}/a` }],
    ['PUT', { path: `${home}/b`, size: 1 }],
    ['PUT', { path: `${home}/e/b`, size: 1, parents: true }],
    ['MKDIR', { path: `${home}/d` }],
    ['RM', { path: `${home}/a` }],
    ['MV', { from: `${home}/a`, to: '/lobby/a' }],
    ['MV', { from: '/lobby/own', to: `${home}/own` }],
    ['CP', { from: `${home}/a`, to: '/lobby/a' }],
    ['CP', { from: '/lobby/own', to: `${home}/own` }],
    ['QUOTA', { room: home.slice(1) }],
  ] as const;

const refusals = async (person: Guest, home: string) =>
  Promise.all(
    tries(home).map(([verb, input]) =>
      person.do(verb, input as never).then(
        () => `${verb} ok`,
        error => `${verb} ${error.code} ${error.message.replaceAll(home.slice(1), 'HOME')}`,
      ),
    ),
  );

t.test('a home is its owner’s alone, and to others there is none, whether there is an account or not', async t => {
  const { account, guest } = await testHub();
  const [ada, bob, eve] = [await account('ada'), await account('bob'), await guest('eve')];
  await ada.put('/~ada/a', 'secret');
  for (const person of [bob, eve]) {
    if (person === bob) await bob.put('/lobby/own', 'x');
    const answers = await refusals(person, '/~ada');
    t.same(answers, await refusals(person, '/~nobody'));
    // A guest may not take what is in the lobby, which is said first.
    for (const answer of answers) t.match(answer, /^\w+ (no-room|forbidden you may not move or remove)/);
  }
  t.notOk((await refusals(bob, '/~ada')).some(answer => answer.includes('forbidden')));
  t.same((await bob.rows('LS', { path: '/' })).map(({ name }) => name).sort(), ['lobby', '~bob']);
  t.same((await eve.rows('LS', { path: '/' })).map(({ name }) => name).sort(), ['lobby']);
  t.equal(await eve.code('LS', { path: '/~eve' }), 'no-room', 'a guest has none');
});

t.test('in a home files come and go without an event', async t => {
  const { account, settle } = await testHub();
  const [ada, bob] = [await account('ada'), await account('bob')];
  for (const person of [ada, bob]) await person.do('JOIN', { room: 'lobby' });
  await settle();
  ada.events.length = bob.events.length = 0;
  t.notOk('seq' in (await ada.put('/~ada/d/a.txt', 'hello', { parents: true })));
  t.same(await ada.do('MKDIR', { path: '/~ADA/e' }), { path: '/~ada/e' });
  const { upload } = await ada.do('PUT', { path: '/~ada/e/b', size: 3 });
  await ada.do('CHUNK', { upload: upload!, offset: 0 }, { content: { pieces: [Buffer.from('abc')] } });
  const done = await ada.do('COMMIT', { upload: upload! });
  t.notOk('seq' in done);
  t.same(await ada.do('COMMIT', { upload: upload! }), done, 'said twice');
  t.same(await ada.do('MV', { from: '/~ada/e/b', to: '/~ada/c' }), { from: '/~ada/e/b', to: '/~ada/c' });
  t.equal(await ada.code('PUT', { path: '/~ada/c', size: 1 }), 'exists');
  t.notOk('seq' in (await ada.put('/~ada/c', 'new', { mode: 'replace' })));
  t.match(await ada.do('RM', { path: '/~ada/d', recursive: true }), { count: 2 });
  t.same(
    (await ada.rows('LS', { path: '/~ada' })).map(({ name, owner }) => [name, owner]),
    [
      ['c', 'ada'],
      ['e', 'ada'],
    ],
  );
  for (const [verb, input] of [
    ['MKDIR', { path: '/~ada' }],
    ['RM', { path: '/~ada' }],
    ['MV', { from: '/~ada', to: '/lobby/x' }],
  ] as const)
    t.equal(await ada.code(verb, input), 'forbidden', verb);
  t.equal(await ada.code('PUT', { path: '/~ada/.chat', size: 1 }), 'ok', 'nobody talks here, so the name is free');
  for (const room of ['~ada', '@~ada']) t.equal(await ada.code('SAY', { room, text: 'x' }), 'bad-argument');
  await settle();
  t.same([...ada.events, ...bob.events], []);
});

t.test('between home and room, the room alone hears of it', async t => {
  const { account, settle } = await testHub();
  const [ada, bob] = [await account('ada'), await account('bob')];
  await bob.do('JOIN', { room: 'lobby' });
  await ada.put('/~ada/a', 'a');
  t.match(await ada.do('CP', { from: '/~ada/a', to: '/lobby/a' }), { seq: 1 });
  t.match(await ada.do('MV', { from: '/~ada/a', to: '/lobby/b' }), { seq: 2 });
  t.same(await ada.do('MV', { from: '/lobby/b', to: '/~ada/b' }), { from: '/lobby/b', to: '/~ada/b' });
  t.match(await bob.code('CP', { from: '/lobby/a', to: '/~bob/a' }), 'ok');
  t.equal(await bob.code('MV', { from: '/lobby/a', to: '/~bob/mine' }), 'forbidden', 'it is ada’s');
  await settle();
  const told = bob.events.flatMap(event => (event.event === 'FILE' ? [[event.seq, event.op, event.path]] : []));
  t.same(told, [
    [1, 'put', '/lobby/a'],
    [2, 'put', '/lobby/b'],
    [3, 'remove', '/lobby/b'],
  ]);
});

t.test('an administrator has every home that somebody has', async t => {
  const { account } = await testHub();
  const [ada, admin] = [await account('ada'), await account('admin')];
  await ada.put('/~ada/a', 'a');
  t.match(await admin.rows('LS', { path: '/~ada' }), [{ name: 'a' }]);
  await admin.put('/~ada/from-admin', 'x');
  t.equal(await ada.code('RM', { path: '/~ada/from-admin' }), 'ok', 'what is in a home is its owner’s to remove');
  for (const answer of await refusals(admin, '/~nobody')) t.match(answer, /^\w+ no-file|^QUOTA ok/);
});

t.test('a home has a limit, and a token for one room does not open it', async t => {
  const settings = { guests: true, clearPasswords: false, registration: false, homeOctets: 10 };
  const { account, stranger } = await testHub({ settings });
  const [ada, admin] = [await account('ada'), await account('admin')];
  await ada.put('/~ada/a', '123456');
  t.equal(await ada.code('PUT', { path: '/~ada/b', size: 5 }), 'quota');
  t.equal(await ada.code('CP', { from: '/~ada/a', to: '/~ada/b' }), 'quota');
  t.match(await ada.do('QUOTA', { room: '~Ada' }), { room: '~ada', octets: 10, used: 6 });
  for (const person of [ada, admin]) t.equal(await person.code('QUOTA', { room: '~ada', octets: 20 }), 'forbidden');
  const { token } = await ada.do('MINT', { room: 'lobby' });
  const bound = stranger();
  await bound.do('TOKEN', { token });
  t.same(
    (await bound.rows('LS', { path: '/' })).map(({ name }) => name),
    ['lobby'],
  );
  t.equal(await bound.code('LS', { path: '/~ada' }), 'no-room');
  const reader = stranger();
  await reader.do('TOKEN', { token: (await ada.do('MINT', { actions: 'list,download' })).token });
  t.equal(await reader.code('GET', { path: '/~ada/a' }), 'ok');
  t.equal(await reader.code('MKDIR', { path: '/~ada/d' }), 'forbidden');
});

t.test('names that every object has are names like others', async t => {
  const { account } = await testHub();
  const person = await account('constructor');
  t.equal(await person.code('LS', { path: '/lobby' }), 'ok');
  await person.put('/~constructor/a', 'a');
  t.equal(await (await account('bob')).code('GET', { path: '/~constructor/a' }), 'no-room');
});

t.test('who may only bring files sees those of their own and no others', async t => {
  const { account, guest } = await testHub();
  const [ada, bob] = [await account('ada'), await account('bob')];
  await ada.do('CREATE', { room: 'box' });
  await ada.put('/box/d/theirs', 'x', { parents: true });
  await ada.put('/box/a', 'x');
  const { invite } = await ada.do('INVITE', { room: 'box', role: 'dropper' });
  const eve = await guest('eve');
  await eve.do('NICK', { user: 'eve', invite });
  await ada.do('ROLE', { room: 'box', user: 'bob', role: 'dropper' });
  await bob.put('/box/d/mine', 'xy');
  t.match(await bob.put('/box/a', 'xyz'), { path: '/box/a-2' });
  await eve.put('/box/hers', 'x');
  const list = async (person: typeof bob, path: string) => (await person.rows('LS', { path })).map(({ name }) => name);
  t.same(await list(bob, '/box'), ['a-2']);
  t.same(await list(bob, '/box/d'), ['mine']);
  t.same(await list(bob, '/box/d/mine'), ['mine']);
  t.same(await list(eve, '/box'), ['hers']);
  for (const path of ['/box/d/theirs', '/box/a', '/box/none', '/box/none/none']) {
    t.same(await list(bob, path), [], path);
    t.equal(await bob.code('STAT', { path }), 'no-file', path);
  }
  t.equal(await bob.code('STAT', { path: '/box/d' }), 'no-file');
  t.match(await bob.do('STAT', { path: '/box/a-2' }), { size: 3, owner: 'bob' });
  t.match(await bob.do('STAT', { path: '/box' }), { type: 'dir' });
  for (const [verb, input] of [
    ['GET', { path: '/box/a-2' }],
    ['RM', { path: '/box/a-2' }],
    ['LS', { path: '/box/.chat' }],
  ] as const)
    t.equal(await bob.code(verb, input), 'forbidden', verb);
  const { upload } = await bob.do('PUT', { path: '/box/begun', size: 9 });
  t.match(await bob.rows('UPLOADS', {}), [{ upload, path: '/box/begun' }]);
  t.equal(await bob.code('ABORT', { upload }), 'ok');
  await ada.do('ROLE', { room: 'box', user: 'bob', role: 'none' });
  await ada.do('VISIBILITY', { room: 'box', visibility: 'listed' });
  for (const verb of ['LS', 'STAT'] as const) t.equal(await bob.code(verb, { path: '/box' }), 'forbidden');
});

t.test('a reply to a file is a comment on it, and STAT says to what one replies', async t => {
  const { account, settle } = await testHub();
  const [ada, bob] = [await account('ada'), await account('bob')];
  await bob.do('JOIN', { room: 'lobby' });
  await ada.do('SAY', { room: 'lobby', text: 'look' });
  await ada.put('/lobby/a', 'a');
  const seqOf = async (path: string) => (await bob.do('STAT', { path })).seq;
  t.equal(await seqOf('/lobby/a'), 2);
  t.equal(await bob.code('SAY', { room: 'lobby', reply: 2, text: 'nice' }), 'ok');
  t.equal(await bob.code('SAY', { room: 'lobby', reply: 1, text: 'nice too' }), 'ok');
  await ada.do('TOPIC', { room: 'lobby' });
  await ada.do('REACT', { room: 'lobby', of: 1, emoji: 'ok' });
  for (const reply of [5, 6, 99]) t.equal(await bob.code('SAY', { room: 'lobby', reply, text: 'x' }), 'no-message');
  await settle();
  t.match(bob.events, { 2: { event: 'MSG', seq: 3, reply: 2, text: 'nice' } });
  await ada.do('MKDIR', { path: '/lobby/d' });
  await ada.do('MV', { from: '/lobby/a', to: '/lobby/d/a' });
  t.same([await seqOf('/lobby/d'), await seqOf('/lobby/d/a')], [6, 7]);
  await ada.do('CP', { from: '/lobby/d/a', to: '/lobby/b' });
  await ada.put('/lobby/d/a', 'b', { mode: 'replace' });
  t.same([await seqOf('/lobby/b'), await seqOf('/lobby/d/a')], [8, 9]);
  await ada.do('CREATE', { room: 'den' });
  await ada.do('MV', { from: '/lobby/d', to: '/den/d' });
  t.same([await seqOf('/den/d'), await seqOf('/den/d/a')], [1, undefined]);
  const chunks: string[] = [];
  const row = (_: object, __?: string, octets?: Uint8Array) => void chunks.push(Buffer.from(octets!).toString());
  const [{ name } = {}] = (await bob.rows('LS', { path: '/lobby/.chat' })).filter(({ name }) => /txt$/.test(`${name}`));
  await bob.do('GET', { path: `/lobby/.chat/${name}` }, { row });
  t.match(chunks.join(''), /ada: look\n.* ada put \/lobby\/a \(1 octets\)\n.* bob replied to 2: nice\n/);
});

t.test('another time changes nothing else of a file or a folder, in memory and on the disk', async t => {
  for (const opened of [undefined, await openStore(t)]) {
    const { account, guest, settle } = await testHub(opened && { store: opened.store, blobs: opened.blobs });
    const [ada, bob] = [await account('ada'), await account('bob')];
    await ada.do('MKDIR', { path: '/lobby/d' });
    for (const [path, octets] of [
      ['/lobby/small', 5],
      ['/lobby/d/large', 100_000],
    ] as const) {
      await ada.put(path, Buffer.alloc(octets, 'x'));
      const [before] = await Promise.all([ada.do('STAT', { path }), settle()]);
      const used = await ada.rows('QUOTA', { room: 'lobby' });
      bob.events.length = 0;
      const modified = '2001-02-03T04:05:06Z';
      t.same(await ada.do('TOUCH', { path, modified }), { path, modified });
      t.same(await ada.do('STAT', { path }), { ...before, modified });
      t.same(await ada.rows('QUOTA', { room: 'lobby' }), used, 'nothing more is used');
      const pieces: Buffer[] = [];
      await ada.do('GET', { path }, { row: (_fields, _name, blob) => void pieces.push(Buffer.from(blob!)) });
      t.equal(Buffer.concat(pieces).length, octets);
      t.equal(await bob.code('TOUCH', { path, modified }), 'forbidden');
    }
    const before = await ada.do('STAT', { path: '/lobby/d' });
    t.same(await ada.do('TOUCH', { path: '/lobby/d', modified: '2001-02-03T04:05:06Z' }), {
      path: '/lobby/d',
      modified: '2001-02-03T04:05:06Z',
    });
    t.same(await ada.do('STAT', { path: '/lobby/d' }), { ...before, modified: '2001-02-03T04:05:06Z' });
    t.equal(await ada.code('TOUCH', { path: '/lobby', modified: '2001-02-03T04:05:06Z' }), 'forbidden');
    t.equal(await ada.code('TOUCH', { path: '/lobby/none', modified: '2001-02-03T04:05:06Z' }), 'no-file');
    t.equal(await ada.code('TOUCH', { path: '/lobby/small', modified: 'yesterday' }), 'bad-argument');
    t.equal(
      await (await guest('eve')).code('TOUCH', { path: '/lobby/small', modified: '2001-02-03T04:05:06Z' }),
      'forbidden',
    );
  }
});
