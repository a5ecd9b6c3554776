/** R14, R15, R20: floods of connections, octets and guesses, and secrets that must stand nowhere. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { dial } from '../support/dial.ts';
import { Inbox } from '../support/inbox.ts';
import { connectLine } from '../support/line-client.ts';
import { addAccount, startServer } from '../support/server-process.ts';

const isLong = process.env['PARTYLINE_TEST_LONG'] === '1';
const MIB = 1024 * 1024;
t.setTimeout(600_000);

async function residentOctets(pid: number): Promise<number> {
  return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

t.test('with few descriptors everybody who comes is greeted or told why not, and then there is room again', async t => {
  const server = await startServer(t, { under: ['/bin/sh', '-c', 'ulimit -n 256; exec "$0" "$@"'] });
  const crowd = await Promise.all(
    Array.from({ length: 500 }, async () => {
      const client = await connectLine(t, server.ports.line, { deadlineMs: 30_000 });
      return { client, first: await client.line() };
    }),
  );
  const greeted = crowd.filter(({ first }) => first.startsWith('* PARTYLINE/1 '));
  const refused = crowd.filter(({ first }) => first.startsWith('- ? busy '));
  t.ok(greeted.length >= 100, `${greeted.length} were greeted`);
  t.equal(greeted.length + refused.length, 500, 'nobody was left without a word');
  for (const { client } of crowd) client.reset();
  const [late] = crowd;
  await late!.client.closed;
  let word = '';
  for (let tries = 0; tries < 100 && !word.startsWith('* PARTYLINE'); tries++) {
    word = await (await connectLine(t, server.ports.line)).line();
  }
  t.match(word, /^\* PARTYLINE/);
});

t.test('handshakes that are begun and never ended take no descriptors from those who are there', async t => {
  const server = await startServer(t, { under: ['/bin/sh', '-c', 'ulimit -n 256; exec "$0" "$@"'] });
  await addAccount(server, 'ada', 'secret');
  const ada = await connectLine(t, server.ports.line, { deadlineMs: 30_000 });
  ada.send('LOGIN ada :secret');
  await ada.until(/^\+ LOGIN/);
  for (let n = 0; n < 200; n++) {
    const brief = await connectLine(t, server.ports['line-tls'], { tls: true });
    t.match(await brief.line(), /^\* PARTYLINE/);
    brief.finish();
    await brief.ended;
  }
  const crowd = await Promise.all(Array.from({ length: 400 }, () => dial({ port: server.ports['line-tls'] })));
  for (const socket of crowd) {
    socket.on('error', () => undefined);
    socket.write('\x16\x03\x01');
  }
  const content = Buffer.alloc(100_000, 'x');
  for (let n = 0; n < 20; n++) {
    ada.send(Buffer.concat([Buffer.from(`{${content.length}} PUT /lobby/file${n}\n`), content, Buffer.from('\n')]));
    t.match(await ada.line(), /^\+ PUT /);
  }
  for (const socket of crowd) socket.destroy();
});

t.test('an endless line, endless blobs that are refused and frames by the hundred thousand leave no mark', async t => {
  const server = await startServer(t);
  const witness = await connectLine(t, server.ports.line, { deadlineMs: 60_000 });
  witness.send('NICK witness');
  await witness.until(/^\+ NICK/);
  const floods: readonly (readonly [name: string, piece: Buffer, times: number])[] = [
    ['an endless line', Buffer.alloc(MIB, 'x'), isLong ? 1024 : 128],
    ['tiny frames', Buffer.from('\n'.repeat(MIB)), isLong ? 64 : 4],
    ['unknown verbs', Buffer.from('X\n'.repeat(50_000)), isLong ? 40 : 4],
    [
      'refused blobs',
      Buffer.concat([Buffer.from(`{${2 * MIB}} SAY lobby\n`), Buffer.alloc(2 * MIB + 1, '\n')]),
      isLong ? 256 : 32,
    ],
  ];
  const before = await residentOctets(server.pid);
  for (const [name, piece, times] of floods) {
    const socket = await dial({ port: server.ports.line });
    const inbox = new Inbox(socket, 120_000);
    for (let n = 0; n < times; n++) {
      if (!socket.write(piece)) await new Promise(resolve => socket.once('drain', resolve));
    }
    socket.end();
    await inbox.whenEnded();
    t.match(inbox.take(inbox.length).toString().slice(-200), /\* BYE reason=drained replies=\d+\n$/, name);
    witness.send(`PING ${name.length}`);
    t.equal(await witness.line(), `+ PING token=${name.length}`);
  }
  const grown = (await residentOctets(server.pid)) - before;
  t.ok(grown < 200 * MIB, `${Math.round(grown / MIB)} MiB more than before`);
});

t.test(
  'guesses from many addresses are answered alike for known and unknown names, slowed, and hurt nobody else',
  async t => {
    const server = await startServer(t);
    await addAccount(server, 'ada', 'secret');
    const words = new Map<string, Set<string>>();
    const rounds = isLong ? 100 : 12;
    const guess = async (n: number) => {
      const client = await connectLine(t, server.ports.line, { localAddress: `127.0.1.${n + 1}`, deadlineMs: 120_000 });
      await client.line();
      for (let i = 0; i < rounds; i++) {
        const user = i % 2 === 0 ? 'ada' : 'nobody';
        client.send(`LOGIN ${user} :guess${i}`);
        const [, , code] = (await client.line()).split(' ');
        (words.get(user) ?? words.set(user, new Set()).get(user)!).add(code!);
      }
      client.finish();
    };
    const guesses = Promise.all(Array.from({ length: isLong ? 50 : 10 }, (_, n) => guess(n)));
    const ada = await connectLine(t, server.ports.line, { deadlineMs: 60_000 });
    await ada.line();
    // Full only means that many wait for the one who hashes; slowed is never said to the owner.
    const said: string[] = [];
    while (!said.at(-1)?.startsWith('+')) {
      ada.send('LOGIN ada :secret');
      said.push(await ada.line());
    }
    t.notMatch(said.join(), /rate-limited|auth-failed|banned/, 'the owner is not slowed by strangers');
    await guesses;
    t.same([...words.get('ada')!].sort(), ['auth-failed', 'rate-limited']);
    t.same([...words.get('nobody')!].sort(), ['auth-failed', 'rate-limited']);
  },
);

t.test('no secret stands in a log, a reply or on the disk', async t => {
  const server = await startServer(t, { env: { PARTYLINE_LOG_LEVEL: 'trace' } });
  await addAccount(server, 'ada', 'canary-first');
  const client = await connectLine(t, server.ports.line);
  client.send('LOGIN ada :canary-wrong\nLOGIN ada :canary-first\nPASSWORD old=canary-first :canary-second');
  client.send(
    'TOKEN :canary-token\nREGISTER eve :canary-register\nPASSWORD {"new":"canary-json"}\nLOGIN ada canary-word',
  );
  client.send('MINT label=x\nQUIT :bye');
  client.finish();
  const said = String(await client.rest());
  const token = /token=(pl_\S+)/.exec(said)?.[1];
  t.ok(token, said);
  t.notMatch(said, /canary/);
  await server.kill('SIGTERM');
  t.notMatch(server.output(), /canary|pl_/);
  for (const name of await readdir(server.dataDir)) {
    const octets = await readFile(join(server.dataDir, name)).catch(() => Buffer.alloc(0));
    for (const secret of ['canary', token!]) t.equal(octets.indexOf(secret), -1, `${name} does not hold it`);
  }
});
