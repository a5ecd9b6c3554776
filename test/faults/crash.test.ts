/** R1 and R2: the server dies by SIGKILL under load, at random and at every named step, and loses nothing it acknowledged. */
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { checkEmbedded } from '../../server/store/embedded/check.ts';
import { FAULT_POINTS } from '../../server/store/embedded/fault-point.ts';
import { type Claims, mixer, verifyClaims } from '../support/mixed-work.ts';
import { addAccount, type ServerProcess, startServer } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { type Acknowledged, nothingYet, poster, uploader, verify } from '../support/workload.ts';

const isLong = process.env['PARTYLINE_TEST_LONG'] === '1';
/** A step that this load does not reach is passed over after this long. */
const reachMs = isLong ? 10_000 : 1_500;
t.setTimeout(isLong ? 3_600_000 : 300_000);

function load(t: Test, server: ServerProcess, record: Acknowledged, claims: Claims, round: string) {
  return [
    mixer(t, server, 'eve', claims, round),
    poster(t, server, 'ada', record, `a${round}`),
    poster(t, server, 'bob', record, `b${round}`),
    uploader(t, server, 'ada', record, `fa${round}`),
    uploader(t, server, 'ada', record, `fb${round}`),
  ];
}

async function assertSound(t: Test, server: ServerProcess): Promise<void> {
  await server.kill('SIGKILL');
  await checkEmbedded({ dataDir: server.dataDir, repair: true, verifyHashes: true });
  const { problems } = await checkEmbedded({ dataDir: server.dataDir, repair: false, verifyHashes: true });
  t.same(problems, [], 'check finds nothing after a repair');
}

t.test('a server killed at random under load loses nothing it acknowledged', async t => {
  const server = await startServer(t);
  await addAccount(server, 'ada', 'secret');
  for (const user of ['bob', 'dan', 'eve']) await addAccount(server, user, 'secret');
  const record = nothingYet();
  const claims: Claims = new Map();
  const rounds = isLong ? 100 : 5;
  for (let round = 0; round < rounds; round++) {
    const workers = load(t, server, record, claims, String(round));
    const deadline = isLong ? 150 + Math.random() * 700 : 100 + Math.random() * 400;
    await pause(deadline);
    await server.kill('SIGKILL');
    await Promise.all(workers.map(worker => worker.done));
    await server.restart();
    await verify(t, server, 'ada', record);
    await verifyClaims(t, server, 'eve', claims);
  }
  t.ok(record.messages.size > 100, `${record.messages.size} messages and ${record.files.size} files were acknowledged`);
  t.ok(claims.size > 10, `${claims.size} other changes were acknowledged`);
  await assertSound(t, server);
});

t.test('a server that dies at a named step loses nothing it acknowledged', async t => {
  const points = isLong ? FAULT_POINTS : FAULT_POINTS.filter((_, i) => i % 9 === 1);
  for (const point of points) {
    await t.test(point, async t => {
      const dataDir = await tempDir(t);
      for (const user of ['ada', 'bob', 'dan', 'eve']) await addAccount({ dataDir }, user, 'secret');
      const record = nothingYet();
      const claims: Claims = new Map();
      const dying = await startServer(t, { dataDir, env: { PARTYLINE_FAULT_POINT: point } }).catch(() => undefined);
      if (dying) {
        const workers = load(t, dying, record, claims, 'x');
        const died = await Promise.race([dying.exited, pause(reachMs).then(() => undefined)]);
        for (const worker of workers) worker.stop();
        await dying.kill('SIGKILL');
        await Promise.all(workers.map(worker => worker.done));
        if (!died) t.comment(`${point} was not reached by this load`);
      }
      const server = await startServer(t, { dataDir });
      await verify(t, server, 'ada', record);
      await verifyClaims(t, server, 'eve', claims);
      await assertSound(t, server);
    });
  }
});
