/** What STATS counts, and for whom. */
import t from 'tap';
import { testHub } from '../support/hub.ts';
import { TurnedClock } from '../support/line-server.ts';

t.test('administrators, and nobody else, are told how much there is and who is online by each wire', async t => {
  const clock = new TurnedClock();
  const { account, guest, stranger } = await testHub({ clock });
  const [admin, ada] = [await account('admin'), await account('ada')];
  t.equal(await ada.code('STATS', {}), 'forbidden');
  t.equal(await (await guest('eve')).code('STATS', {}), 'forbidden');
  const before = await admin.do('STATS', {});
  await ada.do('SAY', { room: 'lobby', text: 'hi' });
  await ada.do('MKDIR', { path: '/lobby/d' });
  await ada.put('/lobby/d/f', 'octets');
  await ada.do('CREATE', { room: 'den' });
  const second = stranger({ wire: 'other' });
  await second.do('LOGIN', { user: 'ada', password: 'secret' });
  const third = stranger({ wire: 'other' });
  await third.do('LOGIN', { user: 'ada', password: 'secret' });
  clock.turn(90_000);
  const after = await admin.do('STATS', {});
  t.equal(after.rooms, before.rooms + 1);
  t.ok(after.events >= before.events + 3, 'a message, a folder and a file');
  t.same({ files: after.files, octets: after.octets }, { files: 1, octets: 6 });
  t.equal(after.sessions, before.sessions + 2);
  t.ok(after.uptime >= 90);
  t.same(await admin.rows('STATS', {}), [
    { wire: 'test', people: 3, sessions: 3 },
    { wire: 'other', people: 1, sessions: 2 },
  ]);
});
