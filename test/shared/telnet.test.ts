/** TELNET without a socket: the decoder under any cutting and any octets, the encoder as its inverse, and RFC 1143's promise. */
import * as fc from 'fast-check';
import t from 'tap';
import { commands, type Negotiation, negotiations } from '../../shared/telnet/codes.ts';
import { type Decoded, TelnetDecoder } from '../../shared/telnet/decoder.ts';
import { encodeCommand, encodeNegotiation, encodeSubnegotiation, encodeText } from '../../shared/telnet/encoder.ts';
import { Negotiator, type Side } from '../../shared/telnet/negotiation.ts';
import { hostileOctets, piecesOf } from '../support/generators.ts';
import { freshSeed, seededRandom } from '../support/octets.ts';
import { assertProperty } from '../support/properties.ts';

const small = { subnegotiationOctetsMax: 20 };

/** What comes out, data joined, so that two decodings can be compared. */
function decodeAll(pieces: readonly Uint8Array[]): readonly string[] {
  const decoder = new TelnetDecoder(small);
  const shown: string[] = [];
  let data = '';
  const flush = () => {
    if (data !== '') shown.push(`data ${data}`);
    data = '';
  };
  for (const piece of pieces) {
    for (const found of decoder.push(piece)) {
      if (found.kind === 'data') data += Buffer.from(found.octets).toString('latin1');
      else {
        flush();
        shown.push(show(found));
      }
    }
  }
  flush();
  return shown;
}

function show(found: Exclude<Decoded, { kind: 'data' }>): string {
  switch (found.kind) {
    case 'command':
      return found.command;
    case 'negotiation':
      return `${found.verb} ${found.option}`;
    case 'subnegotiation':
      return `SB ${found.option} ${[...found.octets].join(' ')}`.trim();
    case 'too-long':
      return `too long ${found.option}`;
    default:
      return found satisfies never;
  }
}

const octets = (...parts: readonly (number | string)[]): Buffer =>
  Buffer.concat(parts.map(part => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part, 'latin1'))));

t.test('what clients send is understood', async t => {
  const cases: readonly [name: string, input: Buffer, ...found: readonly string[]][] = [
    ['CR NUL is Enter', octets('a\r\0b'), 'data a\rb'],
    ['CR LF is Enter', octets('a\r\nb'), 'data a\rb'],
    ['a CR alone is Enter', octets('a\rb'), 'data a\rb'],
    ['a LF alone is Enter', octets('a\nb'), 'data a\rb'],
    ['two of each are two', octets('\r\0\r\n\r\r\n\n'), 'data \r\r\r\r\r'],
    ['NUL is nothing', octets('a\0b'), 'data ab'],
    ['a doubled 255 is one', octets('a', 255, 255, 'b'), 'data a\xffb'],
    ['a command stands between data', octets('a', 255, commands.AYT, 'b'), 'data a', 'AYT', 'data b'],
    ['^C in line mode', octets(255, commands.IP, 255, commands.DO, 6), 'IP', 'DO 6'],
    ['a Synch whose DM was lost', octets('a', 255, 'b'), 'data a', 'DM', 'data b'],
    ['a Synch whose IAC was lost', octets('a', commands.DM, 'b'), 'data a', 'DM', 'data b'],
    ['what begins with the octet of DM and is a character', octets('\xf2\x80\x80\x80'), 'data \xf2\x80\x80\x80'],
    ['a subnegotiation', octets(255, 250, 31, 0, 80, 0, 24, 255, 240, 'x'), 'SB 31 0 80 0 24', 'data x'],
    ['with a doubled 255 inside', octets(255, 250, 31, 0, 255, 255, 255, 240), 'SB 31 0 255'],
    [
      'that another command ends',
      octets(255, 250, 24, 0, 'x', 255, commands.DO, 1, 'y'),
      'SB 24 0 120',
      'DO 1',
      'data y',
    ],
    ['that is too long', octets(255, 250, 24, 'x'.repeat(21), 255, 240, 'y'), 'too long 24', 'data y'],
    ['an end without a beginning', octets('a', 255, 240, 'b'), 'data ab'],
  ];
  for (const [name, input, ...found] of cases) {
    t.same(decodeAll([input]), found, name);
    for (let at = 1; at < input.length; at++) {
      t.same(decodeAll([input.subarray(0, at), input.subarray(at)]), found, `${name}, cut at ${at}`);
    }
  }
});

t.test('any cutting of any octets gives the same', async t => {
  assertProperty(
    t,
    'chunking',
    fc.property(
      hostileOctets().chain(input => fc.tuple(fc.constant(input), piecesOf(input))),
      ([input, pieces]) => JSON.stringify(decodeAll([input])) === JSON.stringify(decodeAll(pieces)),
    ),
  );
});

t.test('what is encoded is decoded', async t => {
  const option = fc.integer({ min: 0, max: 254 });
  const sent = fc.oneof(
    fc.tuple(fc.constantFrom(...negotiations), option).map(([verb, code]) => ({
      octets: encodeNegotiation(verb, code),
      shown: `${verb} ${code}`,
    })),
    fc.tuple(option, fc.uint8Array({ maxLength: 20 })).map(([code, inside]) => ({
      octets: encodeSubnegotiation(code, inside),
      shown: `SB ${code} ${[...inside].join(' ')}`.trim(),
    })),
    fc.constantFrom('NOP', 'IP', 'AYT', 'DM', 'GA', 'EOR').map(name => ({
      octets: encodeCommand(name as 'NOP'),
      shown: name,
    })),
  );
  assertProperty(
    t,
    'commands',
    fc.property(fc.array(sent), list => {
      const found = decodeAll(list.map(one => one.octets));
      return JSON.stringify(found) === JSON.stringify(list.map(one => one.shown));
    }),
  );
  assertProperty(
    t,
    'text: every line end is Enter, a CR alone too',
    fc.property(fc.string({ unit: fc.constantFrom('a', '中', '\r', '\n', '\r\n', '👪', ' ') }), text => {
      const found = decodeAll([encodeText(text)])
        .join('')
        .replace(/^data /, '');
      return found === Buffer.from(text.replaceAll(/\r\n|\n/g, '\r')).toString('latin1');
    }),
  );
});

t.test('five million octets of noise and half-made commands leave no mark', async t => {
  const seed = freshSeed();
  const random = seededRandom(seed);
  const decoder = new TelnetDecoder(small);
  const words = [255, 255, 250, 240, 31, 24, 13, 10, 0, 242, 253, 251, 65];
  const chunk = Buffer.alloc(50_000);
  let taken = 0;
  let given = 0;
  let longest = 0;
  for (let n = 0; n < 100; n++) {
    for (let i = 0; i < chunk.length; i++) {
      const value = random();
      chunk[i] = value < 0.5 ? Math.floor(value * 512) : words[Math.floor(random() * words.length)]!;
    }
    taken += chunk.length;
    for (const found of decoder.push(chunk)) {
      if (found.kind === 'data') given += found.octets.length;
      if (found.kind === 'subnegotiation') longest = Math.max(longest, found.octets.length);
    }
  }
  t.equal(longest, small.subnegotiationOctetsMax, `seed ${seed}`);
  t.ok(given > 0 && given < taken, `seed ${seed}`);
});

interface End {
  readonly negotiator: Negotiator;
  /** What the other one has sent and this one has not heard. */
  readonly inbox: (readonly [Negotiation, number])[];
}

t.test('two ends fall silent whatever they want, and agree on what is on', async t => {
  const wish = fc.record({
    who: fc.constantFrom(0, 1),
    side: fc.constantFrom<Side>('ours', 'theirs'),
    option: fc.constantFrom(1, 3, 24),
    isOn: fc.boolean(),
    heardFirst: fc.integer({ min: 0, max: 3 }),
  });
  const agreed = fc.record({ 0: fc.subarray([1, 3, 24]), 1: fc.subarray([1, 3, 24]) });
  assertProperty(
    t,
    'RFC 1143',
    fc.property(fc.array(wish, { maxLength: 20 }), agreed, (wishes, agreedTo) => {
      const ends = [0, 1].map(who => end(option => agreedTo[who as 0 | 1].includes(option))) as [End, End];
      for (const { who, side, option, isOn, heardFirst } of wishes) {
        for (let n = 0; n < heardFirst; n++) hear(ends, n % 2);
        say(ends, who, ends[who]!.negotiator.want(side, option, isOn).send, option);
      }
      let steps = 0;
      while (ends.some(one => one.inbox.length > 0) && steps++ < 1_000) for (const who of [0, 1]) hear(ends, who);
      const isOne = [1, 3, 24].every(
        option =>
          ends[0].negotiator.isOn('ours', option) === ends[1].negotiator.isOn('theirs', option) &&
          ends[0].negotiator.isOn('theirs', option) === ends[1].negotiator.isOn('ours', option),
      );
      return steps < 1_000 && isOne;
    }),
  );
});

function end(mayEnable: (option: number) => boolean): End {
  const negotiator = new Negotiator({ mayEnable: (_side, option) => mayEnable(option), heardMax: 10_000 });
  return { negotiator, inbox: [] };
}

function say(ends: readonly [End, End], who: number, verb: Negotiation | undefined, option: number): void {
  if (verb) ends[1 - who]!.inbox.push([verb, option]);
}

function hear(ends: readonly [End, End], who: number): void {
  const [verb, option] = ends[who]!.inbox.shift() ?? [];
  if (verb === undefined || option === undefined) return;
  say(ends, who, ends[who]!.negotiator.receive(verb, option)?.send, option);
}

t.test('a storm of negotiations is not heard for ever', async t => {
  const negotiator = new Negotiator({ mayEnable: () => false, heardMax: 3 });
  for (let n = 0; n < 3; n++) t.equal(negotiator.receive('DO', 200 + n)?.send, 'WONT');
  t.equal(negotiator.receive('DO', 204), undefined);
});
