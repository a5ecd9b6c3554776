/** The TELNET wire against a hub in memory: what each kind of client gets, and what nobody can do to anybody's screen. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import * as fc from 'fast-check';
import t, { type Test } from 'tap';
import { hostileText } from './support/generators.ts';
import { Inbox } from './support/inbox.ts';
import { serveTelnet } from './support/telnet-server.ts';

t.setTimeout(120_000);
const [IAC, DONT, DO, WONT, WILL, SB, SE] = [255, 254, 253, 252, 251, 250, 240];
const [ECHO, TM, TTYPE, NAWS, ENVIRON] = [1, 6, 24, 31, 39];

/** Sends octets and waits for text; takes everything as Latin-1 until it is asked for words. */
class Client {
  readonly socket: Socket;
  readonly #inbox: Inbox;
  all = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.socket = socket;
    this.#inbox = new Inbox(socket);
  }

  send(...parts: readonly (string | number)[]): void {
    for (const part of parts) this.socket.write(typeof part === 'string' ? part : Buffer.of(part));
  }

  /** All up to and including the words, octets as they are. */
  async until(words: string | Buffer): Promise<Buffer> {
    const wanted = Buffer.from(words);
    const taken = await this.#inbox.when(`“${wanted}”`, () => {
      const at = this.#inbox.peek().indexOf(wanted);
      return at < 0 ? undefined : this.#inbox.take(at + wanted.length);
    });
    this.all = Buffer.concat([this.all, taken]);
    return taken;
  }

  async rest(): Promise<string> {
    await this.#inbox.whenEnded();
    return this.#inbox.take(this.#inbox.length).toString();
  }

  /** As a terminal emulator does. */
  async beTerminal(...names: readonly string[]): Promise<void> {
    await this.until(Buffer.of(IAC, DO, TTYPE));
    this.send(IAC, WILL, TTYPE, IAC, WILL, NAWS, IAC, SB, NAWS, 0, 80, 0, 24, IAC, SE);
    for (const name of names) {
      await this.until(Buffer.of(IAC, SB, TTYPE, 1, IAC, SE));
      this.send(IAC, SB, TTYPE, 0, name, IAC, SE);
    }
  }
}

async function dialIn(t: Test, port: number): Promise<Client> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return new Client(socket);
}

t.test('a program without TELNET gets plain lines and every answer before the FIN', async t => {
  const { port } = await serveTelnet(t);
  const client = await dialIn(t, port);
  client.send('eve\r\nhello\r\n/frob\r\n/ls\r\n//slash\n');
  client.socket.end();
  await client.until('name: ');
  const said = await client.rest();
  t.match(said, /You are eve/);
  t.match(said, /~eve: hello\r\n/);
  t.match(said, /there is no \/frob/);
  t.match(said, /\/lobby is empty/);
  t.match(said, /~eve: \/slash\r\n/);
  t.match(said, /goodbye\r\n$/);
  t.notOk(Buffer.from(said, 'latin1').includes(IAC), 'no octet of TELNET behind the opening');
  t.notMatch(said, /[^\P{C}\r\n]/u, 'no control but line ends');
});

t.test('a thousand lines and FIN get a thousand answers', async t => {
  const { port } = await serveTelnet(t);
  const client = await dialIn(t, port);
  client.send(`eve\n${Array.from({ length: 1_000 }, (_, n) => `/frob${n}\n`).join('')}`);
  client.socket.end();
  const said = await client.rest();
  const answers = [...said.matchAll(/there is no \/frob(\d+)/g)].map(([, n]) => Number(n));
  t.same(
    answers,
    Array.from({ length: 1_000 }, (_, n) => n),
  );
});

t.test('a terminal is echoed key by key, and one Backspace erases a family', async t => {
  const { port } = await serveTelnet(t);
  const client = await dialIn(t, port);
  await client.beTerminal('XTERM-256COLOR', 'XTERM-256COLOR');
  await client.until(Buffer.of(IAC, WILL, ECHO));
  client.send(IAC, DO, ECHO, IAC, DO, 3, 'eve\r\0');
  await client.until('[#lobby] ');
  client.send('中文👨‍👩‍👧\x7f!\r\0');
  await client.until('中文!');
  client.send(IAC, 246);
  await client.until('[partyline: yes]');
  client.send('/quit\r\0');
  t.match(await client.rest(), /goodbye/);
});

t.test('in a crowd nobody is told who comes and goes, and whoever enters is told how many there are', async t => {
  const { port, people } = await serveTelnet(t);
  const client = await dialIn(t, port);
  client.send('eve\r\n');
  await client.until('here: eve');
  for (let n = 0; n < 70; n++) await (await people.guest(`guest${n}`)).do('JOIN', { room: 'lobby' });
  await (await people.guest('zoe')).do('SAY', { room: 'lobby', text: 'full house' });
  t.match(String(await client.until('full house')), /guest58 came(?![\s\S]*came)/);
  const late = await dialIn(t, port);
  late.send('bob\r\n/quit\r\n');
  t.match(await late.rest(), /here: .* and 52 more/);
});

t.test('a large file is shown to its beginning, however it is asked for', async t => {
  const { port, people } = await serveTelnet(t);
  const ada = await people.account('ada');
  await ada.put('/lobby/big.txt', Buffer.alloc(3_000_000, 'all work and no play\n'));
  const client = await dialIn(t, port);
  client.send('eve\r\n/cat big.txt\r\n/quit\r\n');
  const said = await client.rest();
  t.match(said, /… of 3000000 octets; \/get says how to have it all/);
  t.ok(said.length < 400_000, `${said.length} octets`);
});

t.test('a server that goes down does not wait for whoever reads a long page', async t => {
  const { port, people, drain } = await serveTelnet(t);
  const eve = await people.guest('eve');
  for (let n = 0; n < 60; n++) await eve.do('SAY', { room: 'lobby', text: `line ${n}` });
  const client = await dialIn(t, port);
  await client.beTerminal('XTERM-256COLOR', 'XTERM-256COLOR');
  client.send(IAC, DO, ECHO, IAC, DO, 3, 'bob\r\0');
  await client.until('[#lobby] ');
  client.send('/history 60\r\0');
  await client.until('space goes on');
  const drained = drain();
  t.match(await client.rest(), /the server is going down/);
  client.socket.end();
  await drained;
});

t.test(
  'a client that sends lines gets its password hidden, ^C without a dead screen, and a reader who says so whole sentences',
  async t => {
    const { port, people } = await serveTelnet(t);
    const client = await dialIn(t, port);
    await client.beTerminal('TINTIN++', 'XTERM', 'MTTS 64', 'MTTS 64');
    await client.until('name: ');
    client.send('ada\r\n');
    await client.until(Buffer.of(IAC, WILL, ECHO));
    client.send(IAC, DO, ECHO, 'wrong\r\n');
    await client.until(Buffer.of(IAC, WONT, ECHO));
    client.send(IAC, DONT, ECHO);
    await client.until('the name or the password is wrong');
    client.send('ada\r\n');
    await client.until(Buffer.of(IAC, WILL, ECHO));
    client.send(IAC, DO, ECHO, 'secret\r\n');
    await client.until(Buffer.of(IAC, WONT, ECHO));
    await client.until('You are ada');
    const eve = await people.guest('eve');
    await eve.do('JOIN', { room: 'lobby' });
    await eve.do('SAY', { room: 'lobby', text: 'tea?' });
    await client.until('eve says: tea?');
    client.send(IAC, 244, IAC, DO, TM);
    await client.until(Buffer.of(IAC, WILL, TM));
    client.send('/whoami\r\n');
    await client.until('wire telnet');
    t.notOk(client.all.includes('secret'), 'the password is nowhere');
  },
);

t.test('nobody is who a variable says, and a storm of negotiations ends', async t => {
  const { port } = await serveTelnet(t);
  const client = await dialIn(t, port);
  await client.until(Buffer.of(IAC, DO, TTYPE));
  client.send(IAC, WILL, ENVIRON, IAC, SB, ENVIRON, 0, 0, 'USER', 1, 'admin', IAC, SE);
  await client.until(Buffer.of(IAC, DONT, ENVIRON));
  const storm = Buffer.concat(
    Array.from({ length: 5_000 }, (_, n) => Buffer.of(IAC, n % 2 ? DO : WILL, 100 + (n % 100))),
  );
  client.socket.write(storm);
  client.send('x\r\n');
  await client.until('You are x');
  const refusals = client.all.filter(octet => octet === IAC).length;
  t.ok(refusals < 300, `${refusals} answers`);
  client.socket.end();
  t.match(await client.rest(), /goodbye/);
});

t.test('a line of HTTP ends the connection', async t => {
  const { port } = await serveTelnet(t);
  const client = await dialIn(t, port);
  client.send('POST / HTTP/1.1\r\nHost: den\r\n\r\n');
  t.match(await client.rest(), /does not speak HTTP/);
});

t.test('what people write changes nobody’s screen', async t => {
  const { port, people } = await serveTelnet(t);
  const plain = await dialIn(t, port);
  plain.send('nc\n');
  await plain.until('here: nc');
  const terminal = await dialIn(t, port);
  await terminal.beTerminal('XTERM', 'XTERM');
  terminal.send(IAC, DO, ECHO, 'tty\r');
  await terminal.until('[#lobby] ');
  const ada = await people.account('ada');
  for (const text of fc.sample(hostileText(), { numRuns: 60, seed: 7 })) {
    await ada.code('SAY', { room: 'lobby', text });
    await ada.code('MKDIR', { path: `/lobby/${text}` });
  }
  await ada.do('SAY', { room: 'lobby', text: 'that was all' });
  const seen = (await plain.until('that was all')).toString();
  t.notMatch(
    seen,
    /[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]/,
    'no control, no direction',
  );
  const drawn = (await terminal.until('that was all')).toString('latin1').replaceAll(/\xff\xff/g, '');
  const strange = [...drawn.matchAll(/\x1b(?!\[[\d;?]*[mGKJABCDHhlr])/g)];
  t.same(strange, [], 'only the sequences of the screen itself');
});
