/** How each contestant is spoken to: opening lines, a request, what acknowledges it. The load that uses this is the same for all. */

export interface Step {
  readonly send: string | Buffer;
  /** Text that stands in the answer when the next step may follow. */
  readonly until: string;
}

export interface Wire {
  /** How to come in under a name and hear a room. */
  readonly receiver: (name: string, room: string) => readonly Step[];
  readonly sender: (name: string) => readonly Step[];
  /** What stands before a payload in a request. */
  readonly head: string;
  /** The wire ends lines by CR LF. */
  readonly crlf: boolean;
  /** Behind so many messages stands `ask`, where the wire itself acknowledges nothing; one line acknowledges them all. */
  readonly ackEvery: number;
  readonly ask: string;
  /** An answer that means a message was not taken, or not delivered. */
  readonly refusal: RegExp;
  /** The octet behind a message; LF where it is not told. */
  readonly end?: number;
  /** The server's question whether a receiver lives, and the answer; only looked for before a measurement. */
  readonly alive?: readonly [question: string, answer: string];
}

export type WireName = 'partyline' | 'bare' | 'redis' | 'nats' | 'ngircd' | 'web' | 'bare ws' | 'bare ws a tick';

/** Octets of a payload without its line end: a chat line. */
export const payloadOctets = 100;

const direct = { ackEvery: 1, ask: '' } as const;

const partyline: Wire = {
  ...direct,
  receiver: (name, room) => [{ send: `NICK ${name}\nJOIN ${room}\n`, until: '+ JOIN' }],
  sender: name => [{ send: `NICK ${name}\n`, until: '+ NICK' }],
  head: 'SAY lobby :',
  crlf: false,
  refusal: /^(?:- .*|\* (?:GAP|BYE).*)/m,
};

const bare: Wire = {
  ...direct,
  receiver: () => [{ send: 'JOIN\n', until: 'OK\n' }],
  sender: () => [],
  head: '',
  crlf: false,
  refusal: /^-.*/m,
};

const redis: Wire = {
  ...direct,
  receiver: (_, room) => [{ send: `SUBSCRIBE ${room}\r\n`, until: ':1\r\n' }],
  sender: () => [],
  head: `*3\r\n$7\r\nPUBLISH\r\n$5\r\nlobby\r\n$${payloadOctets}\r\n`,
  crlf: true,
  refusal: /^-.*/m,
};

const nats: Wire = {
  ...direct,
  receiver: (_, room) => [{ send: `CONNECT {"verbose":false}\r\nSUB ${room} 1\r\nPING\r\n`, until: 'PONG' }],
  sender: () => [{ send: 'CONNECT {"verbose":true}\r\nPING\r\n', until: 'PONG' }],
  head: `PUB lobby ${payloadOctets}\r\n`,
  crlf: true,
  refusal: /^-ERR.*/m,
  alive: ['PING\r\n', 'PONG\r\n'],
};

const ircLogin = (name: string): Step => ({
  send: `NICK ${name}\r\nUSER ${name} 0 * :${name}\r\n`,
  until: ' 422 ',
});

const ngircd: Wire = {
  receiver: (name, room) => [ircLogin(name), { send: `JOIN #${room}\r\n`, until: ' 366 ' }],
  // Not a member, since every line that comes back is taken for an acknowledgement.
  sender: name => [ircLogin(name)],
  head: 'PRIVMSG #lobby :',
  crlf: true,
  ackEvery: 16,
  ask: 'PING x\r\n',
  refusal: /^(?:\S+ 4\d\d .*|ERROR.*)/m,
};

/** A text frame of RFC 6455 under a mask of zeros; at most 125 octets. */
function maskedFrame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
}

const upgrade = (path: string, name: string) =>
  `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
  `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n` +
  `Authorization: Basic ${Buffer.from(`${name}:`).toString('base64')}\r\n\r\n`;

const web: Wire = {
  ...partyline,
  receiver: (name, room) => [
    { send: upgrade('/ws', name), until: '\r\n\r\n' },
    { send: maskedFrame(JSON.stringify({ id: 'j', do: 'JOIN', with: { room } })), until: '"ok"' },
  ],
  end: '}'.charCodeAt(0),
  refusal: /"(?:GAP|BYE)".*/,
};

const bareWs: Wire = {
  ...bare,
  receiver: name => [
    { send: upgrade('/', name), until: '\r\n\r\n' },
    { send: maskedFrame('JOIN'), until: 'OK' },
  ],
};

export const wires: Readonly<Record<WireName, Wire>> = {
  partyline,
  bare,
  redis,
  nats,
  ngircd,
  web,
  'bare ws': bareWs,
  'bare ws a tick': bareWs,
};

/** Eight digits behind a percent sign, filled up: `%00000042…`. */
export const digits = 8;
const filler = `%${'0'.repeat(digits)} the quick brown fox jumps over the lazy dog, and so on until the line is full, as people do`;

/** One request with room for a number, and where the first digit of the number stands. */
export function requestTemplate(wire: Wire): { readonly octets: Buffer; readonly numberAt: number } {
  const payload = filler.padEnd(payloadOctets, '.').slice(0, payloadOctets);
  const octets = Buffer.from(`${wire.head}${payload}${wire.crlf ? '\r\n' : '\n'}`);
  return { octets, numberAt: octets.indexOf('%') + 1 };
}
