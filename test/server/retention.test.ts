/** Forgetting by age: which days and files go, which never, what readers are told, and clocks that leap. */
import t from 'tap';
import { calendarMs } from '../../server/hub/retention.ts';
import { memoryStore } from '../../server/store/memory/store.ts';
import { type Guest, type TestHub, testHub } from '../support/hub.ts';
import { StillClock } from '../support/still-clock.ts';

const hour = 3_600_000;
const day = 24 * hour;

interface World extends TestHub {
  readonly clock: StillClock;
  readonly ada: Guest;
  /** An hour passes, and what it makes the hub do is done. */
  hourly(): Promise<void>;
  /** Numbers that the room keeps. */
  kept(room?: string): Promise<readonly unknown[]>;
}

async function world(retentionDays = 0, store = memoryStore()): Promise<World> {
  const clock = new StillClock('2026-11-20T12:00:00Z');
  const settings = { guests: true, clearPasswords: true, registration: false, retentionDays };
  const made = await testHub({ clock, store, settings });
  const ada = await made.account('ada');
  return {
    ...made,
    clock,
    ada,
    async hourly() {
      clock.pass(hour);
      // All steps of a store in memory are promises, which end within few turns.
      for (let turn = 0; turn < 50; turn++) await made.settle();
    },
    kept: async (room = 'den') => (await ada.rows('HISTORY', { room, limit: 1000 })).map(({ seq }) => seq),
  };
}

/** Two messages each on the 20th, 21st, 22nd and 23rd; it is noon of the 23rd. */
async function fourDays({ clock, ada }: World, room = 'den'): Promise<void> {
  if (room !== 'lobby') await ada.do('CREATE', { room });
  for (let past = 3; past >= 0; past--) {
    clock.set(`2026-11-${23 - past}T12:00:00Z`);
    for (const text of ['one', 'two']) await ada.do('SAY', { room, text: `${text} of ${past}` });
  }
}

t.test('whole days that are older go, numbers and what is kept stay, and readers are told where it begins', async t => {
  const here = await world();
  const { ada, hourly, kept } = here;
  await fourDays(here);
  t.same(await ada.do('RETENTION', { room: 'den' }), { room: 'den', days: 0, messages: 0, files: 0 });
  await hourly();
  t.same(await kept(), [1, 2, 3, 4, 5, 6, 7, 8], 'nobody said so');
  t.same(await ada.do('RETENTION', { room: 'den', days: 1 }), { room: 'den', days: 1, messages: 0, files: 0 });
  await hourly();
  t.same(await kept(), [5, 6, 7, 8], 'today and the day before');
  t.match(await ada.do('HISTORY', { room: 'den', after: 1 }), { count: 4, more: 'no', first: 5 });
  t.match(await ada.do('HISTORY', { room: 'den', before: 4 }), { count: 0, more: 'no', first: 5 });
  t.match(await ada.do('HISTORY', { room: 'den' }), { count: 4, first: 5 });
  for (const input of [{ after: 4 }, { after: 8 }, { limit: 2 }]) {
    t.notOk('first' in (await ada.do('HISTORY', { room: 'den', ...input })), JSON.stringify(input));
  }
  t.same(
    (await ada.rows('JOIN', { room: 'den', after: 2 })).map(({ seq }) => seq),
    [5, 6, 7, 8],
  );
  t.same(await ada.rows('SEARCH', { query: 'of 3' }), []);
  t.equal(await ada.code('EDIT', { room: 'den', of: 1, text: 'late' }), 'no-message');
  t.equal(await ada.code('REACT', { room: 'den', of: 1, emoji: '👍' }), 'no-message');
  t.equal(await ada.code('SAY', { room: 'den', text: 'to what is gone', reply: 1 }), 'no-message');
  t.match(await ada.do('SAY', { room: 'den', text: 'more', reply: 8 }), { seq: 9 });
  const files = await ada.rows('LS', { path: '/den/.chat' });
  t.same(
    files.map(({ name }) => name).filter(name => String(name).endsWith('.txt')),
    ['2026-11-22.txt', '2026-11-23.txt'],
  );
});

t.test('by number, older days go while enough of the newest stay; the newest day stays in any case', async t => {
  const here = await world();
  const { ada, hourly, kept, clock } = here;
  await fourDays(here);
  await ada.do('RETENTION', { room: 'den', messages: 3 });
  await hourly();
  t.same(await kept(), [5, 6, 7, 8]);
  await ada.do('RETENTION', { room: 'den', messages: 1 });
  await hourly();
  t.same(await kept(), [7, 8]);
  await ada.do('RETENTION', { room: 'den', days: 1 });
  for (let days = 0; days < 30; days++) {
    clock.set(`2026-12-${String(days + 1).padStart(2, '0')}T12:00:00Z`);
    await hourly();
  }
  t.same(await kept(), [7, 8], 'a month of silence leaves the last day');
  await ada.do('SAY', { room: 'den', text: 'again' });
  await hourly();
  t.same(await kept(), [9]);
});

t.test('the hub’s default is for rooms without a rule, and not for the audit log', async t => {
  const here = await world(1);
  const { ada, hourly, kept } = here;
  await ada.do('CREATE', { room: 'archive' });
  await ada.do('RETENTION', { room: 'archive', days: 0 });
  await ada.do('SAY', { room: 'archive', text: 'old' });
  await fourDays(here);
  await ada.do('SAY', { room: 'archive', text: 'new' });
  const bob = await here.account('bob');
  await hourly();
  t.match(await bob.do('RETENTION', { room: 'den' }), { days: 1 });
  t.same(await kept(), [5, 6, 7, 8]);
  t.same(await kept('archive'), [1, 2]);
  const admin = await here.account('admin');
  t.match(
    await admin.rows('HISTORY', { room: 'audit' }),
    [{ seq: 1, text: 'RETENTION room=archive days=0' }],
    'showing is not noted',
  );
  t.equal(await bob.code('RETENTION', { room: 'den', days: 5 }), 'forbidden');
  t.equal(await ada.code('RETENTION', { room: 'den', days: 'many' }), 'bad-argument');
});

t.test('conversations of two are under the hub’s default', async t => {
  const here = await world(1);
  await here.account('bob');
  const { ada, clock } = here;
  for (const date of ['20', '21', '23']) {
    clock.set(`2026-11-${date}T12:00:00Z`);
    await ada.do('TELL', { user: 'bob', text: date });
  }
  await here.hourly();
  t.same(await here.kept('@bob'), [3]);
});

t.test('files go by when they came, through the ordinary path, whatever date they bear', async t => {
  const here = await world();
  const { ada, hourly, clock } = here;
  await ada.do('CREATE', { room: 'den' });
  await ada.do('MKDIR', { path: '/den/cam' });
  await ada.put('/den/cam/old.jpg', 'old', { modified: '2026-11-23T00:00:00Z' });
  await ada.put('/den/moved.jpg', 'moved');
  await ada.put('/den/again.jpg', 'first');
  clock.set('2026-11-23T12:00:00Z');
  await ada.do('MV', { from: '/den/moved.jpg', to: '/den/cam/moved.jpg' });
  await ada.do('CP', { from: '/den/cam/old.jpg', to: '/den/copy.jpg' });
  await ada.put('/den/again.jpg', 'second', { mode: 'replace' });
  await ada.put('/den/dated.jpg', 'x', { modified: '1999-01-01T00:00:00Z' });
  await ada.do('RETENTION', { room: 'den', files: 2 });
  await ada.do('JOIN', { room: 'den' });
  await hourly();
  const names = async (path: string) => (await ada.rows('LS', { path })).map(({ name }) => name);
  t.same(await names('/den'), ['again.jpg', 'cam', 'copy.jpg', 'dated.jpg']);
  t.same(await names('/den/cam'), []);
  const removed = ada.events.filter(event => event.event === 'FILE' && event.op === 'remove');
  t.match(removed, [
    { from: '.hub', path: '/den/cam/moved.jpg' },
    { from: '.hub', path: '/den/cam/old.jpg' },
  ]);
  t.equal(await here.stranger().code('NICK', { user: '.hub' }), 'bad-argument', 'nobody else is called so');
});

t.test('clocks that leap empty no room: not ten years forwards, not backwards, not behind a restart', async t => {
  const store = memoryStore();
  const here = await world(0, store);
  const { ada, hourly, kept, clock } = here;
  await fourDays(here);
  await ada.do('RETENTION', { room: 'den', days: 14 });
  await hourly();
  for (const leap of ['2036-11-23T12:00:00Z', '2016-11-23T12:00:00Z', '2026-11-23T14:00:00Z', '2036-11-23T12:00:00Z']) {
    clock.set(leap);
    await ada.do('SAY', { room: 'den', text: leap });
    for (let hours = 0; hours < 24; hours++) await hourly();
    t.equal((await kept())[0], 1, leap);
  }
  await here.hub.drain();
  const later = await world(0, store);
  later.clock.set('2037-01-01T00:00:00Z');
  for (let hours = 0; hours < 24; hours++) await later.hourly();
  t.equal((await later.kept())[0], 1, 'the hub remembers what day it thought it was');
  later.clock.set('2026-12-10T12:00:00Z');
  for (let hours = 0; hours < 240; hours++) await later.hourly();
  t.same(await later.kept(), [9, 10, 11, 12], 'what is dated in days to come stays, with all behind it');
});

t.test('a leap counts when the clock has stood there for as long', async t => {
  let calendar = calendarMs(undefined, 1000 * day, hour);
  t.equal(calendar, 1000 * day, 'at the first look there is no other word than the clock’s');
  t.equal(calendarMs(calendar, 1001 * day, hour), 1001 * day, 'a day switched off');
  t.equal(calendarMs(calendar, 10 * day, hour), 1000 * day, 'a clock that was set back proves nothing');
  let hours = 0;
  for (let nowMs = 1010 * day; calendar < nowMs; hours++) {
    nowMs = 1010 * day + hours * hour;
    calendar = calendarMs(calendar, nowMs, hour);
  }
  t.ok(hours >= 9 * 24 && hours <= 10 * 24, `${hours} hours for a leap of ten days, less the one that is free`);
});
