/** Who gets in, who may do what, and what is done about those who misuse it: asked of the hub without a wire. */
import t from 'tap';
import { type Role, roleActions } from '../../server/hub/permissions.ts';
import { memoryStore } from '../../server/store/memory/store.ts';
import { type Action, actions } from '../../shared/commands/command.ts';
import type { CommandName } from '../../shared/commands/index.ts';
import { limits } from '../../shared/limits.ts';
import { roleNames } from '../../shared/model.ts';
import { type Guest, testHub } from '../support/hub.ts';
import { TurnedClock } from '../support/line-server.ts';

const far = { address: '192.0.2.7', loopback: false, secure: true };
const day = 24 * 3_600_000;

t.test('every role may do in a private room what the table says, and no more', async t => {
  const tries: Readonly<Record<Action, (role: string) => readonly [CommandName, object]>> = {
    see: () => ['TOPIC', { room: 'den' }],
    read: () => ['HISTORY', { room: 'den' }],
    post: () => ['SAY', { room: 'den', text: 'hi' }],
    list: () => ['LS', { path: '/den' }],
    download: () => ['GET', { path: '/den/adas' }],
    upload: role => ['MKDIR', { path: `/den/${role}-made` }],
    overwrite: () => ['PUT', { path: '/den/own', mode: 'replace', size: 1 }],
    'delete-own': role => ['RM', { path: `/den/${role}-old` }],
    'delete-any': role => ['RM', { path: `/den/from-ada-${role}` }],
    invite: () => ['INVITE', { room: 'den' }],
    moderate: () => ['BANS', { room: 'den' }],
    manage: () => ['VISIBILITY', { room: 'den', visibility: 'private' }],
  };
  for (const role of roleNames) {
    const { account } = await testHub();
    const [ada, person] = [await account('ada'), await account('bob')];
    await ada.do('CREATE', { room: 'den' });
    await ada.put('/den/adas', 'hers');
    await ada.put(`/den/from-ada-${role}`, 'hers');
    await ada.do('ROLE', { room: 'den', user: 'bob', role: 'member' });
    await person.put('/den/own', 'his');
    await person.put(`/den/${role}-old`, 'his');
    await ada.do('ROLE', { room: 'den', user: 'bob', role });
    await ada.do('VISIBILITY', { room: 'den', visibility: 'private' });
    for (const action of actions) {
      const [command, input] = tries[action](role);
      // What a dropper puts where something stands gets a name of its own.
      const isNumbered = role === 'dropper' && action === 'overwrite';
      const seesOwn = role === 'dropper' && action === 'list';
      const isAllowed = isNumbered || seesOwn || roleActions[role as Role].includes(action);
      const expected = isAllowed ? 'ok' : role === 'none' ? 'no-room' : 'forbidden';
      t.equal(await person.code(command, input), expected, `${role} ${action}`);
    }
  }
});

t.test('roles', async t => {
  t.test('a moderator names members and readers; owners name moderators; a room keeps an owner', async t => {
    const { account, guest } = await testHub();
    const [ada, bob, cyd] = [await account('ada'), await account('bob'), await account('cyd')];
    await ada.do('CREATE', { room: 'den' });
    await ada.do('ROLE', { room: 'den', user: 'bob', role: 'moderator' });
    t.equal(await bob.code('ROLE', { room: 'den', user: 'cyd', role: 'reader' }), 'ok');
    t.equal(await cyd.code('SAY', { room: 'den', text: 'x' }), 'forbidden');
    t.equal(await bob.code('ROLE', { room: 'den', user: 'cyd', role: 'moderator' }), 'forbidden');
    t.equal(await bob.code('ROLE', { room: 'den', user: 'ada', role: 'none' }), 'forbidden', 'not those above');
    t.equal(await bob.code('ROLE', { room: 'den', user: 'bob', role: 'member' }), 'ok', 'one may step down');
    t.equal(await ada.code('ROLE', { room: 'den', user: 'ada', role: 'member' }), 'forbidden', 'the last owner stays');
    t.equal(await ada.code('ROLE', { room: 'den', user: 'nobody', role: 'member' }), 'no-user');
    await guest('eve');
    t.equal(await ada.code('ROLE', { room: 'den', user: 'eve', role: 'member' }), 'forbidden', 'guests are invited');
    t.same(await ada.rows('ROLES', { room: 'den' }), [
      { user: 'ada', role: 'owner' },
      { user: 'bob', role: 'member' },
      { user: 'cyd', role: 'reader' },
    ]);
  });

  t.test('a listed room is seen and not entered; whoever loses the right to read leaves at once', async t => {
    const { account, guest, settle } = await testHub();
    const [ada, eve] = [await account('ada'), await guest('eve')];
    await ada.do('CREATE', { room: 'den' });
    await eve.do('JOIN', { room: 'den' });
    await ada.do('VISIBILITY', { room: 'den', visibility: 'listed' });
    await ada.do('SAY', { room: 'den', text: 'for us' });
    await settle();
    t.match(eve.events.at(-1), { event: 'NOTICE', text: /^you have left den: you may not read here/ });
    t.ok((await eve.rows('ROOMS', {})).some(row => row['room'] === 'den'));
    t.equal(await eve.code('JOIN', { room: 'den' }), 'forbidden');
    await ada.do('VISIBILITY', { room: 'den', visibility: 'private' });
    t.equal(await eve.code('JOIN', { room: 'den' }), 'no-room');
    t.notOk((await eve.rows('ROOMS', {})).some(row => row['room'] === 'den'));
  });
});

t.test('moderation', async t => {
  const withDen = async (clock?: TurnedClock) => {
    const hub = await testHub(clock ? { clock } : {});
    const [ada, bob, eve] = [await hub.account('ada'), await hub.account('bob'), await hub.guest('eve')];
    await ada.do('CREATE', { room: 'den' });
    for (const person of [ada, bob, eve]) await person.do('JOIN', { room: 'den' });
    return { ...hub, ada, bob, eve };
  };

  t.test('whoever is kicked leaves and may come back', async t => {
    const { ada, bob, settle } = await withDen();
    t.match(await ada.do('KICK', { room: 'den', user: 'bob', reason: 'calm down' }), { user: 'bob', sessions: 1 });
    await ada.do('SAY', { room: 'den', text: 'quiet' });
    await settle();
    t.match(bob.events.at(-1), { event: 'NOTICE', text: 'ada made you leave den: calm down' });
    t.equal(await bob.code('JOIN', { room: 'den' }), 'ok');
  });

  t.test('a ban keeps an account out, and a guest by address, until it is over or lifted', async t => {
    const clock = new TurnedClock();
    const { ada, bob, eve, stranger, settle } = await withDen(clock);
    const out = await ada.do('BAN', { room: 'den', user: 'bob', for: '1h', reason: 'spam' });
    await settle();
    t.match(out.until, /^\d{4}-/);
    t.match(bob.events.at(-1), {
      event: 'NOTICE',
      text: /^you have left den: you are banned from den until \S+: spam$/,
    });
    for (const [command, input] of [
      ['JOIN', { room: 'den' }],
      ['SAY', { room: 'den', text: 'x' }],
      ['LS', { path: '/den' }],
    ] as const) {
      t.equal(await bob.code(command, input), 'banned', command);
    }
    await ada.do('BAN', { room: 'den', user: 'eve' });
    t.equal(await eve.code('JOIN', { room: 'den' }), 'banned');
    const again = stranger();
    await again.do('NICK', { user: 'adam' });
    t.equal(
      await again.code('JOIN', { room: 'den' }),
      'banned',
      'another name from the same address is the same guest',
    );
    const other = stranger(far);
    await other.do('NICK', { user: 'zoe' });
    t.equal(await other.code('JOIN', { room: 'den' }), 'ok');
    t.match(await ada.rows('BANS', { room: 'den' }), [
      { kind: 'ban', user: 'bob', by: 'ada', text: 'spam' },
      { kind: 'ban', user: 'eve', by: 'ada' },
    ]);
    clock.turn(3_600_000);
    t.equal(await bob.code('JOIN', { room: 'den' }), 'ok', 'over');
    t.equal(await eve.code('JOIN', { room: 'den' }), 'banned');
    await ada.do('UNBAN', { room: 'den', user: 'eve' });
    t.equal(await eve.code('JOIN', { room: 'den' }), 'ok', 'lifted');
    t.equal(await ada.code('UNBAN', { room: 'den', user: 'eve' }), 'no-user');
  });

  t.test('who is muted reads on; nobody moderates upwards or themselves', async t => {
    const { ada, bob, eve, settle } = await withDen();
    await ada.do('MUTE', { room: 'den', user: 'bob' });
    t.equal(await bob.code('SAY', { room: 'den', text: 'x' }), 'forbidden');
    await ada.do('SAY', { room: 'den', text: 'still with us' });
    await settle();
    t.match(bob.events.at(-1), { event: 'MSG', text: 'still with us' });
    await ada.do('UNMUTE', { room: 'den', user: 'bob' });
    t.equal(await bob.code('SAY', { room: 'den', text: 'x' }), 'ok');
    await ada.do('ROLE', { room: 'den', user: 'bob', role: 'moderator' });
    t.equal(await bob.code('BAN', { room: 'den', user: 'ada' }), 'forbidden');
    t.equal(await ada.code('BAN', { room: 'den', user: 'ada' }), 'forbidden');
    t.equal(await eve.code('KICK', { room: 'den', user: 'bob' }), 'forbidden');
  });

  t.test('slow mode makes people wait between messages, but not moderators', async t => {
    const clock = new TurnedClock();
    const { ada, bob } = await withDen(clock);
    await ada.do('SLOW', { room: 'den', seconds: 10 });
    t.equal(await bob.code('SAY', { room: 'den', text: '1' }), 'ok');
    t.equal(await bob.code('SAY', { room: 'den', text: '2' }), 'rate-limited');
    t.equal(await ada.code('SAY', { room: 'den', text: '1' }), 'ok');
    t.equal(await ada.code('SAY', { room: 'den', text: '2' }), 'ok');
    clock.turn(10_000);
    t.equal(await bob.code('SAY', { room: 'den', text: '3' }), 'ok');
  });

  t.test('a room takes no more than its quota, with what unfinished uploads have announced', async t => {
    const { ada, bob } = await withDen();
    await ada.do('QUOTA', { room: 'den', octets: 100 });
    await bob.put('/den/a', 'x'.repeat(40));
    t.equal(await bob.code('PUT', { path: '/den/b', size: 50 }), 'ok');
    t.equal(await ada.code('PUT', { path: '/den/c', size: 20 }), 'quota', '10 are left');
    await t.rejects(ada.put('/den/d', 'x'.repeat(11)), { code: 'quota' });
    const endless = { content: { pieces: [Buffer.alloc(11)] } };
    t.equal(await ada.code('PUT', { path: '/den/d', until: 'fin' }, endless), 'quota', 'a stream without a size too');
    await ada.put('/den/d', 'x'.repeat(10));
    t.match(await ada.do('QUOTA', { room: 'den' }), { octets: 100, used: 50 });
    await bob.do('RM', { path: '/den/a' });
    t.equal(await ada.code('PUT', { path: '/den/c', size: 20 }), 'ok', 'removal makes room');
    await ada.put('/lobby/large', 'x'.repeat(30));
    await ada.do('MKDIR', { path: '/lobby/dir' as never });
    await ada.put('/lobby/dir/large', 'x'.repeat(30));
    t.equal(await ada.code('CP', { from: '/lobby/large', to: '/den/copy' }), 'quota', 'nor does a copy get round it');
    t.equal(await ada.code('MV', { from: '/lobby/large', to: '/den/moved' }), 'quota', 'nor a move');
    t.equal(await ada.code('MV', { from: '/lobby/dir', to: '/den/dir' }), 'quota', 'nor a folder');
    const { upload } = await ada.do('PUT', { path: '/den/unsized' as never });
    const chunk = { content: { pieces: [Buffer.alloc(30)] } };
    await ada.do('CHUNK', { upload: upload!, offset: 0 }, chunk);
    t.equal(await ada.code('COMMIT', { upload }), 'quota', 'nor an upload that does not say its size');
  });
});

t.test('getting in', async t => {
  t.test('an invite lets a guest into its room with its role, so often and so long', async t => {
    const clock = new TurnedClock();
    const { account, stranger } = await testHub({
      clock,
      settings: { guests: false, clearPasswords: false, registration: false },
    });
    const ada = await account('ada');
    await ada.do('CREATE', { room: 'den' });
    await ada.do('VISIBILITY', { room: 'den', visibility: 'private' });
    const { invite } = await ada.do('INVITE', { room: 'den', role: 'dropper', uses: 2 });
    t.equal(await stranger().code('NICK', { user: 'eve' }), 'forbidden', 'guests are off');
    const eve = stranger();
    await eve.do('NICK', { user: 'eve', invite });
    t.equal(await eve.code('SAY', { room: 'den', text: 'x' }), 'forbidden');
    await eve.put('/den/dropped', 'here');
    t.match(await eve.rows('LS', { path: '/den' }), [{ name: 'dropped' }]);
    await ada.put('/den/report.pdf', 'hers');
    t.match(await eve.put('/den/report.pdf', 'mine', { mode: 'replace' }), { path: '/den/report-2.pdf' });
    t.match(await eve.put('/den/report.pdf', 'mine'), { path: '/den/report-3.pdf' }, 'names that collide are numbered');
    t.match(await ada.do('STAT', { path: '/den/report.pdf' }), { size: 4, owner: 'ada' });
    t.match(await ada.rows('INVITES', {}), [{ invite, kind: 'guest', room: 'den', role: 'dropper', uses: 1 }]);
    t.equal(await stranger().code('NICK', { user: 'fay', invite }), 'ok');
    t.equal(await stranger().code('NICK', { user: 'gus', invite }), 'auth-failed', 'used up');
    const once = await ada.do('INVITE', { room: 'den' });
    t.equal(await stranger().code('NICK', { user: 'fay', invite: once.invite }), 'exists', 'a name that is taken');
    const raced = await Promise.all(
      Array.from({ length: 8 }, (_, n) => stranger().code('NICK', { user: `racer${n}`, invite: once.invite })),
    );
    t.same(
      raced.sort(),
      ['ok', ...Array(7).fill('auth-failed')].sort(),
      'takes no use, and of eight at once one gets it',
    );
    const late = await ada.do('INVITE', { room: 'den', for: '1d' });
    clock.turn(day);
    t.equal(await stranger().code('NICK', { user: 'hal', invite: late.invite }), 'auth-failed', 'too late');
    const gone = await ada.do('INVITE', { room: 'den' });
    await ada.do('REVOKE', { id: gone.invite });
    t.equal(await stranger().code('NICK', { user: 'ivy', invite: gone.invite }), 'auth-failed', 'taken back');
    t.equal(await eve.code('INVITE', { room: 'den' }), 'forbidden');
  });

  t.test('an account is made by an invite of an administrator, or where everybody may', async t => {
    const { account, stranger } = await testHub();
    const [admin, ada] = [await account('admin'), await account('ada')];
    t.equal(await ada.code('INVITE', { kind: 'account' }), 'forbidden');
    t.equal(await stranger().code('REGISTER', { user: 'bob', password: 'x' }), 'forbidden');
    const { invite } = await admin.do('INVITE', { kind: 'account', room: 'lobby', role: 'moderator' });
    t.equal(await stranger().code('REGISTER', { user: 'ADA', password: 'x', invite }), 'exists');
    const bob = stranger();
    t.match(await bob.do('REGISTER', { user: 'Bob', password: 'x', invite }), { user: 'Bob' });
    t.match(await bob.do('ROLE', { room: 'lobby', user: 'bob' }), { role: 'moderator' });
    t.equal(await stranger().code('LOGIN', { user: 'bob', password: 'x' }), 'ok');
    t.equal(await stranger().code('REGISTER', { user: 'cyd', password: 'x', invite }), 'auth-failed', 'used up');
    const open = await testHub({ settings: { guests: true, clearPasswords: false, registration: true } });
    t.equal(await open.stranger().code('REGISTER', { user: 'bob', password: 'x' }), 'ok');
    t.equal(await open.stranger(far).code('REGISTER', { user: 'bob', password: 'x' }), 'exists');
  });

  t.test('a token enters with what it says, and a device is a member of one room that only tokens open', async t => {
    const clock = new TurnedClock();
    const { account, stranger } = await testHub({ clock });
    const admin = await account('admin');
    await admin.do('CREATE', { room: 'yard' });
    const all = await admin.do('MINT', { label: 'laptop' });
    t.match(all.token, /^pl_[\w-]{40}$/);
    const laptop = stranger();
    t.match(await laptop.do('TOKEN', { token: all.token }), { user: 'admin' });
    t.equal(await laptop.code('BLOCKS', {}), 'ok', 'without bounds it is its owner');
    const some = await admin.do('MINT', { room: 'yard', actions: 'post', for: '1h' });
    const bot = stranger();
    await bot.do('TOKEN', { token: some.token });
    t.equal(await bot.code('SAY', { room: 'yard', text: 'backup ok' }), 'ok');
    t.equal(await bot.code('SAY', { room: 'lobby', text: 'x' }), 'no-room', 'another room is not there');
    t.equal(await bot.code('HISTORY', { room: 'yard' }), 'forbidden');
    for (const [command, input] of [
      ['BLOCKS', {}],
      ['MINT', {}],
      ['CREATE', { room: 'mine' }],
      ['SESSIONS', {}],
      ['TOKENS', {}],
      ['REVOKE', { id: all.id }],
      ['PASSWORD', { old: 'secret', new: 'x' }],
    ] as const) {
      t.equal(await bot.code(command, input), 'forbidden', `${command}: bounds leave nothing of an administrator`);
    }
    clock.turn(3_600_000);
    t.equal(await stranger().code('TOKEN', { token: some.token }), 'auth-failed', 'over');
    const { token, user } = await admin.do('MINT', { device: 'cam3', room: 'yard', actions: 'upload' });
    t.equal(user, 'cam3');
    const cam = stranger();
    await cam.do('TOKEN', { token });
    await cam.put('/yard/picture', 'x');
    t.equal(await cam.code('GET', { path: '/yard/picture' }), 'forbidden');
    t.equal(await stranger().code('NICK', { user: 'cam3' }), 'exists');
    for (const password of ['', 'x', 'undefined']) {
      t.not(await stranger().code('LOGIN', { user: 'cam3', password }), 'ok', 'no password opens it');
    }
    t.equal(await admin.code('MINT', { device: 'admin', room: 'yard' }), 'exists');
    t.match(
      await admin.rows('TOKENS', {}),
      [{}, {}, {}].map(() => ({ id: /^t_/, token: undefined })),
    );
  });

  t.test(
    'a word of CODE enters once instead of the password, for a while, in clear too; a new one voids the old',
    async t => {
      const clock = new TurnedClock();
      const { account, guest, stranger } = await testHub({ clock });
      const ada = await account('ada');
      const enter = (password: string) =>
        stranger({ address: '192.0.2.7', loopback: false }).code('LOGIN', { user: 'Ada', password });
      const { code, until } = await ada.do('CODE', {});
      t.match(code, /^[a-z2-9]{5}-[a-z2-9]{5}$/);
      t.ok(Date.parse(until) > clock.now());
      t.equal(await enter('aaaaa-aaaaa'), 'tls-required');
      t.equal(await enter(code.toUpperCase()), 'ok');
      t.equal(await enter(code), 'tls-required', 'it was spent');
      const { code: former } = await ada.do('CODE', {});
      const { code: latter } = await ada.do('CODE', {});
      t.equal(await enter(former), 'tls-required');
      clock.turn(limits.codeMs);
      t.equal(await enter(latter), 'tls-required', 'it is too old');
      t.equal(await (await guest('gus')).code('CODE', {}), 'forbidden');
    },
  );

  t.test('guesses at a word of CODE are slowed in clear too, and a new password withdraws it', async t => {
    const { account, stranger } = await testHub();
    const ada = await account('ada');
    const enter = (address: string, password: string) =>
      stranger({ address, loopback: false }).code('LOGIN', { user: 'ada', password });
    const answers = new Set<string>();
    await ada.do('CODE', {});
    for (let i = 0; i < 20; i++) answers.add(await enter('192.0.2.7', `aaaaa-aaaa${i % 10}`));
    t.same([...answers], ['tls-required', 'rate-limited']);
    const { code } = await ada.do('CODE', {});
    await ada.do('PASSWORD', { old: 'secret', new: 'n' });
    t.equal(await enter('192.0.2.8', code), 'tls-required');
    for (let i = 0; i < 20; i++) t.equal(await enter('192.0.2.9', 'x'), 'tls-required', 'no word is out');
  });

  t.test('a new password ends the other sessions; the old one is asked for, but not of an administrator', async t => {
    const { account, stranger } = await testHub();
    const [ada, phone, admin] = [await account('ada'), await account('ada'), await account('admin')];
    t.equal(await ada.code('PASSWORD', { new: 'n' }), 'bad-argument');
    t.equal(await ada.code('PASSWORD', { old: 'wrong', new: 'n' }), 'auth-failed');
    await ada.do('PASSWORD', { old: 'secret', new: 'n' });
    t.equal(await phone.code('WHOAMI', {}), 'cancelled');
    t.equal(await ada.code('WHOAMI', {}), 'ok');
    t.equal(await stranger().code('LOGIN', { user: 'ada', password: 'secret' }), 'auth-failed');
    t.equal(await ada.code('PASSWORD', { user: 'admin', new: 'n' }), 'forbidden');
    await admin.do('PASSWORD', { user: 'ada', new: 'third' });
    t.equal(await ada.code('WHOAMI', {}), 'cancelled');
    t.equal(await stranger().code('LOGIN', { user: 'ada', password: 'third' }), 'ok');
  });
});

t.test('keeping out', async t => {
  t.test('sessions are listed to their own, and end when revoked, as those of a token do', async t => {
    const { account, stranger } = await testHub();
    const [ada, phone, bob, admin] = [
      await account('ada'),
      await account('ada'),
      await account('bob'),
      await account('admin'),
    ];
    const { token, id } = await ada.do('MINT', {});
    const bot = stranger();
    await bot.do('TOKEN', { token });
    t.match(await ada.rows('SESSIONS', {}), [{ own: true }, { user: 'ada' }, { user: 'ada' }]);
    t.equal((await admin.rows('SESSIONS', {})).length, 5);
    t.equal((await admin.rows('SESSIONS', { user: 'Bob' })).length, 1);
    t.equal(await bob.code('REVOKE', { id: phone.session.id }), 'no-user', 'not somebody else’s');
    t.match(await ada.do('REVOKE', { id: phone.session.id }), { sessions: 1 });
    t.equal(await phone.code('WHOAMI', {}), 'cancelled');
    t.equal(await bob.code('REVOKE', { id }), 'no-user');
    t.match(await ada.do('REVOKE', { id }), { sessions: 1 });
    t.equal(await bot.code('WHOAMI', {}), 'cancelled');
    t.equal(await stranger().code('TOKEN', { token }), 'auth-failed');
  });

  t.test(
    'a block ends sessions, refuses new ones with its reason, lasts over a restart and ends with its time',
    async t => {
      const clock = new TurnedClock();
      const store = memoryStore();
      const first = await testHub({ store, clock });
      const [admin, ada] = [await first.account('admin'), await first.account('ada')];
      const eve = first.stranger(far);
      await eve.do('NICK', { user: 'eve' });
      t.equal(await ada.code('BLOCK', { user: 'admin' }), 'forbidden');
      t.match(await admin.do('BLOCK', { user: 'ada', for: '1d', reason: 'rude' }), { sessions: 1 });
      t.match(await admin.do('BLOCK', { address: far.address, reason: 'worse' }), { sessions: 1 });
      const six = await admin.do('BLOCK', { address: '2001:DB8:0::1', for: '1h' });
      t.equal(six.address, '2001:db8::1', 'in the form in which connections show it');
      await admin.do('UNBLOCK', { address: '2001:db8:0:0::1' });
      t.equal(await ada.code('WHOAMI', {}), 'cancelled');
      t.match(await admin.rows('BLOCKS', {}), [
        { user: 'ada', text: 'rude' },
        { address: far.address, until: undefined },
      ]);
      const hub = await testHub({ store, clock });
      t.equal(await hub.stranger().code('LOGIN', { user: 'ada', password: 'secret' }), 'banned');
      t.throws(() => hub.stranger(far), { code: 'banned', message: 'your address is kept out of this hub: worse' });
      clock.turn(day);
      t.equal(await hub.stranger().code('LOGIN', { user: 'ada', password: 'secret' }), 'ok');
      const again = await hub.account('admin');
      await again.do('UNBLOCK', { address: far.address });
      t.equal(await hub.stranger(far).code('NICK', { user: 'eve' }), 'ok');
      t.equal(await again.code('BLOCK', { user: 'admin' }), 'forbidden', 'not oneself');
      t.equal(await again.code('BLOCK', {}), 'bad-argument');
    },
  );

  t.test('an address that guesses on is kept out for a while, and waits stand over a restart', async t => {
    const clock = new TurnedClock();
    const store = memoryStore();
    const first = await testHub({ store, clock });
    await first.account('ada');
    const guess = async (hub: { stranger(origin: object): Guest }, user: string) =>
      hub.stranger(far).code('LOGIN', { user, password: 'x' });
    for (let i = 0; i <= limits.loginFailuresFree; i++) await guess(first, 'ada');
    const hub = await testHub({ store, clock });
    t.equal(await guess(hub, 'ada'), 'rate-limited', 'after a restart');
    let said = '';
    for (let i = 0; i < 30 && said !== 'banned'; i++) {
      clock.turn(limits.loginWaitMsMax);
      said = await guess(hub, `user${i}`).catch(error => error.code);
    }
    t.equal(said, 'banned');
    clock.turn(limits.addressBlockMs);
    t.equal(await guess(hub, 'ada'), 'auth-failed', 'and then let in again');
  });

  t.test('what was done to people and rights stands in a room that administrators read and nobody writes', async t => {
    const { account } = await testHub();
    const [admin, ada] = [await account('admin'), await account('ada')];
    await account('bob');
    await ada.do('CREATE', { room: 'den' });
    await ada.do('ROLE', { room: 'den', user: 'bob', role: 'moderator' });
    await ada.do('ROLE', { room: 'den', user: 'bob' });
    await ada.do('MINT', { label: 'x' });
    await ada.do('PASSWORD', { old: 'secret', new: 'n0t-t0-be-seen' });
    t.same(
      (await admin.rows('HISTORY', { room: 'audit' })).map(row => `${row['from']}: ${row['text']}`),
      ['ada: ROLE room=den user=bob role=moderator', 'ada: MINT label=x', 'ada: PASSWORD'],
    );
    t.equal(await admin.code('SAY', { room: 'audit', text: 'x' }), 'forbidden');
    t.equal(await admin.code('DELETE', { room: 'audit', of: 1 }), 'forbidden');
    t.equal(await ada.code('HISTORY', { room: 'audit' }), 'no-room');
    t.equal(await ada.code('CREATE', { room: 'audit' }), 'exists');
  });
});
