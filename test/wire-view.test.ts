/** The wire view of a whole server: who sees which connection, what is never shown, lessons that play live, and that nothing runs when nobody looks. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import t, { type Test } from 'tap';
import { OrderedRows } from '../server/wire-view/ordered-rows.ts';
import { SegmentReader } from '../server/wire-view/segments.ts';
import { limits } from '../shared/limits.ts';
import { byHand } from './support/by-hand.ts';
import { startChild } from './support/child.ts';
import { withDeadline } from './support/inbox.ts';
import { connectLine, type LineClient } from './support/line-client.ts';
import { assertProperty } from './support/properties.ts';
import { tempDir } from './support/temp-dir.ts';
import { cleanEnv, requireTool, run } from './support/tools.ts';
import { serveWhole } from './support/whole-server.ts';

t.setTimeout(60_000);

const secret = 'open-sesame-4711';
/** As they may be cut on their way. */
const [front, back] = [secret.slice(0, 7), secret.slice(7)];
const cli = fileURLToPath(new URL('../client/cli/main.js', import.meta.url));

async function enter(t: Test, port: number, user: string): Promise<LineClient> {
  const line = await connectLine(t, port);
  await line.line();
  line.send(`LOGIN ${user} :${secret}`);
  await line.until(/^\+ LOGIN/);
  return line;
}

/** Begins to watch; resolves when the server looks. */
async function watch(line: LineClient, words: string): Promise<void> {
  line.send(`#w WIRE WATCH ${words}`);
  await line.until(/^#w = WIRE sources=/);
}

async function stop(line: LineClient): Promise<string> {
  line.send('CANCEL w');
  return (await line.until(/^#w \+ WIRE/)).join('\n');
}

async function unusedPort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}

const server = await serveWhole(t, secret);
const linePort = server.port('line');

t.test('everybody sees their own connections, an administrator those of all', async t => {
  const ada = await enter(t, linePort, 'ada');
  const bob = await enter(t, linePort, 'bob');
  const root = await enter(t, linePort, 'chief');
  ada.send('WIRE');
  const own = await ada.until(/^\+ WIRE/);
  t.equal(own.length, 2);
  t.match(
    own[0],
    new RegExp(`wire=line user=ada peer=127.0.0.1:${ada.localPort} local=127.0.0.1:${linePort} .*this=1`),
  );
  t.match(own[1], /count=1 sources=/);
  root.send('WIRE');
  const all = (await root.until(/^\+ WIRE/)).join('\n');
  for (const { localPort } of [ada, bob, root]) t.match(all, `127.0.0.1:${localPort} `);
  const bobs = /id=(line-\d+) wire=line user=bob/.exec(all)?.[1];
  ada.send(`WIRE WATCH ${bobs}`);
  t.match(await ada.line(), /^- WIRE no-user/, 'a stranger may not, and does not learn that it is there');
  ada.send(`LINGER ${bobs} ms=10`);
  t.match(await ada.line(), /^- LINGER no-user/);
  ada.send('WIRE WATCH contents=1');
  t.match(await ada.line(), /^- WIRE forbidden/);
});

t.test('an administrator sees that something is said; what it is, only when the person has been told', async t => {
  const bob = await enter(t, linePort, 'bob');
  const root = await enter(t, linePort, 'chief');
  root.send('WIRE');
  const id = /id=(line-\d+) wire=line user=bob/.exec((await root.until(/^\+ WIRE/)).join('\n'))?.[1];
  await watch(root, id!);
  bob.send('SAY lobby :for your ears');
  await bob.until(/^[+-] SAY/);
  bob.send('PING whisper');
  await bob.line();
  const states = await stop(root);
  t.match(states, /kind=message side=client .*octets=\d+/);
  t.notMatch(states, /ears|whisper/);

  await watch(root, `${id} contents=1`);
  t.match(await bob.line(), new RegExp(`^\\* NOTICE :chief, an administrator, reads along on your connection ${id}`));
  bob.send('PING whisper');
  await bob.line();
  t.match(await stop(root), /:PING whisper/);
  root.send('HISTORY audit limit=5');
  t.match(
    (await root.until(/^[+-] HISTORY/)).join('\n'),
    new RegExp(`WIRE which=${id} contents=true`),
    'and it is on record',
  );
});

t.test('no contents of a person who could not be told', async t => {
  const root = await enter(t, linePort, 'chief');
  const ftp = await byHand(t, server.port('ftp'));
  ftp.send(`USER bob\r\nPASS ${secret}\r\n`);
  await ftp.until(/^230.*\r\n/m);
  root.send('WIRE');
  const id = /id=(ftp-\d+) wire=ftp user=bob/.exec((await root.until(/^\+ WIRE/)).join('\n'))?.[1];
  root.send(`WIRE WATCH ${id} contents=1`);
  t.match(await root.line(), /^- WIRE forbidden :bob is only where no notice can be shown/);
});

t.test('a secret is in no view, however it is typed and cut', async t => {
  const root = await enter(t, linePort, 'chief');
  const ada = await enter(t, linePort, 'ada');
  const views: string[] = [];
  const line = await byHand(t, linePort);
  await watch(ada, '');
  await watch(root, String(linePort));
  line.send(`HELLO 1\nLOGIN ada :${front}`);
  await line.until(/^\+ HELLO.*\n/m);
  line.send(`${back}\nPING x\nLOGIN ada ${secret}\nLOGN ada :${secret}\nPASSWORD old=no${secret} :${secret}\n`);
  await line.until(/^[+-] PASSWORD.*\n/m);
  line.send(`LOGIN {"user":"ada","password":"${secret}"}\n{16} LOGIN ada\n${secret}\nMINT\nCODE\n`);
  const answers = await line.until(/^\+ CODE.*\n/m);
  const made = [/token=(\S+)/, /code=(\S+)/].map(pattern => pattern.exec(answers)?.[1] ?? 'missing');
  line.send(`TOKEN :${made[0]}\nQUIT\n`);
  await line.closed();
  views.push(await stop(ada), await stop(root));
  t.match(views[0], /LOGIN ada :•••/, 'the rest of the line is shown to its owner');
  t.match(views[0], /PING x/);

  const ftp = await byHand(t, server.port('ftp'));
  await watch(ada, '');
  await ftp.until(/^220.*\r\n/m);
  ftp.send(`USER ada\r\nPASS ${front}`);
  await ftp.until(/^331.*\r\n/m);
  ftp.send(`${back}\r\nNOOP\r\n`);
  await ftp.until(/^200.*\r\n/m);
  ftp.send('QUIT\r\n');
  await ftp.closed();
  views.push(await stop(ada));
  t.match(views[2], /:PASS •••/);
  t.match(views[2], /:230 /);

  const telnet = await byHand(t, server.port('telnet'));
  await watch(ada, '');
  telnet.send(Buffer.from([255, 251, 24, 255, 253, 3, 255, 253, 1]));
  telnet.send(Buffer.from([255, 250, 24, 0, ...Buffer.from('XTERM'), 255, 240]));
  await telnet.until(/name: /);
  for (const key of `ada\r${secret}\r`) telnet.send(key);
  await telnet.until(/You are/);
  telnet.send(`/password old=no${front}`);
  telnet.send(`${back} ${secret}\r`);
  await telnet.until(/#lobby|password/);
  telnet.send('/mint\r');
  const minted = /pl_[\w-]+/.exec(await telnet.until(/pl_[\w-]{20,}/))?.[0] ?? 'missing';
  telnet.send('/quit\r');
  await telnet.closed();
  views.push(await stop(ada));
  t.match(views[3], /IAC SB TERMINAL-TYPE IS XTERM IAC SE/, 'what is negotiated is shown in words');
  for (const view of views) {
    for (const one of [secret, front, back, minted, ...made]) t.notOk(view.includes(one), `${one} is not shown`);
  }
});

t.test('the connection that watches is left out; asked for by name it is shown when all is over', async t => {
  const ada = await enter(t, linePort, 'ada');
  const other = await enter(t, linePort, 'ada');
  await watch(ada, '');
  ada.send('PING mine');
  other.send('PING other');
  await other.line();
  const seen = await stop(ada);
  t.match(seen, /:PING other/);
  t.notMatch(seen, /:PING mine/);
  ada.send('WIRE');
  const id = /id=(\S+) .*this=1/.exec((await ada.until(/^\+ WIRE/)).join('\n'))?.[1];
  await watch(ada, id!);
  ada.send('PING mine');
  t.equal(await ada.line(), '+ PING token=mine', 'nothing is shown before the end');
  t.match(await stop(ada), /:PING mine/);
  // Two that watch all there is would show each other what they show for ever.
  await watch(ada, '');
  await watch(other, '');
  ada.send('PING mine');
  await ada.line();
  t.equal((await stop(other)).match(/= WIRE/g) ?? undefined, undefined);
  await stop(ada);
});

const hasProc = await readFile('/proc/net/tcp').then(
  () => true,
  () => false,
);

t.test(
  'explain close shows what the kernel has, says what was not seen, and another picture without a reply',
  async t => {
    const explain = async (...args: readonly string[]): Promise<string> => {
      const { stdout, stderr, code } = await run(process.execPath, [
        cli,
        'explain',
        'close',
        `pl://pupil@127.0.0.1:${linePort}`,
        ...args,
      ]);
      t.equal(code, 0, stderr);
      return stdout.toString();
    };
    const four = /client +(ESTABLISHED → )?FIN_WAIT_1 → FIN_WAIT_2 → TIME_WAIT\n/;
    const told = await explain();
    if (!hasProc) return t.match(told, /No state was observed/);
    t.match(told, four);
    t.match(told, /server +(ESTABLISHED → )?CLOSE_WAIT/);
    t.match(told, /not observed: LAST_ACK of the server/);
    t.match(told, /BYE reason=drained/);
    const silent = await explain('--no-reply', '--zh');
    t.match(silent, /客户端? TIME_WAIT|client .*TIME_WAIT/);
    t.notMatch(silent, /BYE reason/);
  },
);

/** What the servers of this process log from here on, which is shown to nobody else. */
function logOf(t: Test): () => string {
  const { write } = process.stderr;
  let log = '';
  process.stderr.write = (octets: string | Uint8Array) => {
    log += octets.toString();
    return true;
  };
  t.teardown(() => {
    process.stderr.write = write;
  });
  return () => log;
}

/** What a tool says of one connection, segment by segment: who, flags, numbers, length. */
type Told = readonly string[];

/** Each connection in the order in which it began. */
function inConnections(segments: readonly { readonly conn: string; readonly words: string }[]): readonly Told[] {
  const found = new Map<string, string[]>();
  for (const { conn, words } of segments) found.set(conn, [...(found.get(conn) ?? []), words]);
  return [...found.values()];
}

const flagNames = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'];

async function toldByTshark(
  t: Test,
  tshark: string,
  file: string,
  serverPorts: readonly number[],
): Promise<readonly Told[]> {
  const fields = ['tcp.stream', 'tcp.srcport', 'tcp.flags', 'tcp.seq', 'tcp.ack', 'tcp.len'];
  const { stdout, code } = await run(tshark, ['-r', file, '-T', 'fields', ...fields.flatMap(name => ['-e', name])]);
  t.equal(code, 0, 'tshark reads the file');
  const rows = stdout.toString().trim().split('\n');
  return inConnections(
    rows.map(row => {
      const [conn = '', from = '', flags = '', seq, ack, length] = row.split('\t');
      const names = flagNames.filter((_, bit) => Number(flags) & (1 << bit));
      return {
        conn,
        words: `${serverPorts.includes(Number(from)) ? 'server' : 'client'} ${names} ${seq} ${ack} ${length}`,
      };
    }),
  );
}

function toldByUs(output: string): readonly Told[] {
  const events = output
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  return inConnections(
    events
      .filter(({ kind }) => kind === 'segment')
      .map(({ conn, side, flags, seq, ack = 0, len }) => ({ conn, words: `${side} ${flags} ${seq} ${ack} ${len}` })),
  );
}

t.test(
  'sessions of curl and telnet are told segment by segment as tshark has them, and exported without secrets',
  async t => {
    const [tcpdump, tshark, curl] = ['tcpdump', 'tshark', 'curl'].map(name => requireTool(t, name));
    const telnet = requireTool(t, 'telnet');
    if (!tcpdump || !tshark || !curl || !telnet) return;
    const probe = await run('sh', ['-c', 'timeout -s INT 1 tcpdump -i lo -w /dev/null 2>&1']);
    if (!/listening on/.test(probe.stdout.toString())) {
      return t.pass('no packets can be captured here', { skip: probe.stdout.toString() });
    }
    const log = logOf(t);
    const passive = await unusedPort();
    const captured = await serveWhole(t, secret, {
      'wire-view': 'capture',
      'ftp-passive-ports': String(passive),
      'log-level': 'trace',
    });
    const [ftpPort, telnetPort] = [captured.port('ftp'), captured.port('telnet')];
    const folder = await tempDir(t);
    const file = join(folder, 'wire.pcap');
    const filter = `tcp and (port ${ftpPort} or port ${telnetPort} or port ${passive})`;
    const capture = await startChild(
      t,
      tcpdump,
      ['-i', 'lo', '-U', '--immediate-mode', '-s', '4096', '-B', '8192', '-w', file, filter],
      cleanEnv(),
      /listening on/,
    );
    const watching = (port: number, name: string) =>
      startChild(
        t,
        process.execPath,
        [
          cli,
          'watch',
          `pl://ada@127.0.0.1:${captured.port('line')}`,
          '--port',
          `${port}`,
          '--once',
          '--json',
          '--export',
          join(folder, name),
        ],
        cleanEnv({ PARTYLINE_PASSWORD: secret, XDG_CONFIG_HOME: folder }),
        /seen by: .*segments from tcpdump/,
      );
    const [ftpWatch, telnetWatch] = [
      await watching(ftpPort, 'ftp.pcapng'),
      await watching(telnetPort, 'telnet.pcapng'),
    ];

    await writeFile(join(folder, 'up'), randomBytes(3_000));
    const url = `ftp://127.0.0.1:${ftpPort}/lobby/up`;
    const put = await run(curl, ['-sS', '--user', `ada:${secret}`, '-T', join(folder, 'up'), url]);
    t.equal(put.code, 0, put.stderr);
    const session = spawn(telnet, ['127.0.0.1', String(telnetPort)], { env: cleanEnv(), stdio: 'pipe' });
    t.teardown(() => void session.kill('SIGKILL'));
    let screen = '';
    for (const [prompt, answer] of [
      ['name: ', 'ada'],
      ['password of ada: ', secret],
      ['/quit leaves', '/quit'],
    ] as const) {
      while (!screen.includes(prompt)) screen += String(await withDeadline(prompt, once(session.stdout, 'data')));
      session.stdin.write(`${answer}\n`);
    }
    const outputs = [await ftpWatch.output(), await telnetWatch.output()];
    capture.child.kill('SIGINT');
    await capture.output();
    const octets = await readFile(file);
    const [atOnce, pieceByPiece] = [new SegmentReader(), new SegmentReader()];
    const whole = atOnce.push(octets);
    const pieces = [...octets].flatMap(octet => pieceByPiece.push(Buffer.from([octet])));
    t.same(pieces, whole, 'pieces of any length make the same segments');
    const theirs = await toldByTshark(t, tshark, file, [ftpPort, telnetPort, passive]);
    const ours = outputs.flatMap(toldByUs);
    t.equal(ours.length, 3, 'control, data, telnet');
    t.same(ours, theirs);
    t.match(outputs[0], /"text":"PASS •••"/);
    for (const name of ['ftp.pcapng', 'telnet.pcapng']) {
      const exported = await readFile(join(folder, name));
      t.notOk(exported.includes(secret), 'the file has no secret');
      t.match(exported.toString('latin1'), name === 'ftp.pcapng' ? /USER ada/ : /partyline/);
      const told = await toldByTshark(t, tshark, join(folder, name), [ftpPort, telnetPort, passive]);
      t.same(told, toldByUs(outputs[name === 'ftp.pcapng' ? 0 : 1]!), 'and is read as it was told');
    }

    const ada = await enter(t, captured.port('line'), 'ada');
    await watch(ada, 'packets=1');
    const line = await byHand(t, captured.port('line'));
    line.send(`HELLO 1\nLOGIN ada :${front}`);
    await line.until(/^\+ HELLO.*\n/m);
    line.send(`${back}\nPING done\nQUIT\n`);
    await line.closed();
    const rows = await ada.until(/kind=close/);
    const packets = [...rows.join('\n').matchAll(/packet="?([\w+/=]+)/g)];
    const shown = packets.map(([, packet]) => Buffer.from(packet!, 'base64').toString('latin1')).join('');
    t.match(shown, /PING token=done/, 'what is no secret is there');
    for (const one of [secret, front, back]) t.notOk(shown.includes(one), `${one} is in no packet`);
    t.notOk(log().includes(secret), 'nor is it in the log');
  },
);

t.test('rows are put in order, bounded, and what was left out is counted', async t => {
  const rows = new OrderedRows();
  for (let i = limits.wireEventsMax; i > -2; i--) rows.put(i, { i });
  t.same(rows.take(0), undefined, 'something earlier may come yet');
  t.same(rows.take(Number.POSITIVE_INFINITY), { i: 1 });
  for (let i = 1; i < limits.wireEventsMax; i++) rows.take(Number.POSITIVE_INFINITY);
  t.same(rows.take(0), { kind: 'gap', missed: 2 });
  t.same(rows.take(0), undefined);
});

t.test('no octets make the reader of captures throw', async t => {
  const head = Buffer.from('d4c3b2a1020004000000000000000000ffff000001000000', 'hex');
  assertProperty(
    t,
    'any octets',
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }), pieces => {
      const reader = new SegmentReader();
      for (const piece of [head, ...pieces]) reader.push(Buffer.from(piece));
    }),
  );
});

/** Children of this process by name, and its threads. */
async function running(): Promise<{ readonly children: readonly string[]; readonly threads: number }> {
  const threads = await readdir('/proc/self/task');
  const lists = await Promise.all(
    threads.map(thread => readFile(`/proc/self/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  const pids = lists.join(' ').split(' ').filter(Boolean);
  const names = await Promise.all(pids.map(pid => readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')));
  return { children: names.map(name => name.trim()).filter(Boolean), threads: threads.length };
}

const isLong = process.env['PARTYLINE_TEST_LONG'] === '1';

/** Ten thousand rows in the kernel's table, for as long as the child lives. */
const crowd = `
const net = require('node:net');
const kept = [];
const server = net.createServer(one => kept.push(one)).listen(0, '127.0.0.1', async () => {
  for (let i = 0; i < 5000; i++) await new Promise(done => kept.push(net.connect(server.address().port, '127.0.0.1', done)));
  console.error('crowded');
});`;

t.test(
  'among ten thousand sockets the look at the table keeps to its share',
  { skip: !isLong && 'long form' },
  async t => {
    await startChild(t, process.execPath, ['-e', crowd], cleanEnv(), /crowded/);
    const [view] = [await enter(t, linePort, 'bob'), await enter(t, linePort, 'bob')];
    const before = new Set(await readdir('/proc/self/task'));
    await watch(view, '');
    const [thread] = (await readdir('/proc/self/task')).filter(one => !before.has(one));
    const processorMs = async () =>
      Number((await readFile(`/proc/self/task/${thread}/schedstat`, 'utf8')).split(' ')[0]) / 1e6;
    const startMs = performance.now();
    const usedMs = await processorMs();
    await delay(5_000);
    const share = ((await processorMs()) - usedMs) / (performance.now() - startMs);
    t.ok(share <= limits.wireShareMax, `${(share * 100).toFixed(1)} % of a core`);
    await stop(view);
  },
);

t.test('nothing runs while nobody watches', { skip: !hasProc && 'there is no /proc' }, async t => {
  const ada = await enter(t, linePort, 'bob');
  const before = await running();
  const views = await Promise.all([enter(t, linePort, 'bob'), enter(t, linePort, 'bob')]);
  for (const view of views) await watch(view, '');
  const amid = await running();
  t.equal(amid.threads, before.threads + 1, 'one thread for all');
  await stop(views[0]!);
  // One ends properly, the other is torn off.
  views[1]!.reset();
  await views[1]!.closed;
  ada.send('PING');
  await ada.line();
  for (let look = 0; (await running()).threads > before.threads && look < 500; look++) {
    ada.send('PING');
    await ada.line();
  }
  t.same(await running(), before);
});
