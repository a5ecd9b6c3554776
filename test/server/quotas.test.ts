/** What a person may own over all rooms: by default, by an administrator's word, held by whatever is about to become a file. */
import t from 'tap';
import { testHub } from '../support/hub.ts';

const settings = { guests: true, clearPasswords: true, registration: false };

t.test('a person’s quota counts over all rooms, by uploads, copies and announced sizes', async t => {
  const { account } = await testHub({ settings: { ...settings, personQuotaOctets: 100 } });
  const [ada, bob, admin] = [await account('ada'), await account('bob'), await account('admin')];
  await ada.do('CREATE', { room: 'den' });
  await ada.put('/lobby/a', 'a'.repeat(40));
  await ada.put('/den/b', 'b'.repeat(40));
  t.same(await ada.do('ALLOWANCE', {}), { user: 'ada', octets: 100, used: 80 });
  t.equal(await ada.code('CP', { from: '/den/b', to: '/den/c' }), 'quota');
  t.equal(await ada.code('PUT', { path: '/den/d', size: 21 }), 'quota');
  const { upload } = await ada.do('PUT', { path: '/den/d', size: 15 });
  t.equal(
    await ada.code('PUT', { path: '/lobby/e', size: 6 }),
    'quota',
    'what an unfinished upload announced is taken',
  );
  await bob.put('/den/f', 'f'.repeat(90));
  await ada.do('MV', { from: '/den/b', to: '/lobby/b' });
  await ada.do('RM', { path: '/lobby/a' });
  t.match(await ada.do('PUT', { path: '/lobby/e', size: 45 }), { piece: 1_048_576 });

  t.same(await admin.do('ALLOWANCE', { user: 'Ada', octets: 0 }), { user: 'ada', octets: 0, used: 40 });
  await ada.put('/den/g', 'g'.repeat(1000));
  t.same(await admin.do('ALLOWANCE', { user: 'ada', octets: 5 }), { user: 'ada', octets: 5, used: 1040 });
  const chunk = { octets: 15, pieces: [Buffer.alloc(15)] };
  await ada.do('CHUNK', { upload: upload!, offset: 0 }, { content: chunk });
  await t.rejects(ada.do('COMMIT', { upload: upload! }), {
    code: 'quota',
    message: /0 more of 5 octets over all rooms/,
  });
  t.equal(await ada.code('ALLOWANCE', { user: 'bob' }), 'forbidden');
  t.equal(await ada.code('ALLOWANCE', { user: 'ada', octets: 1_000_000 }), 'forbidden');
  t.equal(await admin.code('ALLOWANCE', { user: 'nobody' }), 'no-user');
  t.match(await admin.rows('HISTORY', { room: 'audit' }), [
    { text: 'ALLOWANCE user=Ada octets=0' },
    { text: 'ALLOWANCE user=ada octets=5' },
  ]);
});

t.test('many at once never take more than is left, of a person or of a room, and let go of what they held', async t => {
  const { account, store } = await testHub({ settings: { ...settings, personQuotaOctets: 100 } });
  const ada = await account('ada');
  await ada.do('CREATE', { room: 'den' });
  await ada.put('/lobby/seed', 's'.repeat(10));
  const stream = (octets: number) => ({
    content: {
      pieces: (async function* () {
        yield Buffer.alloc(octets);
      })(),
    },
  });
  const codes = await Promise.all(
    Array.from({ length: 30 }, (_, n) =>
      n % 3 === 0
        ? ada.code('PUT', { path: `/den/${n}` }, { content: { octets: 10, pieces: [Buffer.alloc(10)] } })
        : n % 3 === 1
          ? ada.code('PUT', { path: `/den/${n}`, until: 'fin' }, stream(10))
          : ada.code('CP', { from: '/lobby/seed', to: `/den/${n}` }),
    ),
  );
  t.same(new Set(codes), new Set(['ok', 'quota']));
  const { octets } = await store.owned('u:ada');
  t.equal(octets, 10 + 10 * codes.filter(code => code === 'ok').length);
  t.ok(octets <= 100);
  t.match(
    await ada.do('PUT', { path: '/den/rest', size: 100 - octets }),
    { piece: 1_048_576 },
    'nothing is held any more',
  );

  await ada.do('CREATE', { room: 'small' });
  await ada.do('QUOTA', { room: 'small', octets: 15 });
  const moves = await Promise.all([
    ada.code('MV', { from: '/lobby/seed', to: '/small/seed' }),
    ada.code('PUT', { path: '/small/x', size: 10 }),
  ]);
  t.ok(moves.includes('quota'), 'two do not share what is left of a room');
});
