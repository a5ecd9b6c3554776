/** FTP without a socket: commands under any cutting and any octets, replies that cannot be misread, listings, endpoints, patterns. */
import * as fc from 'fast-check';
import t from 'tap';
import { CommandDecoder, type Decoded } from '../../shared/ftp/command-line.ts';
import { extendedPassiveText, formatPort, parseEprt, parsePort, passiveText } from '../../shared/ftp/endpoint.ts';
import {
  type FactName,
  factNames,
  formatFacts,
  formatListLine,
  formatTimeValue,
  isPattern,
  matches,
  parseTimeValue,
} from '../../shared/ftp/listing.ts';
import { formatReply, quotePath, reply } from '../../shared/ftp/reply.ts';
import { holdsControls } from '../../shared/text.ts';
import { hostileOctets, hostileText, piecesOf } from '../support/generators.ts';
import { assertProperty } from '../support/properties.ts';

const small = { commandOctetsMax: 40, endlessOctetsMax: 100 };

function decodeAll(pieces: readonly Uint8Array[]): readonly string[] {
  const decoder = new CommandDecoder(small);
  return pieces.flatMap(piece => decoder.push(piece).map(show));
}

function show(found: Decoded): string {
  if (found.kind !== 'command') return found.kind;
  return found.argument === undefined ? found.verb : `${found.verb}|${found.argument}`;
}

const octets = (...parts: readonly (number | string)[]): Buffer =>
  Buffer.concat(parts.map(part => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part, 'utf8'))));

const [IAC, IP, DM, DO, NOP, AYT] = [255, 244, 242, 253, 241, 246];

t.test('what clients send is understood, wherever it is cut', async t => {
  const cases: readonly [name: string, input: Buffer, ...found: readonly string[]][] = [
    ['a command', octets('NOOP\r\n'), 'NOOP'],
    ['a bare LF ends a line', octets('NOOP\nQUIT\n'), 'NOOP', 'QUIT'],
    ['verbs in any case, arguments as they are', octets('retr MiXed\r\n'), 'RETR|MiXed'],
    ['one space separates, all others are of the name', octets('RETR  a  b \r\n'), 'RETR| a  b '],
    ['an argument of nothing is one', octets('CWD \r\n'), 'CWD|'],
    ['UTF-8', octets('RETR é/中.txt\r\n'), 'RETR|é/中.txt'],
    ['several in one segment, in order', octets('USER a\r\nPASS b\r\nPWD\r\n'), 'USER|a', 'PASS|b', 'PWD'],
    ['lines of nothing', octets('\r\n\n\r\nPWD\r\n'), 'PWD'],
    ['IAC IP, IAC DM before ABOR', octets(IAC, IP, IAC, DM, 'ABOR\r\n'), 'ABOR'],
    ['the same where the DM was urgent and was lost', octets(IAC, IP, IAC, 'ABOR\r\n'), 'ABOR'],
    ['the same where its IAC was lost', octets(IAC, IP, DM, 'ABOR\r\n'), 'ABOR'],
    ['IAC NOP, AYT and a negotiation', octets(IAC, NOP, 'NO', IAC, AYT, 'OP', IAC, DO, 1, '\r\n'), 'NOOP'],
    ['a NUL in an argument', octets('RETR a\0b\r\nPWD\r\n'), 'malformed', 'PWD'],
    ['a CR in an argument', octets('RETR a\rb\r\nPWD\r\n'), 'malformed', 'PWD'],
    ['a doubled 255 is one, which no UTF-8 has', octets('RETR ', IAC, IAC, '\r\nPWD\r\n'), 'malformed', 'PWD'],
    ['what is no UTF-8', octets('RETR ', 0xc0, 0xae, '\r\nPWD\r\n'), 'malformed', 'PWD'],
    ['a line that is too long, once', octets('RETR ', 'x'.repeat(60), '\r\nPWD\r\n'), 'overlong', 'PWD'],
    ['as long as it may be', octets('RETR ', 'x'.repeat(34), '\r\n'), `RETR|${'x'.repeat(34)}`],
    ['no end for too long', octets('x'.repeat(101), '\r\nPWD\r\n'), 'endless'],
    ['a browser', octets('GET / HTTP/1.1\r\n'), 'http'],
    ['another', octets('Host: example.org\r\n'), 'http'],
    ['what only looks like one', octets('HOST example.org\r\n'), 'HOST|example.org'],
  ];
  for (const [name, input, ...found] of cases) {
    t.same(decodeAll([input]), found, name);
    for (let at = 1; at < input.length; at++) {
      const cut = decodeAll([input.subarray(0, at), input.subarray(at)]);
      if (JSON.stringify(cut) !== JSON.stringify(found)) t.same(cut, found, `${name}, cut at ${at}`);
    }
  }
});

t.test('any cutting of any octets gives the same, and never throws', async t => {
  const lines = fc
    .array(fc.oneof(hostileOctets(), fc.constantFrom('RETR a\r\n', 'NOOP\n', '\xff\xf4\xff\xf2', '\r').map(octets)))
    .map(parts => Buffer.concat(parts));
  assertProperty(
    t,
    'chunking',
    fc.property(
      lines.chain(input => fc.tuple(fc.constant(input), piecesOf(input))),
      ([input, pieces]) => JSON.stringify(decodeAll([input])) === JSON.stringify(decodeAll(pieces)),
    ),
  );
});

t.test('a decoder is amid a line until its end, also in a sequence of TELNET', async t => {
  const decoder = new CommandDecoder(small);
  t.notOk(decoder.isAmid);
  decoder.push(octets('AUTH TLS\r\n'));
  t.notOk(decoder.isAmid);
  for (const part of [octets('U'), octets(IAC)]) {
    decoder.push(part);
    t.ok(decoder.isAmid);
  }
  decoder.push(octets(NOP, '\n'));
  t.notOk(decoder.isAmid);
});

t.test('no reply can be read as another, whatever people called their things', async t => {
  t.equal(formatReply(reply(226, 'Done.')), '226 Done.\r\n');
  t.equal(formatReply(reply(211, 'Features:', ['SIZE'])), '211-Features:\r\n SIZE\r\n211 End.\r\n');
  t.equal(formatReply(reply(213, 'x', [])), '213-x\r\n213 End.\r\n');
  t.equal(quotePath('/q"dir'), '"/q""dir"');
  const text = hostileText(8);
  assertProperty(
    t,
    'one reply is one',
    fc.property(fc.integer({ min: 100, max: 599 }), text, fc.option(fc.array(text)), (code, first, inner) => {
      // The sign between the first and the last text is the program's own.
      const written = formatReply(reply(code, first.replaceAll('\n', ''), inner ?? undefined));
      const lines = written.split('\r\n');
      if (lines.pop() !== '' || lines.some(line => holdsControls(line))) return false;
      const isEnd = (line: string) => line.startsWith(`${code} `);
      return lines.findIndex(isEnd) === lines.length - 1 && (lines.length === 1) === (inner === null);
    }),
  );
});

t.test('listings are as ls writes them', async t => {
  const now = Date.UTC(2026, 10, 23, 12, 0, 0);
  const entry = { name: 'a b', type: 'file', size: 12, modifiedMs: now, owner: 'ada', group: 'lobby' } as const;
  const day = 24 * 3_600_000;
  t.equal(
    formatListLine({ ...entry, modifiedMs: Date.UTC(2026, 10, 3, 1, 5) }, now),
    '-rw-r--r--   1 ada      lobby           12 Nov  3 01:05 a b',
  );
  const when = (modifiedMs: number) => formatListLine({ ...entry, modifiedMs }, now).slice(43, 55);
  t.equal(when(now - 179 * day), 'May 28 12:00', 'under 180 days: the time of day');
  t.equal(when(now - 181 * day), 'May 26  2026', 'older: the year');
  t.equal(when(now + day / 2), 'Nov 24 00:00', 'a clock may be a little wrong');
  t.equal(when(now + 2 * day), 'Nov 25  2026', 'more than a day ahead: the year');
  t.match(formatListLine({ ...entry, type: 'dir', owner: 'two words' }, now), /^drwxr-xr-x {3}1 two_words lobby /);
  const all = new Set<FactName>(factNames);
  t.equal(
    formatFacts({ type: 'file', size: 12, modifiedMs: now, perm: 'r', unique: 'u1' }, all, 'a b'),
    'type=file;size=12;modify=20261123120000;perm=r;unique=u1;UNIX.mode=0644; a b',
  );
  t.equal(formatFacts({ type: 'cdir', perm: 'el', unique: 'u' }, new Set<FactName>(['size']), 'x'), ' x');
});

t.test('times and endpoints that were written are read', async t => {
  const time = fc.integer({ min: Date.UTC(1, 0, 1) / 1000 + 63_000_000_000, max: Date.UTC(9999, 11, 31) / 1000 });
  assertProperty(
    t,
    'times',
    fc.property(time, seconds => parseTimeValue(formatTimeValue(seconds * 1000)) === seconds * 1000),
  );
  for (const wrong of ['', '2026', '20261332000000', '20260230000000', '20261123250000', '20261123010000x', '-1']) {
    t.equal(parseTimeValue(wrong), undefined, wrong);
  }
  t.equal(parseTimeValue('20261123010203.456'), Date.UTC(2026, 10, 23, 1, 2, 3));
  const endpoint = fc.record({ address: fc.ipV4(), port: fc.integer({ min: 0, max: 65_535 }) });
  assertProperty(
    t,
    'PORT',
    fc.property(endpoint, one => JSON.stringify(parsePort(formatPort(one))) === JSON.stringify(one)),
  );
  assertProperty(
    t,
    'EPRT, with any delimiter that the address does not hold',
    fc.property(
      fc.constantFrom('|', '!', '/', '~'),
      fc.oneof(fc.tuple(fc.constant('1'), fc.ipV4()), fc.tuple(fc.constant('2'), fc.ipV6())),
      fc.integer({ min: 0, max: 65_535 }),
      (bar, [family, address], port) => {
        const read = parseEprt(['', family, address, port, ''].join(bar));
        return typeof read === 'object' && read.address === address && read.port === port && read.family === +family;
      },
    ),
  );
  assertProperty(
    t,
    'anything',
    fc.property(hostileText(), text => {
      const [plain, extended] = [parsePort(text), parseEprt(text)];
      return plain === undefined && (extended === undefined || extended === 'unknown-family');
    }),
  );
  for (const wrong of [
    '1,2,3,4,5',
    '1,2,3,4,5,256',
    '1,2,3,4,5,6,7',
    ' 1,2,3,4,5,6',
    '-1,2,3,4,5,6',
    '1e1,2,3,4,5,6',
  ]) {
    t.equal(parsePort(wrong), undefined, wrong);
  }
  t.equal(parseEprt('|3|1.2.3.4|5000|'), 'unknown-family');
  for (const wrong of ['|1|1.2.3.4|65536|', '|1|1.2.3.4|5000', '||||', '1', '|1|::1|5000|', '|2|fe80::1%lo|5000|']) {
    t.equal(parseEprt(wrong), undefined, wrong);
  }
  t.equal(
    passiveText({ address: '127.0.0.1', port: 51_210 }),
    'Entering passive mode (127,0,0,1,200,10).',
    'the form that clients look for',
  );
  t.match(extendedPassiveText(7100), '(|||7100|)');
});

t.test('patterns fit what they say, in a time that no pattern can stretch', async t => {
  const letter = fc.constantFrom('a', 'b', '-', 'é', '👪', '.');
  const sign = fc.constantFrom('a', 'b', '*', '?', '[ab]', '[!a]', '[a-c]', '.');
  const word = fc.array(letter, { maxLength: 8 }).map(parts => parts.join(''));
  const asRegExp = (pattern: string) =>
    new RegExp(
      `^${pattern.replaceAll('.', '\\.').replaceAll('[!', '[^').replaceAll(/\*/g, '[^]*').replaceAll('?', '[^]')}$`,
      'u',
    );
  assertProperty(
    t,
    'as a regular expression has it',
    fc.property(
      word,
      fc.array(sign, { maxLength: 6 }).map(signs => signs.join('')),
      (name, pattern) => {
        const isHidden = name.startsWith('.') && !pattern.startsWith('.');
        return matches(name, pattern) === (!isHidden && asRegExp(pattern).test(name));
      },
    ),
  );
  t.ok(isPattern('a*') && isPattern('a?') && isPattern('[a]'));
  t.notOk(isPattern('plain.txt'));
  t.ok(matches('a]b', 'a[]]b') && matches('[a', '[a'), 'brackets that are letters');
  t.notOk(matches('a'.repeat(255), `${'a*'.repeat(127)}b`), 'a bomb');
  t.notOk(matches('a', `a${'*'.repeat(300)}`), 'longer than a name can be');
  assertProperty(
    t,
    'anything',
    fc.property(hostileText(), hostileText(), (name, pattern) => typeof matches(name, pattern) === 'boolean'),
  );
});
