/** The flow control of the line wire: credit, bounds, slow readers, deadlines, a full house. */
import { createHash, randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import { limits } from '../shared/limits.ts';
import { connectLine, type LineClient } from './support/line-client.ts';
import { type LineServer, serveLine, TurnedClock } from './support/line-server.ts';

async function enter(t: Test, server: LineServer, name: string, more = ''): Promise<LineClient> {
  const client = await connectLine(t, server.ports.line, { deadlineMs: 10_000 });
  client.send(`${name === 'cleo' ? `LOGIN ${name} :secret` : `NICK ${name}`}\n${more}PING ready`);
  await client.until(/^\+ PING token=ready$/);
  return client;
}

const content = randomBytes(1_000_000);
const hash = createHash('sha256').update(content).digest('hex');

async function withFile(t: Test): Promise<LineServer> {
  const server = await serveLine(t);
  const cleo = await enter(t, server, 'cleo');
  cleo.send(Buffer.concat([Buffer.from(`{${content.length}} PUT /lobby/file\n`), content, Buffer.from('\n')]));
  t.match(await cleo.line(), `hash=sha256:${hash}`);
  cleo.send('QUIT');
  await cleo.ended;
  return server;
}

/** Takes rows of a download until `octets` have come; the label may be any. */
async function receive(client: LineClient, octets: number): Promise<Buffer> {
  const blobs: Buffer[] = [];
  for (let got = 0; got < octets; ) {
    const size = Number(/^(?:#\S+ )?\{(\d+)\} = GET/.exec(await client.line())?.[1]);
    blobs.push(await client.blob(size));
    got += size;
  }
  return Buffer.concat(blobs);
}

t.test('a download without credit comes whole, and what stands behind it waits', async t => {
  const client = await enter(t, await withFile(t), 'guest');
  client.send('GET /lobby/file\nPING behind');
  t.ok((await receive(client, content.length)).equals(content));
  t.match(await client.lines(2), [`+ GET path=/lobby/file size=1000000 hash=sha256:${hash}`, '+ PING token=behind']);
});

t.test('with credit a download stops at what was allowed, and a reply passes it', async t => {
  const client = await enter(t, await withFile(t), 'guest', 'HELLO 1 caps=credit\n');
  client.send('#g GET /lobby/file');
  const first = await receive(client, limits.creditOctets);
  t.equal(first.length, limits.creditOctets);
  client.send('PING between');
  t.equal(await client.line(), '+ PING token=between', 'nothing more comes without credit');
  client.send(`CREDIT g ${content.length}`);
  const rest = await receive(client, content.length - first.length);
  t.ok(Buffer.concat([first, rest]).equals(content));
  t.match(await client.line(), /^#g \+ GET /);
});

t.test('a download that waits for credit ends by CANCEL, by FIN and by a barrier', async t => {
  const server = await withFile(t);
  const client = await enter(t, server, 'guest', 'HELLO 1 caps=credit\n');
  client.send('#g GET /lobby/file');
  await receive(client, limits.creditOctets);
  client.send('CANCEL g');
  t.match(await client.line(), /^#g - GET cancelled/);
  client.send('#h GET /lobby/file\nNICK other\nCREDIT h 1');
  await receive(client, content.length);
  t.match(await client.lines(2), [/^#h \+ GET /, '+ NICK user=other'], 'a barrier lets it run');
  client.send('#i GET /lobby/file');
  client.finish();
  await receive(client, content.length);
  t.match(await client.lines(2), [/^#i \+ GET /, /^\* BYE reason=drained replies=7$/], 'so does FIN');
});

t.test('eight labelled downloads stream at once; a ninth is busy, and they are none of the 64', async t => {
  const client = await enter(t, await withFile(t), 'guest', 'HELLO 1 caps=credit\n');
  for (let n = 1; n <= 9; n++) client.send(`#${n} GET /lobby/file length=300000`);
  client.send('PING');
  const busy = await client.until(/busy|^\+ PING/);
  t.match(busy.at(-1), /^#9 - GET busy/);
});

t.test('a slow reader is told of the gap, goes on live, and nobody else waits', async t => {
  const server = await serveLine(t);
  const slow = await enter(t, server, 'slow', 'JOIN lobby\n');
  const cleo = await enter(t, server, 'cleo', 'JOIN lobby\n');
  slow.pause();
  const text = 'x'.repeat(16_000);
  const rounds = 1_000;
  for (let n = 0; n < rounds; n++) cleo.send(`{16000} SAY lobby\n${text}`);
  const seen = new Set<string>();
  while (seen.size < rounds) {
    const line = await cleo.line();
    const seq = /^\+ SAY room=lobby seq=(\d+)/.exec(line)?.[1];
    if (seq) seen.add(seq);
  }
  slow.resume();
  const told: number[] = [];
  let gap: RegExpExecArray | null = null;
  while (!gap) {
    const line = await slow.line();
    const seq = /^\{16000\} \* MSG room=lobby seq=(\d+)/.exec(line)?.[1];
    if (seq) told.push(Number(seq));
    gap = /^\* GAP room=lobby from=(\d+) to=(\d+)$/.exec(line);
  }
  const [from, to] = [Number(gap[1]), Number(gap[2])];
  t.same(
    told,
    Array.from({ length: from - 1 }, (_, i) => i + 1),
    'what came before the gap is whole',
  );
  t.equal(to, rounds, 'the gap reaches to the newest');
  cleo.send('SAY lobby :and live again');
  t.match(await slow.until(/live again/), [/^\* MSG room=lobby seq=1001 /]);
  slow.send(`HISTORY lobby after=${from - 1} limit=1`);
  t.match((await slow.until(/^[+-] HISTORY/))[0], `seq=${from} `, 'HISTORY has what was missed');
});

t.test('who says no name is sent away, who has one is not', async t => {
  const clock = new TurnedClock();
  const server = await serveLine(t, { clock });
  const mute = await connectLine(t, server.ports.line);
  await mute.line();
  const guest = await enter(t, server, 'guest');
  clock.turn(limits.loginMs);
  t.equal(await mute.line(), '* BYE reason=timeout replies=0');
  await mute.ended;
  guest.send('PING');
  t.equal(await guest.line(), '+ PING');
});

t.test('whoever announced heartbeat is asked, and dropped after two misses', async t => {
  const clock = new TurnedClock();
  const client = await enter(t, await serveLine(t, { clock }), 'guest', 'HELLO 1 caps=heartbeat\n');
  clock.turn(limits.heartbeatMs);
  t.equal(await client.line(), '* PING');
  client.send('PING alive');
  t.equal(await client.line(), '+ PING token=alive');
  for (let beat = 0; beat < 2; beat++) {
    clock.turn(limits.heartbeatMs);
    t.equal(await client.line(), '* PING');
  }
  clock.turn(limits.heartbeatMs);
  t.equal(await client.line(), '* BYE reason=timeout replies=4');
});

t.test('LISTEN for= ends by itself, and a ticket grows old', async t => {
  const clock = new TurnedClock();
  const server = await serveLine(t, { clock });
  const client = await enter(t, server, 'guest', 'TICKET\n');
  client.send('TICKET\nLISTEN for=5m');
  const ticket = /ticket=(\S+)/.exec((await client.until(/^\+ LISTEN/))[0]!)![1];
  clock.turn(limits.ticketMs + 1);
  const late = await connectLine(t, server.ports.line);
  late.send(`ATTACH ${ticket}`);
  t.match(await late.lines(2), [/PARTYLINE/, /^- ATTACH auth-failed/]);
  clock.turn(300_000);
  t.match(await client.until(/BYE/), ['* BYE reason=listened replies=5']);
});

t.test('without guests the greeting does not offer them, and a full house is told', async t => {
  const server = await serveLine(t, { guests: false, connectionsMax: 1 });
  const first = await connectLine(t, server.ports.line);
  t.match(await first.line(), ' auth=login,token ');
  const second = await connectLine(t, server.ports.line);
  t.match(await second.lines(2), [/^- \? busy :too many connections/, '* BYE reason=failed replies=1']);
  await second.ended;
  first.send('QUIT');
  await first.ended;
  first.finish();
  await first.closed;
  t.match(await greetedAgain(t, server), /^\* PARTYLINE/, 'there is room again');
});

/** The server sees the end of a connection a moment after its client does. */
async function greetedAgain(t: Test, server: LineServer): Promise<string> {
  for (let tries = 0; ; tries++) {
    const line = await (await connectLine(t, server.ports.line)).line();
    if (!line.startsWith('- ? busy') || tries === 100) return line;
  }
}
