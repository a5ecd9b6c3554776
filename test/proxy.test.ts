/** Connections through proxies: the PROXY header without a socket, then both versions at a real server, and HAProxy before it. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import t, { type Test } from 'tap';
import { Places } from '../server/net/places.ts';
import { decodeProxyHeader } from '../server/net/proxy-header.ts';
import { dial } from './support/dial.ts';
import { Inbox } from './support/inbox.ts';
import { connectLine } from './support/line-client.ts';
import { type LineServer, serveLine, TurnedClock } from './support/line-server.ts';
import { freshSeed } from './support/octets.ts';
import { addAccount, startServer } from './support/server-process.ts';
import { tempDir } from './support/temp-dir.ts';
import { requireTool, run } from './support/tools.ts';

t.setTimeout(120_000);

/** Where the trusted proxy of these tests connects from. */
const proxy = '127.0.0.9';

const binary = (command: number, family: number, rest: Uint8Array): Buffer => {
  const head = Buffer.from('\r\n\r\n\0\r\nQUIT\n\0\0\0\0', 'latin1');
  head[12] = 0x20 | command;
  head[13] = family;
  head.writeUInt16BE(rest.length, 14);
  return Buffer.concat([head, rest]);
};

const four = (source: readonly number[], more: Uint8Array = Buffer.alloc(0)): Buffer =>
  binary(1, 0x11, Buffer.concat([Buffer.from([...source, 10, 0, 0, 1, 0x30, 0x39, 0x1b, 0x9e]), more]));
const six = (source: Uint8Array): Buffer =>
  binary(1, 0x21, Buffer.concat([source, Buffer.alloc(16), Buffer.from([0x30, 0x39, 0x1b, 0x9e])]));
const text = (line: string): Buffer => Buffer.from(`${line}\r\n`, 'latin1');

t.test('both versions name the peer, in the one form of its address, and say how long they are', async t => {
  const named: readonly (readonly [header: Buffer, address: string | undefined])[] = [
    [text('PROXY TCP4 192.0.2.7 10.0.0.1 12345 7070'), '192.0.2.7'],
    [text('PROXY TCP6 2001:DB8:0:0::7 ::1 0 65535'), '2001:db8::7'],
    [text('PROXY TCP6 ::ffff:192.0.2.7 ::1 1 1'), '192.0.2.7'],
    [text('PROXY UNKNOWN'), undefined],
    [text(`PROXY UNKNOWN ${'f'.repeat(91)}`), undefined],
    [four([192, 0, 2, 7]), '192.0.2.7'],
    [four([192, 0, 2, 7], Buffer.alloc(500, 4)), '192.0.2.7'],
    [six(Buffer.from('20010db8000000000000000000000007', 'hex')), '2001:db8::7'],
    [six(Buffer.from('00000000000000000000ffffc0000207', 'hex')), '192.0.2.7'],
    [binary(0, 0x00, Buffer.alloc(0)), undefined],
    [binary(0, 0x11, Buffer.alloc(3)), undefined],
    [binary(1, 0x00, Buffer.alloc(7)), undefined],
    [binary(1, 0x31, Buffer.alloc(216)), undefined],
  ];
  for (const [header, address] of named) {
    const expected = { kind: 'header', octets: header.length, ...(address !== undefined && { address }) };
    t.same(decodeProxyHeader(Buffer.concat([header, Buffer.from('NICK ada\n')])), expected);
    for (let cut = 0; cut < header.length; cut++) {
      t.equal(decodeProxyHeader(header.subarray(0, cut)).kind, 'incomplete', `${cut} octets of ${header.length}`);
    }
  }
});

t.test('what is no header is refused as soon as that is sure, with the reason', async t => {
  const wrong: readonly (readonly [octets: Buffer, reason: RegExp])[] = [
    [Buffer.from('N'), /there is none/],
    [Buffer.from('PROXX'), /there is none/],
    [Buffer.from('\r\n\r\nNICK'), /there is none/],
    [Buffer.from('\x16\x03\x01'), /there is none/],
    [Buffer.from(`PROXY UNKNOWN ${'f'.repeat(93)}`), /too long/],
    [Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n'), /CRLF/],
    [text('PROXY TCP5 1.2.3.4 1.2.3.4 1 1'), /family/],
    [text('PROXY'), /there is none/],
    [text('PROXY '), /family/],
    [text('PROXY TCP4 1.2.3.04 1.2.3.4 1 1'), /addresses/],
    [text('PROXY TCP4 ::1 1.2.3.4 1 1'), /addresses/],
    [text('PROXY TCP6 fe80::1%eth0 ::1 1 1'), /addresses/],
    [text('PROXY TCP4 1.2.3.4 1.2.3.4 1'), /ports/],
    [text('PROXY TCP4 1.2.3.4 1.2.3.4 1 65536'), /ports/],
    [text('PROXY TCP4 1.2.3.4 1.2.3.4 01 1'), /ports/],
    [text('PROXY TCP4  1.2.3.4 1.2.3.4 1 1'), /addresses/],
    [text('PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1'), /ports/],
    [binary(0, 0, Buffer.alloc(0)).fill(0x31, 12, 13).subarray(0, 13), /version or command/],
    [binary(2, 0x11, Buffer.alloc(12)), /version or command/],
    [binary(1, 0x12, Buffer.alloc(12)), /not TCP/],
    [binary(1, 0x11, Buffer.alloc(11)), /too short/],
    [binary(1, 0x21, Buffer.alloc(35)), /too short/],
    [binary(1, 0x11, Buffer.alloc(5000)).subarray(0, 16), /too long/],
  ];
  for (const [octets, reason] of wrong) {
    const found = decodeProxyHeader(octets);
    t.match(found, { kind: 'invalid', reason }, JSON.stringify(octets.subarray(0, 60).toString('latin1')));
  }
});

t.test('no octets make the decoder throw, and what is decided stays so, whatever follows', async () => {
  const starts = fc.constantFrom(
    '',
    'PROXY ',
    'PROXY TCP4 1.2.3.4 ',
    '\r\n\r\n\0\r\nQUIT\n',
    '\r\n\r\n\0\r\nQUIT\n!\x11\0\x0c',
  );
  const input = fc.tuple(starts, fc.uint8Array({ maxLength: 150 }), fc.uint8Array({ maxLength: 20 }));
  fc.assert(
    fc.property(input, ([start, octets, more]) => {
      const held = Buffer.concat([Buffer.from(start, 'latin1'), octets]);
      const found = decodeProxyHeader(held);
      if (found.kind === 'incomplete') return held.length < 4096;
      if (found.kind === 'header' && found.octets > held.length) return false;
      return isDeepStrictEqual(decodeProxyHeader(Buffer.concat([held, more])), found);
    }),
    { seed: freshSeed(), numRuns: 3_000 },
  );
});

/** A socket from the proxy's place that has said these octets. */
async function through(t: Test, port: number, octets: Uint8Array): Promise<Socket> {
  const socket = await dial({ port, localAddress: proxy });
  t.teardown(() => socket.destroy());
  socket.write(octets);
  return socket;
}

async function said(socket: Socket): Promise<string> {
  const inbox = new Inbox(socket);
  await inbox.whenEnded();
  return String(inbox.take(inbox.length));
}

async function addressSeen(t: Test, { hub, ports }: LineServer, header: Buffer, nick: string): Promise<string> {
  const socket = await through(t, ports.line, Buffer.concat([header, Buffer.from(`NICK ${nick}\nSESSIONS\n`)]));
  socket.end();
  return /^= SESSIONS .*address=(\S+)/m.exec(await said(socket))?.[1] ?? hub.name;
}

t.test('the address that the header names is the peer: for lists, blocks and trust', async t => {
  const server = await serveLine(t, { proxies: ['127.0.0.8/31'] });
  t.equal(await addressSeen(t, server, text('PROXY TCP4 192.0.2.7 10.0.0.1 1 1'), 'eve'), '192.0.2.7');
  t.equal(
    await addressSeen(t, server, six(Buffer.from('20010db8000000000000000000000007', 'hex')), 'fay'),
    '2001:db8::7',
  );
  t.equal(await addressSeen(t, server, text('PROXY UNKNOWN'), 'gus'), proxy);
  t.equal(await addressSeen(t, server, binary(0, 0, Buffer.alloc(0)), 'hal'), proxy);

  const clear = await through(
    t,
    server.ports.line,
    text('PROXY TCP4 127.0.0.1 127.0.0.1 1 1\r\nLOGIN cleo :secret\r\nQUIT'),
  );
  t.match(await said(clear), /- LOGIN tls-required/, 'behind a proxy nobody is of this machine');
  const admin = await connectLine(t, server.ports.line);
  admin.send('LOGIN admin :secret\nBLOCK address=192.0.2.7');
  await admin.until(/^\+ BLOCK/);
  const blocked = await through(t, server.ports.line, four([192, 0, 2, 7]));
  t.match(await said(blocked), /banned/);
  const other = await through(
    t,
    server.ports.line,
    Buffer.concat([four([192, 0, 2, 8]), Buffer.from('NICK eve\nQUIT\n')]),
  );
  t.match(await said(other), /\+ NICK user=eve\n/, 'and others come in through the same proxy');
});

t.test('a header may come octet by octet, and before the handshake of TLS', async t => {
  const server = await serveLine(t, { proxies: [proxy] });
  const slow = await through(t, server.ports.line, Buffer.alloc(0));
  for (const octet of Buffer.concat([
    four([192, 0, 2, 7], Buffer.alloc(9)),
    Buffer.from('NICK eve\nSESSIONS\nQUIT\n'),
  ])) {
    slow.write(Buffer.of(octet));
    await new Promise(resolve => setImmediate(resolve));
  }
  t.match(await said(slow), /address=192\.0\.2\.7/);

  for (const header of [four([192, 0, 2, 9]), text('PROXY TCP4 192.0.2.9 10.0.0.1 1 1')]) {
    const raw = await through(t, server.ports['line-tls'], header);
    const socket = connectTls({ socket: raw, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    socket.write('LOGIN cleo :secret\nSESSIONS\nQUIT\n');
    const answer = await said(socket);
    t.match(answer, /\+ LOGIN user=cleo/);
    t.match(answer, /address=192\.0\.2\.9/);
  }
});

t.test(
  'a connection of the proxy without a good header is told so and ends; from elsewhere a header is input',
  async t => {
    const clock = new TurnedClock();
    const server = await serveLine(t, { proxies: [proxy], clock });
    for (const octets of [
      'NICK ada\n',
      'PROXY TCP4 nonsense\r\n',
      'PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n',
      '\r\n\r\n\0\r\nQUIT\n\x99',
    ]) {
      const socket = await through(t, server.ports.line, Buffer.from(octets, 'latin1'));
      t.match(await said(socket), /^- \? protocol-attack :.*PROXY header.*\n\* BYE reason=failed replies=1\n$/, octets);
    }
    const cut = await through(t, server.ports.line, Buffer.from('PROXY TC'));
    cut.end();
    t.match(await said(cut), /protocol-attack/, 'cut off');
    const slow = await through(t, server.ports.line, Buffer.from('PROXY TC'));
    const answer = said(slow);
    const probe = await through(t, server.ports.line, Buffer.alloc(0));
    probe.end();
    t.equal(await said(probe), '', 'a probe of the port is only let go');
    clock.turn(6_000);
    t.match(await answer, /protocol-attack/, 'too slow');
    const secured = await through(t, server.ports['line-tls'], Buffer.from('NICK ada\n'));
    t.equal(await said(secured), '', 'over TLS there is nothing to say yet');

    const elsewhere = await connectLine(t, server.ports.line);
    elsewhere.send('PROXY TCP4 192.0.2.7 10.0.0.1 1 1\r\nNICK eve\r\nSESSIONS\r\nQUIT\r');
    const lines = String(await elsewhere.rest());
    t.match(lines, /- PROXY unknown-command/);
    t.match(lines, /address=127\.0\.0\.1/);
  },
);

t.test('places are taken while a header is awaited, and given back', async t => {
  const places = new Places(2);
  const server = await serveLine(t, { proxies: [proxy], places });
  const waiting = await through(t, server.ports.line, Buffer.from('PROXY '));
  const one = await through(t, server.ports.line, four([192, 0, 2, 7]));
  await new Inbox(one).when('a greeting', () => true);
  const full = await through(t, server.ports.line, four([192, 0, 2, 7]));
  t.match(await said(full), /^- \? busy/);
  waiting.end();
  await said(waiting);
  const next = await through(t, server.ports.line, Buffer.concat([four([192, 0, 2, 7]), Buffer.from('QUIT\n')]));
  t.match(await said(next), /^\* PARTYLINE/);
  one.end();
  await once(one, 'close');
  await server.close();
  t.equal(places.taken, 0);
});

const http = 'Host: localhost\r\nX-Forwarded-For: 192.0.2.7\r\nConnection: close\r\n\r\n';

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP listener has an address');
  return address.port;
}

t.test('through HAProxy the hub sees who is behind it, in both versions, and its log says what was wrong', async t => {
  const server = await startServer(t, { env: { PARTYLINE_TRUST_PROXY: proxy } });
  await addAccount(server, 'ada', 'secret');
  const bad = await through(t, server.ports.line, Buffer.from('HELLO 1\n'));
  t.match(await said(bad), /protocol-attack/);
  t.match(
    server.output(),
    /"address":"127\.0\.0\.9","reason":"there is none","msg":"a connection from a trusted proxy/,
  );
  const forwarded = await through(t, server.ports.http, Buffer.from(`GET /nothing HTTP/1.1\r\n${http}`));
  t.match(await said(forwarded), /^HTTP\/1\.1 404/);
  t.match(server.output(), /"url":"\/nothing"[^\n]*"remoteAddress":"192\.0\.2\.7"/);

  const path = requireTool(t, 'haproxy');
  if (!path) return;
  const [one, two] = [await freePort(), await freePort()];
  const listener = (name: string, port: number, send: string) =>
    `listen ${name}\n  bind 127.0.0.1:${port}\n  server hub 127.0.0.1:${server.ports.line} ${send} source ${proxy}\n`;
  const config = join(await tempDir(t), 'haproxy.cfg');
  const defaults = 'defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n';
  await writeFile(config, defaults + listener('one', one, 'send-proxy') + listener('two', two, 'send-proxy-v2'));
  t.equal((await run(path, ['-c', '-f', config])).code, 0);
  const haproxy = spawn(path, ['-db', '-f', config], { stdio: 'ignore' });
  const gone = once(haproxy, 'close');
  t.teardown(async () => {
    haproxy.kill('SIGKILL');
    await gone;
  });
  for (const port of [one, two]) {
    const socket = await reached(port);
    t.teardown(() => socket.destroy());
    socket.end('NICK eve\nSESSIONS\n');
    const answer = await said(socket);
    t.match(answer, /address=127\.0\.0\.1/, 'and its half-close is passed on');
    t.match(answer, /\* BYE reason=drained/);
  }
});

/** Connects as soon as somebody listens. */
async function reached(port: number): Promise<Socket> {
  for (;;) {
    const socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    if (isOpen) return socket;
    await new Promise(resolve => setImmediate(resolve));
  }
}
