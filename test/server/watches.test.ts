/** Following the files of a folder without joining its room. */
import t from 'tap';
import type { HubEvent } from '../../shared/events.ts';
import { limits } from '../../shared/limits.ts';
import { testHub } from '../support/hub.ts';

const told = (events: readonly HubEvent[]) =>
  events.map(event => (event.event === 'FILE' ? `${event.seq} ${event.op} ${event.path}` : event.event));

t.test('what happens to files below a watched folder is heard, and nothing else', async t => {
  const { account, guest, settle } = await testHub();
  const [ada, eve] = [await account('ada'), await guest('eve')];
  for (const path of ['/lobby/d', '/lobby/d/in', '/lobby/other']) await ada.do('MKDIR', { path });
  t.same(await eve.do('WATCH', { path: '/Lobby/d/' }), { path: '/lobby/d' });
  await eve.do('WATCH', { path: '/lobby/d/in' });
  await ada.do('SAY', { room: 'lobby', text: 'hi' });
  await ada.put('/lobby/a', 'a');
  await ada.put('/lobby/d/in/b', 'b');
  await ada.do('MV', { from: '/lobby/a', to: '/lobby/d/a' });
  await ada.do('MV', { from: '/lobby/d/a', to: '/lobby/other/a' });
  await ada.do('MKDIR', { path: '/lobby/other/in' });
  await ada.do('RM', { path: '/lobby/other/a' });
  await ada.do('RM', { path: '/lobby/d', recursive: true });
  await settle();
  const all = ['6 put /lobby/d/in/b', '7 move /lobby/a', '8 move /lobby/d/a', '11 remove /lobby/d'];
  t.same(told(eve.events), all, 'each once');
  await ada.do('MKDIR', { path: '/lobby/d' });
  await eve.do('UNWATCH', { path: '/lobby/d' });
  await ada.put('/lobby/d/c', 'c');
  await settle();
  t.same(told(eve.events.slice(all.length)), ['12 mkdir /lobby/d']);
  t.equal(await eve.code('UNWATCH', { path: '/lobby/d' }), 'conflict');
});

t.test('who has joined the room hears of a file once', async t => {
  const { account, settle } = await testHub();
  const ada = await account('ada');
  await ada.do('WATCH', { path: '/lobby' });
  await ada.put('/lobby/a', 'a');
  await settle();
  await ada.do('JOIN', { room: 'lobby' });
  await ada.put('/lobby/b', 'b');
  await settle();
  await ada.do('PART', { room: 'lobby' });
  await ada.put('/lobby/c', 'c');
  await settle();
  t.same(told(ada.events), ['1 put /lobby/a', '2 put /lobby/b', '3 put /lobby/c']);
});

t.test('a watch ends with the right to list, with the person, and with the session', async t => {
  const { account, guest, hub, settle } = await testHub();
  const [ada, bob, cleo] = [await account('ada'), await account('bob'), await account('cleo')];
  await account('dora');
  await ada.do('CREATE', { room: 'den' });
  const eve = await guest('eve');
  for (const person of [bob, cleo, eve]) await person.do('WATCH', { path: '/den' });
  await ada.do('ROLE', { room: 'den', user: 'bob', role: 'dropper' });
  t.same(bob.events, [{ event: 'NOTICE', text: 'you do not watch den any more' }]);
  await eve.do('LOGIN', { user: 'dora', password: 'secret' });
  hub.disconnect(cleo.session);
  await ada.put('/den/a', 'a');
  await ada.do('ROLE', { room: 'den', user: 'bob', role: 'member' });
  await ada.put('/den/b', 'b');
  await settle();
  t.same([bob.events.length, cleo.events, eve.events], [1, [], []]);
  t.equal(await bob.code('UNWATCH', { path: '/den' }), 'conflict');
  t.equal(await bob.code('WATCH', { path: '/den' }), 'ok');
});

t.test('only what is there and may be listed is watched, and only so much', async t => {
  const { account } = await testHub();
  const [ada, bob] = [await account('ada'), await account('bob')];
  await ada.do('CREATE', { room: 'den' });
  await ada.do('VISIBILITY', { room: 'den', visibility: 'private' });
  await ada.put('/~ada/a', 'a');
  for (const [path, code] of [
    ['/', 'bad-argument'],
    ['/den', 'no-room'],
    ['/none', 'no-room'],
    ['/lobby/none', 'no-file'],
    ['/lobby/.chat', 'forbidden'],
    ['/~ada', 'no-room'],
    ['/~bob', 'forbidden'],
  ] as const)
    t.equal(await bob.code('WATCH', { path }), code, path);
  for (let n = 0; n <= limits.watchesMax; n++) {
    await bob.do('MKDIR', { path: `/lobby/${n}` });
    const code = n < limits.watchesMax ? 'ok' : 'quota';
    t.equal(await bob.code('WATCH', { path: `/lobby/${n}` }), code);
  }
  t.equal(await bob.code('WATCH', { path: '/lobby/1' }), 'ok', 'the same again');
  await bob.do('UNWATCH', { path: '/lobby/1' });
  t.equal(await bob.code('WATCH', { path: `/lobby/${limits.watchesMax}` }), 'ok');
});
