/** R12 and R13: many hands on few names, and clocks that jump; what the room was told is what there is. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { Blobs, Store } from '../../server/hub/host.ts';
import { systemClock } from '../../server/net/system-clock.ts';
import { memoryBlobs } from '../../server/store/memory/blobs.ts';
import { memoryStore } from '../../server/store/memory/store.ts';
import type { Clock } from '../../shared/clock.ts';
import { HubError } from '../../shared/errors.ts';
import { isWithin } from '../../shared/paths.ts';
import { openStore } from '../support/embedded.ts';
import { type Guest, testHub } from '../support/hub.ts';
import { freshSeed } from '../support/octets.ts';

const isLong = process.env['PARTYLINE_TEST_LONG'] === '1';
t.setTimeout(600_000);
const sha256 = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** Path → hash, or `dir`. */
type Tree = Map<string, string>;

/** What the numbered events of a room say there is. */
function told(rows: readonly Record<string, unknown>[]): Tree {
  const tree: Tree = new Map();
  for (const { event, op, path, to, hash } of rows as Record<string, string>[]) {
    if (event !== 'FILE') continue;
    const within = [...tree].filter(([at]) => isWithin(at, path!));
    if (op === 'put') tree.set(path!, hash!);
    if (op === 'mkdir') tree.set(path!, 'dir');
    if (op === 'remove' || op === 'move') for (const [at] of within) tree.delete(at);
    if (op === 'move') for (const [at, what] of within) tree.set(to + at.slice(path!.length), what);
  }
  return tree;
}

async function found(person: Guest, folder = '/lobby', tree: Tree = new Map()): Promise<Tree> {
  for (const row of await person.rows('LS', { path: folder })) {
    const path = `${folder}/${row['name']}`;
    tree.set(path, row['type'] === 'dir' ? 'dir' : String(row['hash']));
    if (row['type'] === 'dir') await found(person, path, tree);
  }
  return tree;
}

async function history(person: Guest): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for (let after = 0; ; ) {
    const page = await person.rows('HISTORY', { room: 'lobby', after, limit: 500 });
    rows.push(...page);
    if (page.length < 500) return rows;
    after = Number(page.at(-1)!['seq']);
  }
}

const names = ['a', 'b', 'c', 'd', 'dir', 'dir/a', 'dir/b', 'dir/sub', 'dir/sub/a', 'e'].map(name => `/lobby/${name}`);
const name = fc.constantFrom(...names);
const deed = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant('put'), name, fc.string({ minLength: 1, maxLength: 20 })) },
  fc.tuple(fc.constant('mkdir'), name, name),
  fc.tuple(fc.constant('mv'), name, name),
  fc.tuple(fc.constant('cp'), name, name),
  fc.tuple(fc.constant('rm'), name, name),
);

async function race(t: Test, store: Store, blobs: Blobs): Promise<void> {
  const { account } = await testHub({ store, blobs });
  const people = await Promise.all(['ada', 'bob', 'cyd', 'admin'].map(account));
  const seed = freshSeed() | 0;
  const deeds = fc.sample(deed, { numRuns: isLong ? 20_000 : 2_000, seed });
  const run = async (person: Guest, [kind, path, other]: (typeof deeds)[number]) => {
    if (kind === 'put') await person.put(path, other, { mode: 'replace' });
    else if (kind === 'mkdir') await person.do('MKDIR', { path: path as never });
    else if (kind === 'rm') await person.do('RM', { path: path as never, recursive: true });
    else await person.do(kind === 'mv' ? 'MV' : 'CP', { from: path as never, to: other as never, mode: 'replace' });
  };
  const outcomes = { done: 0, refused: 0 };
  await Promise.all(
    Array.from({ length: 64 }, async (_, worker) => {
      for (let i = worker; i < deeds.length; i += 64) {
        await run(people[worker % 4]!, deeds[i]!).then(
          () => outcomes.done++,
          error => {
            outcomes.refused++;
            if (!(error instanceof HubError) || error.code === 'internal') throw error;
          },
        );
      }
    }),
  );
  t.ok(outcomes.done > deeds.length / 20, `${outcomes.done} were done, ${outcomes.refused} refused (seed ${seed})`);
  const admin = people[3]!;
  const rows = await history(admin);
  t.same(
    rows.map(row => row['seq']),
    rows.map((_, i) => i + 1),
    'the numbers are dense',
  );
  const tree = await found(admin);
  t.same([...tree].sort(), [...told(rows)].sort(), `what was told is what there is (seed ${seed})`);
  for (const [path, hash] of tree) {
    if (hash === 'dir') continue;
    const pieces: Buffer[] = [];
    await admin.do(
      'GET',
      { path: path as never },
      { row: (_fields, _name, blob) => void (blob && pieces.push(Buffer.from(blob))) },
    );
    t.equal(sha256(Buffer.concat(pieces).toString()), hash, `${path} has the content it is said to have`);
  }
}

t.test('sixty-four hands rename, overwrite, copy and remove ten names: the events tell what there is', async t => {
  await t.test('in memory', t => race(t, memoryStore(), memoryBlobs()));
  await t.test('on the disk', async t => {
    const opened = await openStore(t);
    await race(t, opened.store, opened.blobs);
  });
});

t.test('a folder goes with what its owner put into it, never with what another put there meanwhile', async t => {
  const { account } = await testHub();
  const [ada, bob] = [await account('ada'), await account('bob')];
  await ada.do('MKDIR', { path: '/lobby/hers' as never });
  const [removed, put] = await Promise.allSettled([
    ada.do('RM', { path: '/lobby/hers' as never, recursive: true }),
    bob.put('/lobby/hers/his', 'x'),
  ]);
  const isThere = (await found(bob)).has('/lobby/hers/his');
  t.equal(put.status === 'fulfilled', isThere, 'what was acknowledged is there');
  t.notOk(removed.status === 'fulfilled' && isThere, 'and then the folder is too');
});

t.test('whatever the clock does, numbers hold, a repetition is one, and people come and go', async t => {
  const year = 365 * 24 * 3_600_000;
  let offsetMs = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + offsetMs };
  const { account, stranger } = await testHub({ clock });
  const ada = await account('ada');
  const seqs: number[] = [];
  for (const jump of [0, 3_600_000, -3_600_000, 10 * year, -10 * year, -10 * year, 1]) {
    offsetMs += jump;
    const said = { room: 'lobby', id: `at-${seqs.length}`, text: `${jump}` } as never;
    const { seq } = await ada.do('SAY', said);
    t.match(await ada.do('SAY', said), { seq, dup: true }, 'the same request again');
    await ada.put(`/lobby/f${seq}`, 'x');
    seqs.push(seq);
    t.equal(await stranger().code('LOGIN', { user: 'ada', password: 'secret' }), 'ok');
  }
  t.same(
    seqs,
    seqs.map((_, i) => 2 * i + 1),
  );
  t.equal((await history(ada)).length, 2 * seqs.length);
});
