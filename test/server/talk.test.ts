/** What goes on around messages, asked without a wire: reactions, read marks, typing, conversations of two, presence, ignoring. */
import t from 'tap';
import type { HubEvent } from '../../shared/events.ts';
import { limits } from '../../shared/limits.ts';
import { testHub } from '../support/hub.ts';
import { TurnedClock } from '../support/line-server.ts';

const names = (events: readonly HubEvent[]) => events.map(event => event.event);
const lobby = { room: 'lobby' };

t.test('reactions', async t => {
  t.test('the same one again takes it back, and history counts them', async t => {
    const { account, guest, settle } = await testHub();
    const [ada, bob, eve] = [await account('ada'), await account('bob'), await guest('eve')];
    await bob.do('JOIN', lobby);
    await ada.do('SAY', { ...lobby, text: 'hi' });
    t.match(await ada.do('REACT', { ...lobby, of: 1, emoji: '👍' }), { seq: 2, emoji: '👍' });
    await eve.do('REACT', { ...lobby, of: 1, emoji: '👍' });
    await eve.do('REACT', { ...lobby, of: 1, emoji: 'constructor' });
    t.match(await bob.rows('HISTORY', { ...lobby, limit: 100 }), [{ reactions: '👍:2,constructor:1' }, {}, {}, {}]);
    t.match(await ada.do('REACT', { ...lobby, of: 1, emoji: '👍' }), { removed: true, seq: 5 });
    await settle();
    t.match(bob.events.at(-1), { event: 'REACTED', seq: 5, from: 'ada', of: 1, emoji: '👍', removed: true });
    t.match((await bob.rows('JOIN', { ...lobby, after: 0 }))[0], { reactions: '👍:1,constructor:1' });
  });

  t.test('one emoji or a short word is a reaction, nothing else is', async t => {
    const { guest } = await testHub();
    const eve = await guest('eve');
    await eve.do('SAY', { ...lobby, text: 'hi' });
    for (const emoji of ['👨‍👩‍👧‍👦', '🇩🇪', '1️⃣', 'да', 'ok'])
      t.equal(await eve.code('REACT', { ...lobby, of: 1, emoji }), 'ok', emoji);
    for (const emoji of ['👍👍', '', 'a b', 'x:1', '\u202eok', '\u001b[m', 'a'.repeat(33), '1'])
      t.equal(await eve.code('REACT', { ...lobby, of: 1, emoji }), 'bad-argument', JSON.stringify(emoji));
    t.match(await eve.do('REACT', { ...lobby, of: 1, emoji: '❤' }), { emoji: '❤\ufe0f' });
    t.match(await eve.do('REACT', { ...lobby, of: 1, emoji: '❤\ufe0f' }), { removed: true }, 'both spellings are one');
  });

  t.test('only messages that are there have them, and only so many', async t => {
    const { account } = await testHub();
    const ada = await account('ada');
    await ada.do('SAY', { ...lobby, text: 'hi' });
    await ada.do('SAY', { ...lobby, text: 'gone' });
    await ada.do('REACT', { ...lobby, of: 2, emoji: 'ok' });
    await ada.do('DELETE', { ...lobby, of: 2 });
    for (const of of [2, 3, 99]) t.equal(await ada.code('REACT', { ...lobby, of, emoji: 'ok' }), 'no-message', `${of}`);
    t.notOk('reactions' in (await ada.rows('HISTORY', lobby))[1]!, 'a deleted message shows none');
    for (let n = 0; n < limits.reactionKindsMax; n++) {
      const emoji = String.fromCharCode(0x61 + n);
      await ada.do('REACT', { ...lobby, of: 1, emoji });
    }
    t.equal(await ada.code('REACT', { ...lobby, of: 1, emoji: 'zz' }), 'quota');
    t.equal(await ada.code('REACT', { ...lobby, of: 1, emoji: 'a' }), 'ok', 'taking back is always possible');
  });

  t.test('two sessions that react at once do so one after the other', async t => {
    const { account } = await testHub();
    const sessions = [await account('ada'), await account('ada')];
    await sessions[0]!.do('SAY', { ...lobby, text: 'hi' });
    const done = await Promise.all(sessions.map(ada => ada.do('REACT', { ...lobby, of: 1, emoji: 'ok' })));
    t.same(done.map(({ removed }) => removed === true).sort(), [false, true]);
  });
});

t.test('read marks', async t => {
  t.test('they move forward only, and the other sessions of the person alone are told', async t => {
    const { account } = await testHub();
    const [ada, phone, bob] = [await account('ada'), await account('ada'), await account('bob')];
    for (const text of ['a', 'b', 'c']) await bob.do('SAY', { ...lobby, text });
    t.match(await ada.do('READ', { ...lobby, seq: 2 }), { seq: 2 });
    t.match(await ada.do('READ', { ...lobby, seq: 1 }), { seq: 2 });
    t.equal(await ada.code('READ', { ...lobby, seq: 4 }), 'no-message');
    t.strictSame(phone.events, [{ event: 'READ', room: 'lobby', seq: 2 }]);
    t.same([ada.events, bob.events], [[], []]);
    const row = async (person: typeof ada) => (await person.rows('ROOMS', { match: 'lobby' }))[0];
    t.match(await row(phone), { last: 3, read: 2 });
    t.equal((await row(bob))?.read, undefined);
  });

  t.test('many moves are one write a second, and the end of the session is another', async t => {
    const clock = new TurnedClock();
    const first = await testHub({ clock });
    const { account, store, hub } = first;
    const ada = await account('ada');
    const kept = async () => (await store.document('reads', 'ada'))?.value;
    for (let seq = 1; seq <= 5; seq++) {
      await ada.do('SAY', { ...lobby, text: 'x' });
      await ada.do('READ', { ...lobby, seq });
    }
    t.equal(await kept(), undefined);
    clock.turn(limits.readWriteMs);
    await first.settle();
    t.same(await kept(), [['lobby', 5]]);
    t.equal((await store.document('reads', 'ada'))?.version, 1);
    await ada.do('SAY', { ...lobby, text: 'x' });
    await ada.do('READ', { ...lobby, seq: 6 });
    hub.disconnect(ada.session);
    await first.settle();
    t.same(await kept(), [['lobby', 6]]);
    const again = await testHub({ store });
    t.match((await (await again.account('ada')).rows('ROOMS', { match: 'lobby' }))[0], { read: 6 }, 'it is kept');
  });
});

t.test('who is typing is shown to the others, once in a while', async t => {
  const clock = new TurnedClock();
  const { guest, settle } = await testHub({ clock });
  const [ada, bob] = [await guest('ada'), await guest('bob')];
  for (const person of [ada, bob]) await person.do('JOIN', lobby);
  await settle();
  ada.events.length = bob.events.length = 0;
  for (let n = 0; n < 3; n++) await ada.do('TYPING', lobby);
  await settle();
  t.strictSame(bob.events, [{ event: 'TYPING', room: 'lobby', from: 'ada', guest: true }]);
  t.same(ada.events, []);
  clock.turn(limits.typingMs);
  await ada.do('TYPING', lobby);
  await settle();
  t.equal(bob.events.length, 2);
});

t.test('conversations of two', async t => {
  t.test('all sessions of both hear what is told, and each reads it under the name of the other', async t => {
    const { account, settle } = await testHub();
    const [ada, bob, phone] = [await account('Ada'), await account('bob'), await account('bob')];
    t.match(await ada.do('TELL', { user: 'BOB', text: 'psst' }), { user: 'bob', room: '@ada+bob', seq: 1 });
    await settle();
    for (const { events } of [bob, phone]) {
      t.match(events, [{ event: 'MSG', room: '@ada+bob', seq: 1, from: 'Ada', text: 'psst' }]);
    }
    t.match(await bob.do('TELL', { user: 'ada', text: 'yes?' }), { room: '@ada+bob', seq: 2 });
    await ada.do('SAY', { room: '@bob', text: 'nothing' });
    for (const [person, room] of [
      [ada, '@bob'],
      [bob, '@ADA'],
      [bob, '@ada+bob'],
    ] as const) {
      t.same(
        (await person.rows('HISTORY', { room })).map(row => row.text),
        ['psst', 'yes?', 'nothing'],
      );
    }
    t.match(await bob.do('JOIN', { room: '@ada' }), { last: 3 });
    t.match(await bob.do('READ', { room: '@ada', seq: 3 }), { seq: 3 });
    t.match(await bob.rows('ROOMS', { match: '@' }), [{ room: '@ada+bob', last: 3, read: 3 }]);
  });

  t.test('nobody else, an administrator neither, can name, see or search one', async t => {
    const { account, guest } = await testHub();
    const [ada, bob] = [await account('ada'), await account('bob')];
    const [admin, carol, eve] = [await account('admin'), await account('carol'), await guest('eve')];
    await ada.do('TELL', { user: 'bob', text: 'secretword' });
    for (const other of [admin, carol, eve]) {
      for (const room of ['@ada+bob', '@bob', '@ada']) {
        t.equal(await other.code('HISTORY', { room }), 'no-room');
        t.equal(await other.code('JOIN', { room }), 'no-room');
        t.equal(await other.code('SAY', { room, text: 'x' }), 'no-room');
        t.equal(await other.code('REACT', { room, of: 1, emoji: 'ok' }), 'no-room');
        t.equal(await other.code('PART', { room }), 'no-room');
      }
      t.same(await other.rows('ROOMS', { match: '@' }), []);
      t.same(await other.rows('SEARCH', { query: 'secretword' }), []);
    }
    t.equal(await admin.code('CREATE', { room: '@ada+carol' }), 'bad-argument');
    t.equal(await admin.code('LS', { path: '/@ada+bob' }), 'bad-argument');
    await admin.do('TELL', { user: 'bob', text: 'hi' });
    await bob.do('SAY', { room: '@admin', text: 'mine' });
    t.equal(await admin.code('DELETE', { room: '@bob', of: 2 }), 'forbidden', 'each takes back only their own');
  });

  t.test('they last over a restart, and a repetition posts nothing new', async t => {
    const first = await testHub();
    const ada = await first.account('ada');
    await first.account('bob');
    await ada.do('TELL', { user: 'bob', id: 'x', text: 'hi' });
    t.match(await ada.do('TELL', { user: 'bob', id: 'x', text: 'hi' }), { seq: 1, dup: true });
    const again = await testHub({ store: first.store });
    const bob = await again.account('bob');
    t.match(await bob.rows('HISTORY', { room: '@ada' }), [{ text: 'hi' }]);
    t.match(await bob.do('TELL', { user: 'ada', text: 'yes' }), { seq: 2 });
  });

  t.test('one with a guest ends with the guest, and the next of that name has none of it', async t => {
    const { account, guest, hub, store, settle } = await testHub();
    const [ada, eve] = [await account('ada'), await guest('eve')];
    const { room } = await ada.do('TELL', { user: 'eve', text: 'secret' });
    t.match(await eve.rows('HISTORY', { room: '@ada' }), [{ text: 'secret' }]);
    hub.disconnect(eve.session);
    await settle();
    t.equal(await ada.code('HISTORY', { room: '@eve' }), 'no-room');
    t.equal(await ada.code('TELL', { user: 'eve', text: 'there?' }), 'no-user');
    t.same([await store.head(room), await store.documents('direct', { limit: 9 })], [0, []], 'nothing is kept');
    const other = await guest('eve');
    t.equal(await other.code('HISTORY', { room: '@ada' }), 'no-room');
    await ada.do('TELL', { user: 'eve', text: 'new' });
    t.match(await other.rows('HISTORY', { room: '@ada' }), [{ text: 'new', seq: 1 }]);
    const again = await testHub({ store });
    t.equal(await (await again.account('ada')).code('HISTORY', { room: '@eve' }), 'no-room', 'nor does a restart');
    t.same(await store.documents('direct', { limit: 9 }), []);
  });

  t.test('a guest who signs in leaves their conversations behind', async t => {
    const { account, guest, settle } = await testHub();
    const [ada, eve] = [await account('ada'), await guest('eve')];
    await account('bob');
    await ada.do('TELL', { user: 'eve', text: 'secret' });
    await eve.do('LOGIN', { user: 'bob', password: 'secret' });
    await settle();
    t.equal(await eve.code('HISTORY', { room: '@ada' }), 'no-room');
  });

  t.test('nobody talks to themselves or to nobody, nor begins too many in a day', async t => {
    const clock = new TurnedClock();
    const { account, guest } = await testHub({ clock });
    const ada = await account('ada');
    t.equal(await ada.code('TELL', { user: 'ADA', text: 'x' }), 'bad-argument');
    t.equal(await ada.code('TELL', { user: 'nobody', text: 'x' }), 'no-user');
    for (let n = 0; n < limits.newDirectsMax; n++) {
      await guest(`g${n}`);
      await ada.do('TELL', { user: `g${n}`, text: 'x' });
    }
    await account('bob');
    t.equal(await ada.code('TELL', { user: 'bob', text: 'x' }), 'quota');
    t.equal(await ada.code('TELL', { user: 'g1', text: 'x' }), 'ok', 'those that are there go on');
    clock.turn(limits.newDirectsMs);
    t.equal(await ada.code('TELL', { user: 'bob', text: 'x' }), 'ok');
  });

  t.test('two who begin at once begin one', async t => {
    const { account } = await testHub();
    const [ada, bob] = [await account('ada'), await account('bob')];
    const told = await Promise.all([
      ada.do('TELL', { user: 'bob', text: 'a' }),
      bob.do('TELL', { user: 'ada', text: 'b' }),
    ]);
    t.same(told.map(({ seq }) => seq).sort(), [1, 2]);
  });
});

t.test('presence', async t => {
  const { account, guest, hub } = await testHub();
  const [ada, bob, eve] = [await account('ada'), await account('bob'), await guest('eve')];
  await bob.do('CREATE', { room: 'den' });
  for (const person of [ada, bob]) await person.do('JOIN', lobby);
  await bob.do('JOIN', { room: 'den' });
  await bob.do('AWAY', { text: 'lunch' });
  t.match(await ada.do('WHO', { user: 'BOB' }), {
    user: 'bob',
    here: true,
    wires: 'test',
    rooms: 'lobby',
    text: 'lunch',
  });
  t.notOk('rooms' in (await eve.do('WHO', { user: 'bob' })), 'only rooms that both are in');
  t.match(await ada.do('WHO', { user: 'eve' }), { user: 'eve', guest: true, here: true });
  t.equal(await ada.code('WHO', { user: 'nobody' }), 'no-user');
  const rows = await ada.rows('NAMES', lobby);
  t.same(rows.find(({ user }) => user === 'bob')?.away, true);
  t.notOk('away' in rows.find(({ user }) => user === 'ada')!);
  t.match(await ada.do('TELL', { user: 'bob', text: 'x' }), { away: 'lunch' });
  t.strictSame(await bob.do('AWAY', {}), {});
  t.notOk('away' in (await ada.do('TELL', { user: 'bob', text: 'x' })));
  await bob.do('AWAY', { text: 'bye' });
  hub.disconnect(bob.session);
  t.strictSame(await ada.do('WHO', { user: 'bob' }), { user: 'bob' }, 'who has gone is not away');
});

t.test('ignoring', async t => {
  t.test('what an ignored person says does not arrive, on any session, and history has it', async t => {
    const { account, settle } = await testHub();
    const [ada, bob, carol] = [await account('ada'), await account('bob'), await account('carol')];
    for (const person of [ada, bob, carol]) await person.do('JOIN', lobby);
    await ada.do('IGNORE', { user: 'BOB' });
    const phone = await account('ada');
    await phone.do('JOIN', lobby);
    await settle();
    for (const person of [ada, phone, carol]) person.events.length = 0;
    await bob.do('SAY', { ...lobby, text: 'noise' });
    await bob.do('TYPING', lobby);
    await bob.do('REACT', { ...lobby, of: 1, emoji: 'ok' });
    await carol.do('SAY', { ...lobby, text: 'news' });
    t.equal(await bob.code('TELL', { user: 'ada', text: 'psst' }), 'ok', 'he is not told');
    await settle();
    for (const { events } of [ada, phone]) t.match(events, [{ event: 'MSG', from: 'carol' }]);
    t.same([ada.events.length, phone.events.length], [1, 1]);
    t.same(names(carol.events), ['MSG', 'TYPING', 'REACTED', 'MSG']);
    t.match((await ada.rows('HISTORY', lobby))[0], { text: 'noise' });
    t.match(await ada.rows('HISTORY', { room: '@bob' }), [{ text: 'psst' }]);
    await ada.do('UNIGNORE', { user: 'bob' });
    await bob.do('SAY', { ...lobby, text: 'again' });
    await settle();
    t.match(phone.events.at(-1), { text: 'again' });
  });

  t.test('it is kept for accounts, and for a guest as long as they stay', async t => {
    const { account, guest, store } = await testHub();
    const [ada, eve] = [await account('ada'), await guest('eve')];
    await account('bob');
    for (const user of ['bob', 'eve']) await ada.do('IGNORE', { user });
    await eve.do('IGNORE', { user: 'bob' });
    t.same(await ada.rows('IGNORES', {}), [{ user: 'bob' }, { user: 'eve' }]);
    t.same(await eve.rows('IGNORES', {}), [{ user: 'bob' }]);
    t.equal(await ada.code('UNIGNORE', { user: 'carol' }), 'no-user');
    t.equal(await ada.code('IGNORE', { user: 'ada' }), 'bad-argument');
    const again = await testHub({ store });
    t.same(await (await again.account('ada')).rows('IGNORES', {}), [{ user: 'bob' }]);
  });
});

t.test('who is named in a message hears of it where they do not listen', async t => {
  const { account, guest, settle } = await testHub();
  const [ada, bob, phone] = [await account('ada'), await account('bob'), await account('bob')];
  const [carol, eve] = [await account('carol'), await guest('eve')];
  await phone.do('JOIN', lobby);
  await carol.do('IGNORE', { user: 'ada' });
  await settle();
  await ada.do('SAY', { ...lobby, text: 'mail x@eve.de; @BOB, @carol and @eve: lunch with @ada? @nobody @bob.' });
  await settle();
  const mention = { event: 'MENTION', room: 'lobby', seq: 1, from: 'ada' };
  t.strictSame(bob.events, [mention], 'once');
  t.strictSame(eve.events, [mention]);
  t.same(names(phone.events), ['MSG'], 'who has joined has the message');
  t.same([ada.events, carol.events], [[], []]);
  await ada.do('CREATE', { room: 'den' });
  await ada.do('VISIBILITY', { room: 'den', visibility: 'private' });
  await ada.do('SAY', { room: 'den', text: '@bob' });
  await settle();
  t.equal(bob.events.length, 1, 'not of a room that they may not read');
});
