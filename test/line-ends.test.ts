/** How connections of the line wire end, and what nobody can do to it: half-close, reset, stall, drain, noise, injection. */
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connect as connectTls, type SecureVersion } from 'node:tls';
import * as fc from 'fast-check';
import t, { type Test } from 'tap';
import { limits } from '../shared/limits.ts';
import { LineDecoder } from '../shared/line/decoder.ts';
import { parseBody } from '../shared/line/grammar.ts';
import { joinPieces } from '../shared/line/pieces.ts';
import { dial } from './support/dial.ts';
import { hostileOctets, hostileText } from './support/generators.ts';
import { Inbox } from './support/inbox.ts';
import { connectLine, type LineClient } from './support/line-client.ts';
import { type LineServer, serveLine, TurnedClock } from './support/line-server.ts';
import { freshSeed } from './support/octets.ts';
import { untilTcpStates } from './support/tcp-states.ts';

const isLong = process.env['PARTYLINE_TEST_LONG'] === '1';
t.setTimeout(600_000);

async function enter(t: Test, { ports }: LineServer, name: string, more = ''): Promise<LineClient> {
  const client = await connectLine(t, ports.line, { deadlineMs: 10_000 });
  client.send(`${name === 'cleo' ? 'LOGIN cleo :secret' : `NICK ${name}`}\n${more}PING ready`);
  await client.until(/^\+ PING token=ready$/);
  return client;
}

/** R7. */
const thousand = Array.from({ length: 999 }, (_, n) => `SAY lobby :${n}`);

async function replyCount(inbox: Inbox): Promise<{ replies: number; last: string }> {
  await inbox.whenEnded();
  const lines = inbox.take(inbox.length).toString().trimEnd().split('\n');
  return { replies: lines.filter(line => line.startsWith('+ ')).length, last: lines.at(-1)! };
}

t.test('FIN behind a thousand requests: a thousand replies, BYE, FIN', async t => {
  const server = await serveLine(t);
  const request = ['NICK guest', ...thousand, ''].join('\n');
  const expected = { replies: 1000, last: '* BYE reason=drained replies=1000' };
  const plain = await dial({ port: server.ports.line });
  t.teardown(() => plain.destroy());
  const inbox = new Inbox(plain);
  plain.end(request);
  t.same(await replyCount(inbox), expected, 'plain');
  for (const version of ['TLSv1.2', 'TLSv1.3'] satisfies SecureVersion[]) {
    const socket = await dial({ port: server.ports['line-tls'] });
    const secure = connectTls({ socket, rejectUnauthorized: false, minVersion: version, maxVersion: version });
    t.teardown(() => secure.destroy());
    const inbox = new Inbox(secure);
    await once(secure, 'secureConnect');
    secure.end(request);
    t.same(await replyCount(inbox), expected, version);
  }
});

t.test('the kernel shows each side half-closed, and nothing is left at the end', async t => {
  const { ports, close } = await serveLine(t);
  const port = ports.line;
  const listener = await connectLine(t, port);
  listener.send('NICK ear\nLISTEN');
  await listener.until(/^\+ LISTEN/);
  listener.finish();
  await untilTcpStates(listener.localPort, port, { near: 'FIN_WAIT_2', far: 'CLOSE_WAIT' });
  const quitter = await connectLine(t, port);
  quitter.send('QUIT');
  await quitter.ended;
  await untilTcpStates(quitter.localPort, port, { near: 'CLOSE_WAIT', far: 'FIN_WAIT_2' });
  quitter.finish();
  await untilTcpStates(quitter.localPort, port, { near: 'CLOSED', far: 'TIME_WAIT' });
  await close();
  t.match(await listener.line(), /^\* BYE reason=shutting-down/);
  await untilTcpStates(listener.localPort, port, { near: 'TIME_WAIT', far: 'CLOSED' });
});

t.test('a peer that never sends its FIN is let go after the linger', async t => {
  const clock = new TurnedClock();
  const { ports } = await serveLine(t, { clock });
  const client = await connectLine(t, ports.line);
  client.send('QUIT');
  await client.ended;
  // The server counts from the moment it knows that its FIN is sent, which is a few turns off.
  for (let turns = 0; turns < 100; turns++) {
    clock.turn(limits.lingerMs);
    await nextTurn();
  }
  client.send('PING');
  await untilTcpStates(client.localPort, ports.line, { near: 'CLOSED', far: 'CLOSED' });
  t.pass('nobody is there who would read on');
});

t.test('whoever writes before reading hears the last words', async t => {
  const { ports } = await serveLine(t);
  for (let round = 0; round < 20; round++) {
    const socket = await dial({ port: ports.line });
    t.teardown(() => socket.destroy());
    const inbox = new Inbox(socket);
    socket.pause();
    socket.write('GET / HTTP/1.1\r\n');
    socket.end(Buffer.alloc(4 << 20, 'x'));
    await once(socket, 'finish');
    socket.resume();
    await inbox.whenEnded();
    t.match(inbox.take(inbox.length).toString(), /\r\n\* BYE reason=protocol replies=1\r\n$/);
  }
});

t.test('behind a PUT whose line or blob is too large nothing that may be content is read as a request', async t => {
  const server = await serveLine(t);
  const content = 'SAY lobby :not said\nQUIT\n';
  const tooLong = await enter(t, server, 'long', 'JOIN lobby\n');
  tooLong.send(`PUT /lobby/${'x'.repeat(2 * limits.lineOctetsMax)} until=fin\n${content}`);
  tooLong.finish();
  t.match(await tooLong.lines(2), [/^- PUT line-too-long /, /^\* BYE reason=drained replies=4$/]);
  const tooLarge = await enter(t, server, 'large');
  const size = limits.blobOctetsMax + 1;
  tooLarge.send(`{${size}} PUT /lobby/a until=fin\n${'x'.repeat(size)}\n${content}`);
  tooLarge.finish();
  t.match(await tooLarge.lines(2), [/^- PUT too-large /, /^\* BYE reason=drained replies=3$/]);
  const witness = await enter(t, server, 'witness');
  witness.send('HISTORY lobby');
  t.equal(await witness.line(), '+ HISTORY room=lobby count=0 more=no');
});

t.test('a content until FIN that ends in a reset is no file', async t => {
  const server = await serveLine(t);
  const broken = await enter(t, server, 'cleo');
  broken.send('PUT /lobby/half until=fin\nthe first half');
  broken.reset();
  await broken.closed;
  const witness = await enter(t, server, 'cleo', 'JOIN lobby\n');
  witness.send('NAMES lobby\nSTAT /lobby/half');
  t.match(await witness.until(/STAT/), [/^= NAMES user=cleo/, /^\+ NAMES .* count=1/, /^- STAT no-file/]);
});

t.test('a peer that takes nothing is reset, one that takes little is not', async t => {
  const clock = new TurnedClock();
  const server = await serveLine(t, { clock });
  const cleo = await enter(t, server, 'cleo', `{1000000} PUT /lobby/a\n${'x'.repeat(1_000_000)}\n`);
  const slow = await enter(t, server, 'slow');
  slow.pause();
  for (let n = 0; n < 20; n++) slow.send('GET /lobby/a');
  cleo.send('PING');
  await cleo.line();
  // The slow one's buffers are full when a request of somebody else has gone through several turns without a change.
  for (let n = 0; n < 50; n++) {
    cleo.send('GET /lobby/a length=1000');
    await cleo.until(/^\+ GET/);
  }
  clock.turn(limits.stallMs);
  clock.turn(limits.stallMs);
  slow.resume();
  await slow.closed;
  t.ok(slow.wasReset);
  cleo.send('PING');
  t.equal(await cleo.line(), '+ PING', 'who reads is left alone');
});

t.test('a drain lets content arrive to its end, tells everybody, and takes nobody new', async t => {
  const { ports, close } = await serveLine(t);
  const server = { ports } as LineServer;
  const idle = await enter(t, server, 'idle');
  const main = await enter(t, server, 'cleo');
  main.send('TICKET');
  const ticket = /ticket=(\S+)/.exec((await main.until(/^\+ TICKET/))[0]!)![1];
  const sender = await connectLine(t, ports.line);
  sender.send(`ATTACH ${ticket}\nPUT /lobby/late until=fin\nbegun`);
  await sender.until(/^\+ ATTACH/);
  const closed = close();
  t.equal(await idle.line(), '* BYE reason=shutting-down replies=2');
  await t.rejects(dial({ port: ports.line }), { code: 'ECONNREFUSED' });
  sender.send(' and finished');
  sender.finish();
  t.match(await sender.lines(2), [/^\+ PUT path=\/lobby\/late size=20 /, '* BYE reason=shutting-down replies=2']);
  t.equal(await main.line(), '* BYE reason=shutting-down replies=3', 'the owner of the session ends behind it');
  for (const client of [idle, main]) client.finish();
  await closed;
});

t.test('noise is answered to its end, whatever it is', async t => {
  const server = await serveLine(t);
  t.setTimeout(600_000);
  const seed = freshSeed() | 0;
  const noise = fc.sample(
    fc.oneof(
      hostileOctets(),
      hostileText(60).map(text => Buffer.from(text)),
    ),
    {
      numRuns: isLong ? 4_000 : 400,
      seed,
    },
  );
  const verbs = [
    'SAY lobby :',
    'GET ',
    '#7 LS ',
    '{5} SAY ',
    'HELLO 1 format=json caps=',
    'PUT /lobby/x until=fin',
    'JOIN ',
  ];
  let ended = 0;
  for (const [n, octets] of noise.entries()) {
    const socket = await dial({ port: server.ports.line });
    const inbox = new Inbox(socket);
    socket.end(Buffer.concat([Buffer.from(n % 2 === 0 ? `NICK n${n}\n${verbs[n % 7]}` : ''), octets]));
    await inbox.whenEnded();
    const text = inbox.take(inbox.length).toString();
    if (/\* BYE .*\r?\n$/.test(text)) ended++;
    else t.fail(`seed ${seed}, input ${n}: ${JSON.stringify(octets.toString('latin1'))} ended in ${text.slice(-200)}`);
    socket.destroy();
  }
  t.equal(ended, noise.length, `each ends with BYE (seed ${seed})`);
});

/** R10: what a person sends, in every place where others see it. */
t.test('nothing a person writes steers the terminal or the framing of another', async t => {
  const server = await serveLine(t);
  const victim = await dial({ port: server.ports.line });
  t.teardown(() => victim.destroy());
  const inbox = new Inbox(victim, 20_000);
  victim.write('NICK victim\nJOIN lobby\n');
  await inbox.when('the room', () => inbox.peek().includes('+ JOIN') || undefined);
  const cleo = await enter(t, server, 'cleo');
  const seed = freshSeed() | 0;
  const texts = fc.sample(hostileText(), { numRuns: isLong ? 10_000 : 500, seed });
  for (const text of texts) {
    cleo.send(`SAY ${JSON.stringify({ room: 'lobby', text })}`);
    const blob = Buffer.from(text);
    cleo.send(Buffer.concat([Buffer.from(`{${blob.length}} SAY lobby\n`), blob, Buffer.from('\n')]));
    cleo.send(`MKDIR ${JSON.stringify({ path: `/lobby/${text}` })}`);
  }
  cleo.send('SAY lobby :the end');
  await cleo.until(/^- SAY lobby|^\+ SAY room=lobby .*$/);
  await inbox.when('the end', () => inbox.peek().includes(' :the end\n') || undefined);
  const octets = inbox.take(inbox.length);
  t.notMatch(
    octets.toString(),
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufeff]/,
    `seed ${seed}`,
  );
  const decoder = new LineDecoder(limits);
  decoder.push(octets);
  let events = 0;
  for (let frame = decoder.next(); frame; frame = decoder.next()) {
    if (frame.kind !== 'frame') throw new Error(`seed ${seed}: ${JSON.stringify(frame)}`);
    const body = parseBody(frame.body);
    if ('fault' in body) throw new Error(`seed ${seed}: ${frame.body}`);
    if (frame.blob) t.notMatch(Buffer.from(joinPieces(frame.blob)).toString(), /\r/);
    const isExpected = ['PARTYLINE/1', 'NICK', 'JOIN', 'MSG', 'FILE'].includes(body.name);
    if (!isExpected || (body.marker === '*' && !['PARTYLINE/1', 'MSG', 'FILE'].includes(body.name))) {
      t.fail(`seed ${seed}: ${frame.body}`);
    }
    if (body.marker === '*') events++;
  }
  t.ok(events > texts.length, `${events} events came, each a frame`);
});
