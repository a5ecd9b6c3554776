/** What FTP servers have fallen for (RFC 2577 and later): each is tried here, at a wire in this process. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import * as fc from 'fast-check';
import t, { type Test } from 'tap';
import { RecordCounter } from '../server/net/secure-upload.ts';
import { limits } from '../shared/limits.ts';
import { dial } from './support/dial.ts';
import { all, dialData, enter, FtpControl, retrieve, serveFtp, store } from './support/ftp-server.ts';
import { hostileOctets, piecesOf, traversalNames } from './support/generators.ts';
import { TurnedClock } from './support/line-server.ts';
import { freshSeed, seededRandom } from './support/octets.ts';
import { assertProperty } from './support/properties.ts';
import { requireTool, run } from './support/tools.ts';

t.setTimeout(240_000);

async function stranger(t: Test, port: number): Promise<FtpControl> {
  const control = new FtpControl(await dialData(t, port));
  await control.reply();
  return control;
}

/** Signed in over TLS, data connections too; what the server gave for resuming. */
async function enterPrivately(t: Test, port: number, maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3') {
  const control = await stranger(t, port);
  const sessions: Buffer[] = [];
  await control.upgrade({ maxVersion });
  (control.socket as TLSSocket).on('session', given => sessions.push(given));
  const first = (control.socket as TLSSocket).getSession();
  await control.login('ada');
  await control.ask('PBSZ 0');
  await control.ask('PROT P');
  await control.ask('TYPE I');
  return { control, session: () => sessions.at(-1) ?? first };
}

/** A connection that TLS reads as a stream. Pausing the socket leaves what comes in the kernel. */
async function dialReluctantly(t: Test, port: number): Promise<{ readonly stream: Duplex; readonly socket: Socket }> {
  const stream = new Duplex({
    read: () => undefined,
    write: (octets: Buffer, _encoding, done) => void socket.write(octets, () => done()),
  });
  const callback = (octets: number, buffer: Uint8Array) => stream.push(Buffer.from(buffer.subarray(0, octets)));
  const socket: Socket = connect({ port, host: '127.0.0.1', onread: { buffer: Buffer.alloc(65_536), callback } });
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return { stream, socket };
}

t.test('what is sent behind AUTH TLS in clear is never executed', async t => {
  const { ports } = await serveFtp(t);
  for (const behind of ['USER eve\r\nPASS x\r\n', 'NO', '\xff']) {
    const control = await stranger(t, ports.ftp);
    const rest = all(control.socket).then(
      octets => octets.toString(),
      () => '',
    );
    control.socket.write(Buffer.from(`AUTH TLS\r\n${behind}`, 'latin1'));
    t.match(await rest, /^(234 [^\n]*\n)?421 [^\n]*\n$/, JSON.stringify(behind));
  }
});

t.test('nobody is made to connect to somebody else or to a service', async t => {
  const { ports } = await serveFtp(t);
  const control = await enter(t, ports.ftp, 'ada');
  const server = createServer(() => t.fail('somebody was connected to')).listen(0, '127.0.0.2');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  const refused = [
    `PORT 127,0,0,2,${port >> 8},${port & 255}`,
    `EPRT |1|127.0.0.2|${port}|`,
    'PORT 127,0,0,1,0,25',
    'EPRT |1|127.0.0.1|1023|',
    'EPRT |2|::1|5000|',
    'PORT 0,0,0,0,50,50',
    'PORT 255,255,255,255,50,50',
  ];
  for (const command of refused) {
    t.match(await control.ask(command), /^501 /, command);
    t.match(await control.ask('LIST /lobby'), /^425 /, 'and nothing is agreed on');
  }
});

t.test('one shared passive port serves two clients of different addresses at once, and drops a third', async t => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  await new Promise(resolve => probe.close(resolve));
  const { ports, hub } = await serveFtp(t, { passivePorts: { first: port, last: port }, clearPasswords: true });
  await (await hub.account('ada')).put('/lobby/a', 'hello');
  const two = await Promise.all(
    ['127.0.0.1', '127.0.0.5'].map(async address => {
      const control = new FtpControl(await dialData(t, ports.ftp, address));
      await control.reply();
      await control.ask('USER anonymous');
      t.match(await control.ask('PASS x@y'), /^230 /);
      t.equal(await control.passivePort(), port);
      control.send('RETR /lobby/a');
      t.match(await control.reply(), /^150 /);
      return { control, address };
    }),
  );
  t.equal((await all(await dialData(t, port, '127.0.0.9')).catch(() => '')).length, 0, 'a third is dropped');
  for (const { control, address } of two.toReversed()) {
    const data = await dialData(t, port, address);
    t.equal((await all(data)).toString(), 'hello', address);
    data.end();
    t.match(await control.reply(), /^226 /);
  }
});

t.test('many PASV hold one port at a time, and none when the client is gone', async t => {
  const { ports } = await serveFtp(t, { passivePorts: { first: 0, last: 0 } });
  const control = await enter(t, ports.ftp, 'ada');
  const opened: number[] = [];
  for (let n = 0; n < 100; n++) opened.push(await control.passivePort());
  const isOpen = async (port: number) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const outcome = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    return outcome;
  };
  const last = opened.at(-1)!;
  for (const port of new Set(opened.slice(0, -1))) if (port !== last && (await isOpen(port))) t.fail(`${port} is open`);
  control.send('EPSV');
  control.socket.destroy();
  const other = await enter(t, ports.ftp, 'bob');
  await other.ask('NOOP');
  t.notOk(await isOpen(last));
});

t.test('an upload whose TLS is cut is no file; one that says its end is', async t => {
  const { ports } = await serveFtp(t);
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { control } = await enterPrivately(t, ports.ftp, version);
    const upload = async (name: string, isCut: boolean, content: Buffer) => {
      const raw = await dialData(t, await control.passivePort());
      t.match(await control.ask(`STOR ${name}`), /^150 /);
      const data = connectTls({ socket: raw, rejectUnauthorized: false, maxVersion: version });
      data.on('error', () => undefined);
      await once(data, 'secureConnect');
      await new Promise<void>(resolve => data.write(content, () => resolve()));
      if (isCut) raw.end();
      else data.end();
      data.resume();
      return control.reply();
    };
    const content = Buffer.alloc(100_000, version);
    t.match(await upload('/lobby/whole', false, content), /^226 .*: 100000 bytes/, version);
    t.match(await upload('/lobby/cut', true, content), /^426 /, version);
    t.match(await control.ask('MLST /lobby/cut'), /^550 /);
    t.match(await upload('/lobby/two', true, Buffer.from('ab')), /^426 /, 'two octets look like an end and are none');
    t.match(await upload('/lobby/two', false, Buffer.from('ab')), /^226 .*: 2 bytes/);
    await control.ask('ALLO 2');
    t.match(await upload('/lobby/two', true, Buffer.from('cd')), /^226 .*: 2 bytes/, 'all that was announced came');
    t.match(await upload('/lobby/none', false, Buffer.alloc(0)), /^226 .*: 0 bytes/);
    t.match(await control.ask('DELE /lobby/whole'), /^250 /);
  }
});

t.test('a client that closes without a look at what TLS told it has sent all of its file', async t => {
  const { ports } = await serveFtp(t);
  const { control } = await enterPrivately(t, ports.ftp);
  for (const octets of [0, 1, 70_000, 3_000_000]) {
    const { stream, socket } = await dialReluctantly(t, await control.passivePort());
    t.match(await control.ask(`STOR /lobby/unread-${octets}`), /^150 /);
    const data = connectTls({ socket: stream, rejectUnauthorized: false });
    data.on('error', () => undefined);
    await once(data, 'secureConnect');
    // What comes from here on stays in the kernel, which resets a connection that is closed over it.
    socket.pause();
    await new Promise<void>(resolve => data.end(Buffer.alloc(octets, 'x'), resolve));
    socket.destroy();
    t.match(await control.reply(), new RegExp(`^226 .*: ${octets} bytes`));
  }
});

t.test('headers of records are found in any pieces', async t => {
  const record = fc.record({
    type: fc.constantFrom(20, 21, 22, 23),
    length: fc.oneof(fc.constantFrom(0, 2, 19), fc.integer({ min: 0, max: 300 })),
  });
  const octets = fc
    .array(record)
    .map(records =>
      Buffer.concat(
        records.map(({ type, length }) =>
          Buffer.concat([Buffer.of(type, 3, 3, length >> 8, length & 255), Buffer.alloc(length, 23)]),
        ),
      ),
    );
  const count = (pieces: readonly Buffer[]) => {
    const counter = new RecordCounter();
    for (const piece of pieces) counter.push(piece);
    return `${counter.open} ${counter.hidden}`;
  };
  assertProperty(
    t,
    'counts',
    fc.property(
      octets.chain(input => fc.tuple(fc.constant(input), piecesOf(input))),
      ([input, pieces]) => count([input]) === count(pieces),
    ),
    500,
  );
});

t.test('after PROT P nothing travels in clear', async t => {
  const { ports } = await serveFtp(t);
  const { control } = await enterPrivately(t, ports.ftp);
  const plain = await dialData(t, await control.passivePort());
  t.match(await control.ask('STOR /lobby/plain'), /^150 /);
  plain.end('content in clear');
  const came = all(plain).catch(() => Buffer.alloc(0));
  t.match(await control.reply(), /^425 /);
  t.notMatch((await came).toString('latin1'), /lobby/);
  const listening = await dialData(t, await control.passivePort());
  control.send('LIST /');
  t.match(await control.reply(), /^150 /);
  listening.write('\r\n'.repeat(20));
  t.notMatch((await all(listening).catch(() => Buffer.alloc(0))).toString('latin1'), /lobby/);
  t.match(await control.reply(), /^425 /);
  t.match(await control.ask('MLST /lobby/plain'), /^550 /);
  for (const command of ['STOR /lobby/plain', 'LIST /']) {
    const leaving = await dialData(t, await control.passivePort());
    t.match(await control.ask(command), /^150 /);
    leaving.end(Buffer.of(22, 3, 1, 1));
    t.match(await control.reply(), /^425 /, 'an end within the handshake is not waited behind');
  }
});

t.test('where nothing may be in clear, neither a login nor a data connection is', async t => {
  const { ports } = await serveFtp(t, { isPrivateOnly: true });
  const clear = await stranger(t, ports.ftp);
  t.match(await clear.ask('USER ada'), /^530 .*AUTH TLS/);
  t.match(await clear.ask('USER anonymous'), /^530 /);
  await clear.upgrade();
  await clear.login('ada');
  await clear.passivePort();
  for (const command of ['LIST /lobby', 'STOR /lobby/a']) t.match(await clear.ask(command), /^521 .*PROT P/, command);
});

t.test('data connections of the implicit port are bound to their own session too', async t => {
  const { ports, hub } = await serveFtp(t, { tlsBinding: 'require' });
  await (await hub.account('ada')).put('/lobby/a', 'hello');
  const enterImplicitly = async () => {
    const socket = (await dial({ port: ports['ftp-tls'], tls: true })) as TLSSocket;
    t.teardown(() => socket.destroy());
    const control = new FtpControl(socket);
    t.match(await control.reply(), /^220 /);
    let session = socket.getSession();
    socket.on('session', given => {
      session = given;
    });
    await control.login('ada');
    return { control, session: () => session };
  };
  const [own, other] = [await enterImplicitly(), await enterImplicitly()];
  const attempt = async (session: Buffer | undefined) => {
    const raw = await dialData(t, await own.control.passivePort());
    t.match(await own.control.ask('RETR /lobby/a'), /^150 /);
    const data = connectTls({ socket: raw, rejectUnauthorized: false, ...(session && { session }) });
    data.on('error', () => undefined);
    data.resume();
    return own.control.reply();
  };
  t.match(await attempt(own.session()), /^226 /);
  t.match(await attempt(other.session()), /^425 .*resume/, 'of another control connection');
  t.match(await attempt(undefined), /^425 .*resume/);
});

t.test('TLS under 1.2 is refused everywhere', async t => {
  const { ports } = await serveFtp(t);
  for (const isImplicit of [true, false]) {
    const raw = await dialData(t, isImplicit ? ports['ftp-tls'] : ports.ftp);
    if (!isImplicit) {
      const control = new FtpControl(raw);
      await control.reply();
      await control.ask('AUTH TLS');
      raw.removeAllListeners('data');
    }
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const secured = connectTls({ socket: raw, rejectUnauthorized: false, ...old });
    secured.on('secureConnect', () => t.fail('a handshake that should not be'));
    const [error] = (await once(secured, 'error')) as [Error];
    t.ok(error.message);
  }
});

const isLong = process.env['PARTYLINE_TEST_LONG'] === '1';
t.test('testssl finds no protocol below TLS 1.2', { skip: !isLong && 'PARTYLINE_TEST_LONG' }, async t => {
  const testssl = requireTool(t, 'testssl');
  if (testssl === undefined) return;
  const { ports } = await serveFtp(t);
  for (const [port, more] of [
    [ports.ftp, ['-t', 'ftp']],
    [ports['ftp-tls'], []],
  ] as const) {
    const args = ['--quiet', '--color', '0', '--warnings', 'batch', '-p', ...more, `127.0.0.1:${port}`];
    const found = String((await run(testssl, args, { deadlineMs: 100_000 })).stdout);
    for (const old of ['SSLv2', 'SSLv3', 'TLS 1', 'TLS 1.1']) t.match(found, new RegExp(`^ ${old} +not offered`, 'm'));
    for (const current of ['TLS 1.2', 'TLS 1.3']) t.match(found, new RegExp(`^ ${current} +offered \\(OK\\)`, 'm'));
  }
});

t.test('whether there is an account cannot be told from what a wrong password gets', async t => {
  const { ports } = await serveFtp(t, { guests: false });
  const control = await stranger(t, ports.ftp);
  const answers = [];
  for (const user of ['ada', 'nobody-here']) {
    answers.push([await control.ask(`USER ${user}`), await control.ask('PASS wrong')]);
  }
  t.same(answers[0], answers[1]);
  t.match(answers[0]?.[1], /^530 /);
});

t.test('passwords and tokens stand in no log, whatever fails', async t => {
  let written = '';
  const log = {
    level: 'trace',
    stream: {
      write(line: string) {
        written += line;
      },
    },
  };
  const { ports, hub } = await serveFtp(t, { log, guests: false });
  const control = await stranger(t, ports.ftp);
  hub.store.document = async () => {
    throw new Error('the store is ill');
  };
  await control.ask('USER ada');
  t.match(await control.ask('PASS wrong-tiger'), /^(451|530) /);
  control.socket.write('PASS hidden\0tiger\r\nPASS pl_tiger\r\n');
  await control.reply();
  await control.reply();
  t.notMatch(written, /tiger/);
});

t.test('SITE and its like ask the same permissions as all else', async t => {
  const { ports, hub } = await serveFtp(t);
  await (await hub.account('ada')).put('/lobby/a', 'hello');
  const bob = await enter(t, ports.ftp, 'bob');
  const before = await bob.ask('MDTM /lobby/a');
  for (const command of ['SITE UTIME 20200101000000', 'MFMT 20200101000000', 'MDTM 20200101000000']) {
    t.match(await bob.ask(`${command} /lobby/a`), /^550 /, command);
  }
  t.equal(await bob.ask('MDTM /lobby/a'), before);
  t.match(await bob.ask('SITE CHMOD 777 /~ada/secret'), /^550 /);
  t.match(await bob.ask('COMB /lobby/mine /lobby/a'), /^5/, 'parts would be removed');
  t.match(await bob.ask('SIZE /lobby/a'), /^213 5/);
});

t.test('no name leads anywhere, whatever is done with it, and the session stays in step', async t => {
  const { ports, hub } = await serveFtp(t);
  await (await hub.account('ada')).put('/lobby/known', 'x');
  const control = await enter(t, ports.ftp, 'ada');
  await control.ask('CWD /lobby');
  const verbs = ['CWD', 'SIZE', 'MDTM', 'MLST', 'STAT', 'MKD', 'RNFR', 'RNTO', 'DELE', 'RMD', 'RETR', 'STOR', 'LIST'];
  const names = traversalNames().filter(name => !name.includes('\n') && !name.includes(255));
  for (const name of names) {
    await control.ask('CWD /lobby');
    for (const verb of verbs) control.socket.write(Buffer.concat([Buffer.from(`${verb} `), name, Buffer.from('\r\n')]));
    for (const verb of verbs) {
      const answer = await control.reply();
      if (/root:|^451|node:|\/tmp\//.test(answer)) t.fail(`${verb} ${JSON.stringify(name.toString())}: ${answer}`);
    }
    if (!(await control.ask('NOOP')).startsWith('200')) t.fail(`out of step behind ${name.toString('latin1')}`);
  }
  t.match(await control.ask('SIZE /lobby/known'), /^(213 1|550)/);
  for (const name of ['..', '../..', 'a/../..', '/..', '../lobby/..']) {
    await control.ask('CWD /lobby');
    t.match(await control.ask(`CWD ${name}`), /^(250|550)/);
    t.match(await control.ask('PWD'), /^257 "\/(lobby)?" /, name);
  }
});

t.test('a recursive listing ends, and a bomb of stars costs nothing', async t => {
  const { ports, hub } = await serveFtp(t);
  const ada = await hub.account('ada');
  let path = '/lobby';
  for (let depth = 0; depth < limits.listDepthMax + 5; depth++) {
    path += '/d';
    await ada.do('MKDIR', { path });
  }
  await ada.put(`/lobby/${'a'.repeat(200)}`, 'x');
  const control = await enter(t, ports.ftp, 'ada');
  const deep = (await retrieve(t, control, 'LIST -R /lobby')).toString();
  t.equal(deep.match(/^\/lobby.*:\r$/gm)?.length, limits.listDepthMax + 1);
  t.equal((await retrieve(t, control, `NLST /lobby/${'a*'.repeat(100)}b`)).toString(), '');
});

t.test('who does not enter in a minute, says nothing for five or moves no data is let go', async t => {
  const clock = new TurnedClock();
  const { ports, hub } = await serveFtp(t, { clock });
  await (await hub.account('ada')).put('/lobby/a', Buffer.alloc(20_000_000));
  const silent = await stranger(t, ports.ftp);
  clock.turn(limits.terminalLoginMs - 1_000);
  t.match(await silent.ask('NOOP'), /^200 /);
  clock.turn(1_000);
  t.match(await silent.reply(), /^421 /, 'NOOP does not lengthen it');
  const control = await enter(t, ports.ftp, 'ada');
  await control.passivePort();
  t.match(await control.ask('RETR /lobby/a'), /^150 /);
  clock.turn(limits.dataConnectMs);
  t.match(await control.reply(), /^425 /, 'nobody came');
  const data = await dialData(t, await control.passivePort());
  t.match(await control.ask('RETR /lobby/a'), /^150 /);
  await once(data, 'readable');
  for (let waited = 0; waited < limits.controlIdleMs + 2 * limits.dataStallMs; waited += limits.dataStallMs) {
    clock.turn(limits.dataStallMs);
  }
  t.match(await control.reply(), /^426 /, 'nothing moved; the control connection was not idle');
  data.destroy();
  t.match(await control.ask('NOOP'), /^200 /);
  clock.turn(limits.controlIdleMs);
  t.match(await control.reply(), /^421 /);
});

t.test('where bandwidth has a limit, one person has it once over all connections, each way', async t => {
  const clock = new TurnedClock();
  const { ports, hub } = await serveFtp(t, { clock, bandwidthOctets: 1_000_000 });
  await (await hub.account('ada')).put('/lobby/a', Buffer.alloc(2_000_000));
  const two = [await enter(t, ports.ftp, 'ada'), await enter(t, ports.ftp, 'ada')];
  const isDone = [false, false];
  const transfers = two.map(async (control, n) => {
    const bring =
      n === 0 ? retrieve(t, control, 'RETR /lobby/a') : store(t, control, '/lobby/b', Buffer.alloc(2_000_000));
    await bring;
    isDone[n] = true;
  });
  const other = await enter(t, ports.ftp, 'bob');
  for (let second = 0; second < 3; second++) {
    clock.turn(1_000);
    // Replies of somebody else: those who wait have had their turns.
    for (let n = 0; n < 20; n++) await other.ask('NOOP');
  }
  t.notOk(isDone[0] && isDone[1], 'four megabytes do not go in three seconds');
  const turn = setInterval(() => clock.turn(1_000), 5);
  t.teardown(() => clearInterval(turn));
  await Promise.all(transfers);
});

t.test('any octets on the control connection harm only their sender', async t => {
  const { ports } = await serveFtp(t);
  const witness = await enter(t, ports.ftp, 'ada');
  const seed = freshSeed();
  const random = seededRandom(seed);
  const words = [
    'USER ada\r\n',
    'PASS secret\r\n',
    'EPSV\r\n',
    'LIST\r\n',
    'REST 5\r\n',
    'ABOR\r\n',
    'STAT /\r\n',
    'PASV\n',
  ];
  const samples = fc.sample(hostileOctets(), { numRuns: 150, seed: seed | 0 });
  for (const sample of samples) {
    const socket = await dialData(t, ports.ftp);
    socket.resume();
    for (let n = 0; n < 3; n++) socket.write(words[Math.floor(random() * words.length)]!);
    socket.write(sample);
    socket.write('\r\nNOOP\r\n');
    if (random() < 0.3) socket.resetAndDestroy();
    else socket.end();
  }
  t.match(await witness.ask('NOOP'), /^200 /, `seed ${seed}`);
  t.match(await store(t, witness, '/lobby/after', Buffer.from('x')), /^226 /);
});

t.test('what leaves while data connections wait takes nothing along', async t => {
  const { ports, hub, close } = await serveFtp(t);
  await (await hub.account('ada')).put('/lobby/a', 'hello');
  const control = await enter(t, ports.ftp, 'ada');
  const data: Socket = await dialData(t, await control.passivePort());
  await control.ask('RETR /lobby/a');
  control.socket.resetAndDestroy();
  await all(data).catch(() => undefined);
  await close();
});
