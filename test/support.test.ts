/**
 * Tests of the test support itself, against small bare servers: what it must notice, and what it must pass on
 * unchanged. The product is not involved.
 */
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as fc from 'fast-check';
import { generate } from 'selfsigned';
import { type Test, t } from 'tap';
import { dial } from './support/dial.ts';
import { startFaultProxy } from './support/fault-proxy.ts';
import { hostileOctets, hostileText, piecesOf, traversalNames, unicodeTwins } from './support/generators.ts';
import { connectLine } from './support/line-client.ts';
import { cutRandomly, seededRandom, showOctets } from './support/octets.ts';
import { MODES, type PlayOptions, playTranscript } from './support/play-transcript.ts';
import { startServer } from './support/server-process.ts';
import { tcpStates, untilTcpStates } from './support/tcp-states.ts';
import { tempDir } from './support/temp-dir.ts';
import { requireTool, run } from './support/tools.ts';
import { parseTranscript } from './support/transcript.ts';

type Serve = (socket: Socket) => void;

const signal = <T>(): { promise: Promise<T>; resolve: (value: T) => void } => {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>(settle => {
    resolve = settle;
  });
  return { promise, resolve };
};

const listen = async (t: Test, server: Server): Promise<number> => {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
};

const serveTcp = (t: Test, serve: Serve): Promise<number> =>
  listen(t, createServer({ allowHalfOpen: true, noDelay: true }, serve));

const serveTls = async (t: Test, serve: Serve): Promise<number> => {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048 });
  return listen(t, createTlsServer({ cert, key, allowHalfOpen: true }, serve));
};

/** Answers each line with `answer`, greets first, and says goodbye after the client's FIN. */
const answering =
  (answer: (line: string) => string, goodbye = 'bye\n'): Serve =>
  socket => {
    let held = '';
    socket.on('error', () => {});
    socket.write('hello\n');
    socket.setEncoding('latin1').on('data', (text: string) => {
      const lines = (held + text).split('\n');
      held = lines.pop() ?? '';
      for (const line of lines) socket.write(answer(line), 'latin1');
    });
    socket.on('end', () => socket.end(held === '' ? goodbye : `cut off: ${held}\n`));
  };

const echo = answering(line => `you said ${line}\n`);

const playText = (port: number, text: string, options: Partial<PlayOptions> = {}): Promise<void> =>
  playTranscript(parseTranscript('test.txt', text), { connect: () => dial({ port }), deadlineMs: 2000, ...options });

t.test('a transcript is played whole, by octets, in pieces and over TLS', async t => {
  const session = [
    '# people talk',
    'S: hello',
    'C: one',
    'C: two {5} and {500}',
    'S: you said one',
    'S: you said {what=t\\w{2}} {_=.*}',
    'C*3: again {what}',
    'S*3: you said again {what}',
    'C: \\xff\\xfb\\x01 \\\\ \u00e9\\t.',
    'S: you said \\xff\\xfb\\x01 \\\\ \u00e9\\t.',
    'C: half a line<no-eol>',
    'C: <FIN>',
    'S: cut off: half a line',
    'S: <FIN>',
    '',
  ].join('\n');
  t.equal(parseTranscript('x', session).title, 'people talk');
  const ports = [await serveTcp(t, echo), await serveTls(t, echo)];
  for (const [tls, port] of ports.entries()) {
    for (const mode of MODES) {
      await t.resolves(playText(port, session, { mode, connect: () => dial({ port, tls: tls === 1 }) }));
    }
  }
});

t.test('the modes send the same octets in different writes', async t => {
  const text = 'C: one\nC: two\nC: <FIN>\nS: <FIN>\n';
  const chunks: Buffer[] = [];
  const port = await serveTcp(t, socket => {
    socket.on('data', chunk => chunks.push(chunk)).on('end', () => socket.end());
  });
  const writes: Record<string, number[]> = {};
  const connect = (sizes: number[]) => async () => {
    const socket = await dial({ port });
    const write = socket.write.bind(socket) as (octets: Buffer, done: () => void) => boolean;
    return Object.assign(socket, {
      write: (octets: Buffer, done: () => void) => {
        sizes.push(octets.length);
        return write(octets, done);
      },
    }) as Duplex;
  };
  for (const mode of MODES) {
    chunks.length = 0;
    const sizes: number[] = [];
    writes[mode] = sizes;
    await playText(port, text, { mode, seed: 1, connect: connect(sizes) });
    t.equal(Buffer.concat(chunks).toString(), 'one\ntwo\n', mode);
  }
  t.same(writes['whole'], [8]);
  t.same(writes['octet'], [1, 1, 1, 1, 1, 1, 1, 1]);
  t.same(
    writes['pieces'],
    cutRandomly(Buffer.from('one\ntwo\n'), seededRandom(1)).map(piece => piece.length),
  );
});

t.test('what one person does is seen by another, and captures pass between them', async t => {
  const everyone = new Set<Socket>();
  const port = await serveTcp(t, socket => {
    everyone.add(socket);
    socket.on('data', octets => {
      for (const other of everyone) other.write(octets);
    });
  });
  await playText(
    port,
    'bob C: here\nbob S: here\nada C: seq=41\nada S: seq={n=\\d+}\nbob S: seq={n}\nbob C: {n}\nada S: 41\nbob S: 41\n',
  );
});

t.test('lines of two people that follow each other go over their own connections', async t => {
  const port = await serveTcp(t, echo);
  await playText(port, 'ada S: hello\nbob S: hello\nada C: a\nbob C: b\nada S: you said a\nbob S: you said b\n');
});

t.test('line ends are demanded as they were sent', async t => {
  const port = await serveTcp(t, echo);
  await t.rejects(playText(port, 'S: hello\n', { lineEnd: '\r\n' }), /does not end in \\r\\x0a/);
  await t.resolves(playText(port, 'S: hello\nC: x\\r\nS: you said x\\r\n'));
});

t.test('differences are noticed, with their line and what came', async t => {
  const port = await serveTcp(t, echo);
  const mistakes: readonly (readonly [string, RegExp])[] = [
    ['S: hullo', /test\.txt:1 .*\n {2}expected {2}S: hullo\n {2}came {6}S: hello/],
    ['S: hello\nC: a\nS: you said b', /test\.txt:3 [\s\S]*conversation:\n.*S: hello\n.*C: a\n.*S: you said a/],
    ['S: hell', /came {6}S: hello/],
    ['S: h.llo', /came {6}S: hello/],
    ['S: hello\nC: a\nC: b\nS: you said b', /came {6}S: you said a/],
    ['S: hello\nC: a\nC: b\nS: you said a\nC: <FIN>\nS: bye', /test\.txt:6 [\s\S]*came {6}S: you said b/],
    ['S: hello\nC: <FIN>\nS: <FIN>', /expected {2}S: <FIN>\n {2}came {6}S: bye/],
    ['S: hello\nC: <FIN>\nS: bye\nS: more', /connection is ended/],
    ['S: hello\nC: <FIN>\nS: bye\nS: <RST>', /came {6}S: <FIN>/],
    ['S: {a=\\w}{b=\\w+}\nC: {b}{a}\nS: you said {a}{b}', /came {6}S: you said elloh/],
    ['S: hel<no-eol>\nS: la', /came {6}S: lo/],
    ['S: hello\nC: <FIN>\nS: bye\nS: <FIN>\nbob S: hi', /expected {2}S: hi[\s\S]*bob S: hello/],
  ];
  for (const [text, message] of mistakes) await t.rejects(playText(port, `${text}\n`), { message }, text);
  await t.rejects(playText(port, 'S: hello\nS: more\n', { deadlineMs: 50 }), /nothing came within 50 ms/);
  await t.rejects(playText(port, 'S: no\n', { mode: 'pieces', seed: 77 }), /pieces, seed 77/);
});

t.test('octets that no line accounts for are a difference at the end', async t => {
  const port = await serveTcp(t, socket => void socket.write('one\ntwo\n'));
  await t.rejects(playText(port, 'S: one\n'), /test\.txt:end [\s\S]*expected {2}nothing more[\s\S]*S: two/);
});

t.test('resets are seen and sent, plain and over TLS', async t => {
  const resets = await serveTcp(t, socket => {
    socket.on('data', () => socket.resetAndDestroy());
  });
  await t.resolves(playText(resets, 'C: x\nS: <RST>\n'));
  await t.rejects(playText(resets, 'C: x\nS: <FIN>\n'), /ECONNRESET/);
  for (const tls of [false, true]) {
    const { promise, resolve } = signal<string>();
    const port = await (tls ? serveTls : serveTcp)(t, socket => {
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
      socket.resume().write('hello\n');
    });
    await playText(port, 'S: hello\nC: <RST>\n', { connect: () => dial({ port, tls }) });
    t.equal(await promise, 'ECONNRESET', `tls ${tls}`);
  }
});

t.test('a transcript that cannot be read names its line', async t => {
  const mistakes: readonly (readonly [string, RegExp])[] = [
    ['hello', /x\.txt:1: a line begins with/],
    ['C: a\nS: {n}', /x\.txt:2: \{n\} was not captured before/],
    ['S: {n=a}{n}', /\{n\} was not captured before/],
    ['C: {n=a}', /only S lines capture/],
    ['S: {n=a', /not closed/],
    ['S: {n=(}', /regular expression/i],
    ['S: \\q', /a backslash begins/],
    ['S: {n=a}<no-eol>', /cannot capture/],
    ['S: {n=a}{n=b}', /captured twice/],
  ];
  for (const [text, message] of mistakes) t.throws(() => parseTranscript('x.txt', text), { message }, text);
});

t.test('a table of tokens makes words into octets, other angle brackets are text', async t => {
  const tokens = new Map(Object.entries({ IAC: 255, DO: 253, SB: 250, SE: 240, NAWS: 31 }));
  const { steps } = parseTranscript('x', 'C: a<IAC DO NAWS>b <html>\nC: <IAC SB NAWS 0 80 IAC SE><no-eol>', tokens);
  const octets = steps.flatMap(step =>
    step.kind === 'send' ? step.parts.map(part => part.kind === 'octets' && showOctets(part.octets)) : [],
  );
  t.same(octets, ['a\\xff\\xfd\\x1fb <html>', '\\xff\\xfa\\x1f\\x00P\\xff\\xf0']);
  t.throws(() => parseTranscript('x', 'C: <IAC DO NAWZ>', tokens), /NAWZ is no known octet/);
});

t.test('the play command prints the conversation and tells by its exit code', async t => {
  const port = await serveTcp(t, echo);
  const file = join(await tempDir(t), 'talk.txt');
  const command = fileURLToPath(new URL('./support/play.js', import.meta.url));
  const play = (...args: string[]) => run(process.execPath, [command, ...args]);
  await writeFile(file, 'S: hello\nC: a\nS: you said a\n');
  const good = await play(file, `127.0.0.1:${port}`, '--mode=octet');
  t.equal(good.stdout.toString(), 'client S: hello\nclient C: a\nclient S: you said a\n');
  t.equal(good.code, 0, good.stderr);
  await writeFile(file, 'S: hullo\n');
  const bad = await play(file, `localhost:${port}`);
  t.equal(bad.code, 1);
  t.match(bad.stderr, /expected {2}S: hullo/);
  t.equal((await play(file)).code, 64);
});

t.test('the line client reads lines and blobs of any octets, plain and over TLS', async t => {
  const blob = Buffer.from([0, 10, 13, 10, 255, 254, 0xc3]);
  const serve: Serve = socket => {
    const lines = [Buffer.from('* HI\r\n{7} = GET\n'), blob, Buffer.from('\r\n+ GET\na\nb\nc\nd \u00e9\n')];
    for (const piece of cutRandomly(Buffer.concat(lines), seededRandom(3), 5)) socket.write(piece);
    const heard: Buffer[] = [];
    socket.on('data', chunk => heard.push(chunk));
    socket.on('end', () => socket.end(Buffer.concat(heard)));
  };
  for (const tls of [false, true]) {
    const client = await connectLine(t, await (tls ? serveTls : serveTcp)(t, serve), { tls });
    t.equal(await client.line(), '* HI\r', 'a CR stays');
    t.equal(await client.line(), '{7} = GET');
    t.same(await client.blob(7), blob);
    t.same(await client.lines(2), ['+ GET', 'a']);
    t.same(await client.until(/^d/), ['b', 'c', 'd \u00e9']);
    client.send('one');
    client.send(blob);
    client.finish();
    t.same(await client.rest(), Buffer.concat([Buffer.from('one\n'), blob]));
    await client.ended;
    await client.closed;
    await t.rejects(client.line(), /the connection is ended/);
  }
});

t.test('the line client says what it waited for', async t => {
  const port = await serveTcp(t, socket => {
    socket.write('half');
    socket.on('data', () => socket.resetAndDestroy());
  });
  const client = await connectLine(t, port, { deadlineMs: 50 });
  await t.rejects(client.line(), /waited for a line, but nothing came within 50 ms; held are 4 octets: half/);
  await t.rejects(client.ended, /waited for FIN/);
  client.send('x');
  await client.closed;
  t.equal(client.wasReset, true);
  await t.rejects(client.line(), /ECONNRESET/);
});

t.test('the closing states of a connection are seen', async t => {
  if ((await tcpStates(1, 2)) === undefined) return void t.pass('no /proc/net/tcp', { skip: true });
  const { promise, resolve } = signal<Socket>();
  const port = await serveTcp(t, socket => {
    resolve(socket.resume());
  });
  const client = await connectLine(t, port);
  t.same(await tcpStates(client.localPort, port), { near: 'ESTABLISHED', far: 'ESTABLISHED' });
  client.finish();
  await untilTcpStates(client.localPort, port, { near: 'FIN_WAIT_2', far: 'CLOSE_WAIT' });
  (await promise).end();
  await client.closed;
  await untilTcpStates(client.localPort, port, { near: 'TIME_WAIT', far: 'CLOSED' });
  await t.rejects(untilTcpStates(client.localPort, port, { near: 'LISTEN' }, 20), /last seen .*TIME_WAIT/);
});

t.test('the proxy without faults passes octets, half-close and reset', async t => {
  const port = await serveTcp(t, echo);
  const proxy = await startFaultProxy(t, port);
  const line = 'x'.repeat(300_000);
  await playText(port, `S: hello\nC: ${line}\nC: <FIN>\nS: you said ${line}\nS: bye\nS: <FIN>\n`, {
    connect: () => dial({ port: proxy.port }),
  });
  t.same(proxy.octets, { toServer: 300_001, toClient: 6 + 9 + 300_001 + 4 });
  t.equal(proxy.accepted, 1);

  const { promise, resolve } = signal<string>();
  const silent = await serveTcp(t, socket => {
    socket.resume().on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    socket.write('hello\n');
  });
  const client = await connectLine(t, (await startFaultProxy(t, silent)).port);
  await client.line();
  client.reset();
  t.equal(await promise, 'ECONNRESET');
});

t.test('the proxy cuts after exactly so many octets, in either direction, by FIN or RST', async t => {
  const received: Buffer[] = [];
  const { promise, resolve } = signal<void>();
  const port = await serveTcp(t, socket => {
    socket.on('data', chunk => received.push(chunk));
    socket.on('end', () => {
      socket.end();
      resolve();
    });
  });
  const proxy = await startFaultProxy(t, port);
  proxy.set('toServer', { cut: { afterOctets: 10, as: 'fin' } });
  const client = await connectLine(t, proxy.port);
  client.send(Buffer.alloc(100_000, 'a'));
  await client.ended;
  await promise;
  t.equal(Buffer.concat(received).toString(), 'aaaaaaaaaa');

  const back = await startFaultProxy(t, await serveTcp(t, echo));
  back.set('toClient', { cut: { afterOctets: 8, as: 'rst' } });
  const other = await connectLine(t, back.port);
  t.equal(await other.line(), 'hello');
  other.send('a');
  await other.closed;
  t.equal(other.wasReset, true);
  t.equal(back.octets.toClient, 8);
});

t.test('the proxy freezes and thaws, and cuts all connections', async t => {
  const proxy = await startFaultProxy(t, await serveTcp(t, echo));
  proxy.set('toClient', { isFrozen: true });
  const client = await connectLine(t, proxy.port, { deadlineMs: 50 });
  await t.rejects(client.line(), /nothing came/);
  proxy.set('toClient', { isFrozen: false });
  const patient = await connectLine(t, proxy.port);
  t.equal(await patient.line(), 'hello');
  t.equal(await client.line(), 'hello');
  proxy.cutAll('fin');
  await patient.ended;
  const third = await connectLine(t, proxy.port);
  await third.line();
  proxy.cutAll('rst');
  await third.closed;
  t.equal(third.wasReset, true);
  t.equal(proxy.accepted, 3);
});

t.test('the proxy fragments, delays and limits without changing octets', async t => {
  const proxy = await startFaultProxy(t, await serveTcp(t, echo));
  proxy.set('toServer', { fragments: { seed: 5, octetsMax: 3 } });
  proxy.set('toClient', { delayMs: 1, octetsPerSecond: 100_000 });
  const line = 'y'.repeat(5000);
  const connect = () => dial({ port: proxy.port });
  await playText(proxy.port, `S: hello\nC: ${line}\nC: <FIN>\nS: you said ${line}\nS: bye\nS: <FIN>\n`, { connect });
  t.equal(proxy.octets.toServer, 5001);
});

const FAKE_SERVER = `
  import { createServer } from 'node:net';
  import { appendFileSync } from 'node:fs';
  const { PARTYLINE_DATA_DIR: dir, PARTYLINE_LINE_PORT: port, PARTYLINE_OUTER, PARTYLINE_FAIL } = process.env;
  if (PARTYLINE_FAIL) { console.error('no such setting'); process.exit(78); }
  appendFileSync(dir + '/starts', 'x');
  process.on('SIGTERM', () => process.exit(0));
  const server = createServer(socket => socket.end((PARTYLINE_OUTER ?? 'clean') + ' ' + process.argv.slice(2) + '\\n'));
  server.listen(Number(port), '127.0.0.1', () => {
    console.log('listening line 127.0.0.1:' + server.address().port);
    console.log('partyline ready');
  });
`;

t.test('a server process starts, is killed, and starts again on the same data and port', async t => {
  const main = join(await tempDir(t), 'main.mjs');
  await writeFile(main, FAKE_SERVER);
  process.env['PARTYLINE_OUTER'] = 'leaked';
  t.teardown(() => {
    delete process.env['PARTYLINE_OUTER'];
  });
  let dataDir = '';
  let pid = 0;
  await t.test('its life', async t => {
    const server = await startServer(t, { main: pathToFileURL(main), args: ['--verbose'] });
    const port = server.ports.line;
    ({ dataDir, pid } = server);
    t.equal(server.ports.http, 0, 'a listener that is off');
    t.equal(await (await connectLine(t, port)).line(), 'clean --verbose');
    t.match(server.output(), /^listening line .*\npartyline ready\n$/);
    t.same(await server.kill('SIGKILL'), { code: null, signal: 'SIGKILL' });
    await server.restart();
    t.equal(server.ports.line, port);
    t.not(server.pid, pid);
    ({ pid } = server);
    t.equal(await (await connectLine(t, port)).line(), 'clean --verbose');
    t.equal(await readFile(join(dataDir, 'starts'), 'utf8'), 'xx');
    t.same(await server.kill('SIGTERM'), { code: 0, signal: null });
    await server.restart();
    ({ pid } = server);
  });
  await t.rejects(stat(dataDir), { code: 'ENOENT' }, 'the data folder went with the test');
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' }, 'and so did the process');
  const failing = startServer(t, { main: pathToFileURL(main), env: { PARTYLINE_FAIL: '1' } });
  await t.rejects(failing, /the server ended \(78\); its output was:\nno such setting/);
});

t.test('tools are found, and a missing one skips the test or fails it in CI', async t => {
  const ci = process.env['CI'];
  t.teardown(() => {
    if (ci === undefined) delete process.env['CI'];
    else process.env['CI'] = ci;
  });
  const outcome = (isCi: string): string[] => {
    process.env['CI'] = isCi;
    const said: string[] = [];
    const fake = {
      pass: (text: string) => said.push(`skip ${text}`),
      fail: (text: string) => said.push(`fail ${text}`),
    };
    t.equal(requireTool(fake as unknown as Test, 'no-such-tool', 'nor-this'), undefined);
    return said;
  };
  t.same(outcome('false'), ['skip no-such-tool or nor-this is not installed']);
  t.same(outcome('true'), ['fail no-such-tool or nor-this is not installed']);
  const shell = requireTool(t, 'no-such-tool', 'sh');
  t.equal((await run(shell ?? '', ['-c', 'cat; exit 3'], { input: 'x' })).code, 3);
  await t.rejects(run(shell ?? '', ['-c', 'exec sleep 60'], { deadlineMs: 50 }), /not within 50 ms/);
});

t.test('nc.openbsd is told from other netcats, and half-closes', async t => {
  const nc = requireTool(t, 'nc.openbsd');
  if (nc === undefined) return;
  const port = await serveTcp(t, echo);
  const { stdout } = await run(nc, ['-N', '127.0.0.1', String(port)], { input: 'a\n' });
  t.equal(stdout.toString(), 'hello\nyou said a\nbye\n');
});

t.test('the corpora are as large and as different as they claim', async t => {
  const names = traversalNames().map(name => name.toString('latin1'));
  t.ok(names.length >= 400, `${names.length} names`);
  t.equal(new Set(names).size, names.length);
  const twins = unicodeTwins();
  t.ok(twins.length >= 200, `${twins.length} pairs`);
  const fold = (text: string): string => text.normalize('NFKC').toUpperCase().normalize('NFKD');
  for (const { left, right, kind } of twins) {
    if (left === right || fold(left) !== fold(right)) t.fail(`${kind}: ${left} and ${right} are no twins`);
  }
});

t.test('pieces put together are the whole, and shown octets can be read back', async t => {
  const holds = fc.asyncProperty(hostileOctets(), fc.constantFrom('C', 'S'), async (octets, side) => {
    const shown = showOctets(octets).replaceAll('{', '\\{').replaceAll('<', '\\<');
    const [step] = parseTranscript('x', `${side}: ${shown}`).steps;
    const parts = step?.kind === 'send' || step?.kind === 'expect' ? step.parts : [];
    const read = Buffer.concat(parts.map(part => (part.kind === 'octets' ? part.octets : Buffer.from('?'))));
    return read.equals(octets);
  });
  await fc.assert(holds);
  const whole = Buffer.from('some octets that are cut \xff\x00');
  fc.assert(fc.property(piecesOf(whole), pieces => Buffer.concat([...pieces]).equals(whole)));
  const samples = fc.sample(hostileText(), { numRuns: 200, seed: 1 }).join('');
  for (const threat of ['\r\n', '\x1b]52', '\x9b', '\u202e', '\xff\xfb', '\0']) t.ok(samples.includes(threat));
});
