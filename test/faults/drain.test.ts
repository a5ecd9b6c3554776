/** R17: SIGTERM in the middle of transfers and talk: nothing acknowledged is lost, everybody is told, the exit is clean. */
import t from 'tap';
import { connectLine } from '../support/line-client.ts';
import { addAccount, startServer } from '../support/server-process.ts';
import { nothingYet, poster, uploader, verify } from '../support/workload.ts';

const isLong = process.env['PARTYLINE_TEST_LONG'] === '1';

t.test('a server that is asked to end tells everybody, finishes what runs and loses nothing', async t => {
  const server = await startServer(t);
  await addAccount(server, 'ada', 'secret');
  const record = nothingYet();
  const idle = await Promise.all(
    Array.from({ length: isLong ? 200 : 60 }, async (_, n) => {
      const client = await connectLine(t, server.ports.line, { deadlineMs: 40_000 });
      client.send(`NICK guest${n}\nJOIN lobby`);
      await client.until(/^\+ JOIN/);
      return client;
    }),
  );
  const workers = [
    poster(t, server, 'ada', record, 'p'),
    ...Array.from({ length: isLong ? 50 : 12 }, (_, n) => uploader(t, server, 'ada', record, `u${n}`)),
  ];
  await idle[0]!.until(/FILE .* path=\/lobby\/u\d+-3 /);
  await server.kill('SIGTERM');
  const farewells = await Promise.all(idle.map(client => client.until(/^\* BYE/).then(lines => lines.at(-1)!)));
  t.same([...new Set(farewells)], ['* BYE reason=shutting-down replies=2'], 'everybody is told');
  await Promise.all(workers.map(worker => worker.done));
  t.same(await server.exited, { code: 0, signal: null }, 'the exit is clean');
  await server.restart();
  await verify(t, server, 'ada', record);
});
