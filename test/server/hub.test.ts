/** The hub's rules, asked without a wire: people, rooms, messages, files, uploads. */
import { createHash } from 'node:crypto';
import t from 'tap';
import { roleActions } from '../../server/hub/permissions.ts';
import type { HubEvent } from '../../shared/events.ts';
import { limits } from '../../shared/limits.ts';
import { formatRanges } from '../../shared/ranges.ts';
import { testHub } from '../support/hub.ts';
import { TurnedClock } from '../support/line-server.ts';

const sha256 = (octets: Uint8Array | string) => `sha256:${createHash('sha256').update(octets).digest('hex')}`;
const names = (events: readonly HubEvent[]) => events.map(event => event.event);

t.test('people', async t => {
  t.test('nothing but a name is taken from somebody without one', async t => {
    const { stranger } = await testHub();
    t.equal(await stranger().code('SAY', { room: 'lobby', text: 'hi' }), 'auth-required');
    t.equal(await stranger().code('NICK', { user: 'eve' }), 'ok');
  });

  t.test('a guest cannot look like an account or like another guest', async t => {
    const { account, guest, stranger } = await testHub();
    await account('Ada');
    t.equal(await stranger().code('NICK', { user: 'ada' }), 'exists');
    t.equal(await stranger().code('NICK', { user: 'ＡＤＡ' }), 'exists', 'full-width letters are the same name');
    await guest('eve');
    t.equal(await stranger().code('NICK', { user: 'EVE' }), 'exists');
  });

  t.test('a name that a guest gave up is free again', async t => {
    const { hub, guest, stranger } = await testHub();
    hub.disconnect((await guest('eve')).session);
    t.equal(await stranger().code('NICK', { user: 'eve' }), 'ok');
  });

  t.test('a guest who signs in, or takes another name, gives the first one up', async t => {
    const { account, guest, stranger } = await testHub();
    await account('ada');
    const eve = await guest('eve');
    await eve.do('NICK', { user: 'Eva' });
    t.equal(await stranger().code('NICK', { user: 'eve' }), 'ok');
    await eve.do('LOGIN', { user: 'ada', password: 'secret' });
    t.equal(await stranger().code('NICK', { user: 'eva' }), 'ok');
  });

  t.test('a wrong password and an unknown name are told alike, and guessing is slowed', async t => {
    const { account, stranger } = await testHub();
    await account('ada');
    const thief = stranger({ address: '192.0.2.7', loopback: false, secure: true });
    t.equal(await thief.code('LOGIN', { user: 'nobody', password: 'x' }), 'auth-failed');
    for (let i = 0; i < 5; i++) t.equal(await thief.code('LOGIN', { user: 'ada', password: 'x' }), 'auth-failed');
    t.equal(await thief.code('LOGIN', { user: 'ada', password: 'secret' }), 'rate-limited');
    t.equal(await stranger().code('LOGIN', { user: 'ada', password: 'secret' }), 'ok', 'the owner is not slowed');
  });

  t.test('a password in clear from another host is refused', async t => {
    const { account, stranger } = await testHub();
    await account('ada');
    const far = stranger({ address: '192.0.2.7', loopback: false });
    t.equal(await far.code('LOGIN', { user: 'ada', password: 'secret' }), 'tls-required');
  });

  t.test('guests can be refused altogether', async t => {
    const { stranger } = await testHub({ settings: { guests: false, clearPasswords: false, registration: false } });
    t.equal(await stranger().code('NICK', { user: 'eve' }), 'forbidden');
  });
});

t.test('the lobby gives each role exactly the rows of the table', async t => {
  const tries = {
    see: ['TOPIC', { room: 'lobby' }],
    read: ['HISTORY', { room: 'lobby' }],
    post: ['SAY', { room: 'lobby', text: 'hi' }],
    list: ['LS', { path: '/lobby' }],
    download: ['GET', { path: '/lobby/adas' }],
    upload: ['MKDIR', { path: '/lobby/new' }],
    overwrite: ['PUT', { path: '/lobby/adas', mode: 'replace', size: 1 }],
    'delete-any': ['RM', { path: '/lobby/adas' }],
    moderate: ['TOPIC', { room: 'lobby', topic: 'x' }],
  } as const;
  for (const [role, name] of [
    ['guest', 'eve'],
    ['member', 'bob'],
    ['owner', 'admin'],
  ] as const) {
    for (const [action, [command, input]] of Object.entries(tries)) {
      const { account, guest } = await testHub();
      await (await account('ada')).put('/lobby/adas', 'hers');
      const person = role === 'guest' ? await guest(name) : await account(name);
      const expected = (roleActions[role] as readonly string[]).includes(action);
      // Another person's file: the table's own `overwrite` concerns one's own only.
      const isAllowed = action === 'overwrite' ? roleActions[role].includes('delete-any') : expected;
      t.equal(await person.code(command, input), isAllowed ? 'ok' : 'forbidden', `${role} ${action}`);
    }
  }
});

t.test('rooms and messages', async t => {
  t.test('the numbers are dense, and everybody who joined hears them in order', async t => {
    const { guest, settle } = await testHub();
    const [ada, bob] = [await guest('ada'), await guest('bob')];
    for (const person of [ada, bob]) await person.do('JOIN', { room: 'lobby' });
    const said = await Promise.all(
      Array.from({ length: 50 }, (_, i) => ada.do('SAY', { room: 'lobby', text: `${i}` })),
    );
    t.same(
      said.map(({ seq }) => seq),
      Array.from({ length: 50 }, (_, i) => i + 1),
    );
    await settle();
    const heard = bob.events.map(event => (event.event === 'MSG' ? event.text : event.event));
    t.same(
      heard,
      Array.from({ length: 50 }, (_, i) => `${i}`),
    );
  });

  t.test('an event is encoded once for all who hear it', async t => {
    const { hub, guest, settle } = await testHub();
    let encoded = 0;
    for (let i = 0; i < 10; i++) {
      const { session, do: execute } = await guest(`g${i}`);
      await execute('JOIN', { room: 'lobby' });
      await settle();
      hub.subscribe(session, { deliver: batch => void batch.encode('words', () => ++encoded) });
    }
    const a = await guest('a');
    encoded = 0;
    await Promise.all(Array.from({ length: 5 }, () => a.do('SAY', { room: 'lobby', text: 'x' })));
    await settle();
    t.equal(encoded, 1);
  });

  t.test('a repeated id posts nothing new', async t => {
    const { guest } = await testHub();
    const ada = await guest('ada');
    t.same(await ada.do('SAY', { room: 'lobby', id: 'k1', text: 'hi' }), { room: 'lobby', seq: 1 });
    t.same(await ada.do('SAY', { room: 'lobby', id: 'k1', text: 'hi' }), { room: 'lobby', seq: 1, dup: true });
    const bob = await guest('bob');
    t.equal((await bob.do('SAY', { room: 'lobby', id: 'k1', text: 'hi' })).seq, 2, 'ids are each person’s own');
  });

  t.test('JOIN after a number goes live without a hole or a double while others talk', async t => {
    const { guest, settle } = await testHub();
    const [ada, bob] = [await guest('ada'), await guest('bob')];
    const talk = async (from: number) => {
      for (let i = from; i < from + 40; i++) void ada.do('SAY', { room: 'lobby', text: `${i}` });
    };
    await talk(0);
    await ada.do('SAY', { room: 'lobby', text: 'last' });
    const told: number[] = [];
    const row = async (fields: Readonly<Record<string, unknown>>) => {
      told.push(Number(fields['seq']));
      if (told.length === 10 || told.length === 50) void talk(1000 * told.length);
      await Promise.resolve();
    };
    await bob.do('JOIN', { room: 'lobby', after: 5 }, { row });
    await ada.do('SAY', { room: 'lobby', text: 'end' });
    await settle();
    const all = [...told, ...bob.events.flatMap(event => ('seq' in event ? [event.seq] : []))];
    t.same(
      all,
      Array.from({ length: all.length }, (_, i) => i + 6),
    );
    t.ok(all.length > 100);
  });

  t.test('what is too much for a replay is named as a gap', async t => {
    const { guest } = await testHub();
    const ada = await guest('ada');
    await Promise.all(Array.from({ length: 520 }, (_, i) => ada.do('SAY', { room: 'lobby', text: `${i}` })));
    const rows = await (await guest('bob')).rows('JOIN', { room: 'lobby', after: 0 });
    t.equal(rows.length, 501);
    t.same(rows.at(-1), { event: 'GAP', room: 'lobby', from: 501, to: 520 });
  });

  t.test('an edit and a deletion have numbers of their own, and history shows the text of now', async t => {
    const { guest, account } = await testHub();
    const [ada, bob] = [await guest('ada'), await guest('bob')];
    await ada.do('SAY', { room: 'lobby', text: 'helo' });
    await ada.do('SAY', { room: 'lobby', text: 'secret' });
    t.equal(await bob.code('EDIT', { room: 'lobby', of: 1, text: 'x' }), 'forbidden');
    t.equal((await ada.do('EDIT', { room: 'lobby', of: 1, text: 'hello' })).seq, 3);
    t.equal(await bob.code('DELETE', { room: 'lobby', of: 2 }), 'forbidden');
    t.equal(await (await account('admin')).code('DELETE', { room: 'lobby', of: 2 }), 'ok');
    t.equal(await ada.code('EDIT', { room: 'lobby', of: 2, text: 'again' }), 'no-message');
    const rows = await bob.rows('HISTORY', { room: 'lobby' });
    t.same(
      rows.map(row => [row['event'], row['seq'], row['text']]),
      [
        ['MSG', 1, 'hello'],
        ['MSG', 2, ''],
        ['EDITED', 3, 'hello'],
        ['DELETED', 4, undefined],
      ],
    );
    t.match(rows[0], { edited: /Z$/ });
    t.match(rows[1], { deleted: true });
  });

  t.test('history is read in both directions', async t => {
    const { guest } = await testHub();
    const ada = await guest('ada');
    for (let i = 1; i <= 9; i++) await ada.do('SAY', { room: 'lobby', text: `${i}` });
    const seqs = async (input: object) =>
      (await ada.rows('HISTORY', { room: 'lobby', ...input })).map(row => row['seq']);
    t.same(await seqs({ limit: 3 }), [7, 8, 9]);
    t.same(await seqs({ before: 7, limit: 2 }), [5, 6]);
    t.same(await seqs({ after: 7, limit: 5 }), [8, 9]);
    t.same(await seqs({ around: 5, limit: 3 }), [4, 5, 6]);
    t.match(await ada.do('HISTORY', { room: 'lobby', before: 3, limit: 2 }), { more: 'no' });
    t.match(await ada.do('HISTORY', { room: 'lobby', before: 4, limit: 2 }), { more: 'yes' });
  });

  t.test('text is cleaned at the door', async t => {
    const { guest } = await testHub();
    const ada = await guest('ada');
    await ada.do('SAY', { room: 'lobby', text: 'a\u001b[2J\r\nb\u0085\u202ec\u0007' });
    t.equal((await ada.rows('HISTORY', { room: 'lobby' }))[0]?.['text'], 'a[2J\nbc');
    t.equal(await ada.code('SAY', { room: 'lobby', text: '\u0007' }), 'bad-argument');
  });

  t.test('an account makes a room and owns it; a person with two sessions joins and parts once', async t => {
    const { hub, account, guest, settle } = await testHub();
    const [ada, eve] = [await account('ada'), await guest('eve')];
    t.equal(await eve.code('CREATE', { room: 'den' }), 'forbidden');
    await ada.do('CREATE', { room: 'den', topic: 'ours' });
    t.equal(await ada.code('CREATE', { room: 'DEN' }), 'exists');
    t.equal(await ada.code('TOPIC', { room: 'den', topic: 'new' }), 'ok');
    await eve.do('JOIN', { room: 'Den' });
    const again = await account('ada');
    for (const session of [ada, again]) await session.do('JOIN', { room: 'den' });
    for (const { session } of [ada, again]) hub.disconnect(session);
    await settle();
    t.same(names(eve.events), ['JOINED', 'PARTED']);
  });

  t.test('in a big room comings are told together, and before the next message at the latest', async t => {
    const clock = new TurnedClock();
    const { guest, settle } = await testHub({ clock });
    const crowd = await Promise.all(Array.from({ length: 80 }, (_, i) => guest(`g${i}`)));
    const [first] = crowd;
    for (const one of crowd) {
      await one.do('JOIN', { room: 'lobby' });
      await settle();
    }
    t.ok(first!.events.length >= limits.presenceAtOnceMax - 1 && first!.events.length < 79, 'some wait');
    await first!.do('SAY', { room: 'lobby', text: 'hi' });
    await settle();
    const comers = crowd.slice(1).map(one => one.session.person!.name);
    t.same(
      first!.events.map(event => ('user' in event ? event.user : event.event)),
      [...comers, 'MSG'],
      'each once, in order',
    );
    t.same(names(crowd[79]!.events), ['MSG'], 'nobody hears of those who were there before');
    await crowd[78]!.do('PART', { room: 'lobby' });
    await settle();
    t.not(first!.events.at(-1)!.event, 'PARTED');
    clock.turn(limits.presenceGatherMs);
    t.equal(first!.events.at(-1)!.event, 'PARTED', 'nobody has to say anything');
  });
});

t.test('files', async t => {
  t.test('a file is seen with its event, once, and its event has a number of the room', async t => {
    const { account, guest, settle } = await testHub();
    const [ada, eve] = [await account('ada'), await guest('eve')];
    await eve.do('JOIN', { room: 'lobby' });
    await ada.do('SAY', { room: 'lobby', text: 'look' });
    const put = await ada.put('/lobby/a.txt', 'hello');
    t.same(put, { path: '/lobby/a.txt', size: 5, hash: sha256('hello'), seq: 2 });
    await settle();
    t.match(eve.events.at(-1), { event: 'FILE', seq: 2, from: 'ada', op: 'put', path: '/lobby/a.txt', size: 5 });
    t.match(await eve.do('STAT', { path: '/lobby/a.txt' }), { type: 'file', size: 5, owner: 'ada' });
  });

  t.test('ranges are read, and another file is refused by its hash', async t => {
    const { account } = await testHub();
    const ada = await account('ada');
    const content = Buffer.alloc(700_000, 'abcdefg');
    const { hash } = await ada.put('/lobby/big', content);
    const read = async (input: object) => {
      const parts: Buffer[] = [];
      await ada.do(
        'GET',
        { path: '/lobby/big', ...input },
        { row: (_, __, blob) => void parts.push(Buffer.from(blob!)) },
      );
      return Buffer.concat(parts);
    };
    t.ok((await read({})).equals(content));
    t.ok(
      (await read({ offset: 300_001, length: 300_000, 'if-hash': hash })).equals(content.subarray(300_001, 600_001)),
    );
    t.equal((await read({ offset: 700_000 })).length, 0);
    t.equal(await ada.code('GET', { path: '/lobby/big', offset: 700_001 }), 'bad-argument');
    t.equal(await ada.code('GET', { path: '/lobby/big', 'if-hash': sha256('other') }), 'if-match');
  });

  t.test('folders are made, moved with all in them, and removed on demand', async t => {
    const { account } = await testHub();
    const ada = await account('ada');
    t.equal(await ada.code('PUT', { path: '/lobby/a/b/c' }, { content: { pieces: [] } }), 'no-file');
    await ada.put('/lobby/a/b/c', 'x', { parents: true });
    t.equal(await ada.code('MKDIR', { path: '/lobby/a/b/c/d' }), 'no-file');
    t.equal(await ada.code('MV', { from: '/lobby/a', to: '/lobby/a/b/z' }), 'conflict');
    await ada.do('MV', { from: '/lobby/a', to: '/lobby/z' });
    t.equal(await ada.code('STAT', { path: '/lobby/a/b/c' }), 'no-file');
    t.match(await ada.do('STAT', { path: '/lobby/z/b/c' }), { size: 1 });
    t.equal(await ada.code('RM', { path: '/lobby/z' }), 'conflict');
    t.match(await ada.do('RM', { path: '/lobby/z', recursive: true }), { count: 3 });
    t.same(await ada.rows('LS', { path: '/lobby' }), []);
    t.equal(await ada.code('RM', { path: '/lobby', recursive: true }), 'forbidden');
  });

  t.test('one’s own is replaced when asked, another’s never', async t => {
    const { account } = await testHub();
    const [ada, bob] = [await account('ada'), await account('bob')];
    await ada.put('/lobby/a', '1');
    t.equal(await ada.code('PUT', { path: '/lobby/a' }, { content: { pieces: [] } }), 'exists');
    const { hash } = await ada.put('/lobby/a', '2', { mode: 'replace' });
    t.equal(await bob.code('PUT', { path: '/lobby/a', mode: 'replace', size: 1 }), 'forbidden');
    t.equal(await bob.code('MV', { from: '/lobby/a', to: '/lobby/b' }), 'forbidden');
    t.equal(await ada.code('PUT', { path: '/lobby/a', mode: 'if-match', match: sha256('1'), size: 1 }), 'if-match');
    await ada.put('/lobby/a', '3', { mode: 'if-match', match: hash });
    await bob.do('CP', { from: '/lobby/a', to: '/lobby/b' });
    t.match(await bob.do('STAT', { path: '/lobby/b' }), { owner: 'bob', hash: sha256('3') });
  });

  t.test('a file moved to another room goes from the one and comes to the other', async t => {
    const { account, settle } = await testHub();
    const ada = await account('ada');
    await ada.do('CREATE', { room: 'den' });
    for (const room of ['den', 'lobby']) await ada.do('JOIN', { room });
    await ada.put('/lobby/a', 'x');
    await ada.do('MV', { from: '/lobby/a', to: '/den/a' });
    await settle();
    const told = ada.events.flatMap(event =>
      event.event === 'FILE' ? [`${event.room} ${event.op} ${event.path}`] : [],
    );
    t.same(told.sort(), ['den put /den/a', 'lobby put /lobby/a', 'lobby remove /lobby/a']);
  });
});

t.test('uploads', async t => {
  const content = Buffer.alloc(2_500_000, 'partyline ');
  const piece = (n: number) => content.subarray(n * 1_048_576, (n + 1) * 1_048_576);
  const chunk = (octets: Uint8Array) => ({ content: { octets: octets.length, pieces: [octets] } });

  t.test('pieces come in any order on any session of the person, and nothing is seen before COMMIT', async t => {
    const { account } = await testHub();
    const [ada, again] = [await account('ada'), await account('ada')];
    const begun = await ada.do('PUT', { path: '/lobby/big', size: content.length });
    const upload = begun.upload!;
    await again.do('CHUNK', { upload, offset: 2_097_152 }, chunk(piece(2)));
    await ada.do('CHUNK', { upload, offset: 0 }, chunk(piece(0)));
    t.equal(await ada.code('COMMIT', { upload }), 'conflict', 'a piece is missing');
    const resumed = await again.do('PUT', { path: '/lobby/big', size: content.length });
    t.match(resumed, { upload, have: '0-1048575,2097152-2499999' });
    t.equal(await ada.code('STAT', { path: '/lobby/big' }), 'no-file');
    await ada.do('CHUNK', { upload, offset: 1_048_576 }, chunk(piece(1)));
    const done = await ada.do('COMMIT', { upload, hash: sha256(content) });
    t.match(done, { path: '/lobby/big', size: content.length, hash: sha256(content) });
    t.same(await ada.do('COMMIT', { upload }), done, 'saying it twice gets the same answer');
  });

  t.test('another person’s upload does not exist, and what is past the size is refused', async t => {
    const { account } = await testHub();
    const [ada, bob] = [await account('ada'), await account('bob')];
    const { upload } = await ada.do('PUT', { path: '/lobby/big', size: 10 });
    t.equal(await bob.code('CHUNK', { upload, offset: 0 }, chunk(piece(0))), 'no-upload');
    t.equal(await ada.code('CHUNK', { upload, offset: 5 }, chunk(content.subarray(0, 6))), 'bad-argument');
    t.equal(await ada.code('ABORT', { upload }), 'ok');
    t.equal(await ada.code('OFFSET', { upload }), 'no-upload');
  });

  t.test('content that is not what was announced is refused and leaves what stood there', async t => {
    const { account } = await testHub();
    const ada = await account('ada');
    await ada.put('/lobby/a', 'old');
    const { upload } = await ada.do('PUT', { path: '/lobby/a', size: 3, hash: sha256('new'), mode: 'replace' });
    await ada.do('CHUNK', { upload: upload!, offset: 0 }, chunk(Buffer.from('bad')));
    t.equal(await ada.code('COMMIT', { upload }), 'hash-mismatch');
    t.equal(
      await ada.code('PUT', { path: '/lobby/a', size: 9, mode: 'replace' }, chunk(Buffer.from('short'))),
      'truncated',
    );
    t.match(await ada.do('STAT', { path: '/lobby/a' }), { hash: sha256('old') });
  });

  t.test('a guest’s upload ends with the guest, an account’s is resumed', async t => {
    const { hub, account } = await testHub();
    const ada = await account('ada');
    const { upload } = await ada.do('PUT', { path: '/lobby/big', size: content.length });
    await ada.do('CHUNK', { upload: upload!, offset: 0 }, chunk(piece(0)));
    hub.disconnect(ada.session);
    const back = await account('ada');
    t.match(await back.do('PUT', { path: '/lobby/big', size: content.length }), { upload, have: '0-1048575' });
    t.not((await back.do('PUT', { path: '/lobby/big', size: content.length, fresh: true })).upload, upload);
  });

  t.test('a hub made anew over the same store goes on with the upload', async t => {
    const blobs = (await import('../../server/store/memory/blobs.ts')).memoryBlobs();
    const first = await testHub({ blobs });
    const ada = await first.account('ada');
    const { upload } = await ada.do('PUT', { path: '/lobby/big', size: content.length });
    await ada.do('CHUNK', { upload: upload!, offset: 0 }, chunk(piece(0)));
    t.equal((await ada.do('OFFSET', { upload: upload! })).have, formatRanges([{ start: 0, end: 1_048_576 }]));
    first.hub.disconnect(ada.session);
    const second = await testHub({ blobs, store: first.store });
    t.match(await (await second.account('ada')).do('OFFSET', { upload: upload! }), { have: '0-1048575' });
  });
});

t.test('a drained hub finishes what runs and takes nothing more', async t => {
  const { hub, guest } = await testHub();
  const ada = await guest('ada');
  const said = ada.do('SAY', { room: 'lobby', text: 'last words' });
  const drained = hub.drain();
  t.equal(await ada.code('SAY', { room: 'lobby', text: 'too late' }), 'shutting-down');
  t.match(await said, { seq: 1 });
  await drained;
});
