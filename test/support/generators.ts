/**
 * Hostile input, made and not collected: fast-check arbitraries for text and chunking, and two corpora built from
 * parts (names that try to leave a folder, names that look alike). What a server should do with them is not said here.
 */
import * as fc from 'fast-check';
import { cutRandomly, seededRandom } from './octets.ts';

/** Characters and sequences that have steered terminals, framers or readers somewhere. */
const HOSTILE_UNITS = [
  ...['\r', '\n', '\r\n', '\n\r', '\0', '\t', '\b', '\x07', '\x1b', '\x7f', '\x0b', '\x0c', '\u2028', '\u2029'],
  ...['\x1b[2J', '\x1b[31m', '\x1b[6n', '\x1b]0;title\x07', '\x1b]52;c;AAAA\x1b\\', '\x1bP$q\x1b\\', '\x1bc'],
  ...['\x85', '\x84', '\x9b2J', '\x9d0;title\x9c', '\x90q\x9c'],
  ...['\u202a', '\u202e', '\u2066', '\u2069', '\u200e', '\u200f', '\u061c', '\u200b', '\u200d', '\ufeff'],
  ...['\xff\xfb\x01', '\xff\xfd\x1f', '\xff\xf4', '\xff\xff', '\xff\xfa\x18\x01\xff\xf0'],
  ...['{5}', '#7 ', '+ SAY', '* BYE', '= GET', ' :', '"', '\\', '226 ', 'e\u0301', '\u{1f600}', '\ufffd'],
];

/** A string that mixes ordinary characters with controls, ANSI and OSC, C1, bidi, IAC, line ends and protocol bits. */
export const hostileText = (unitsMax = 40): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof(fc.constantFrom(...HOSTILE_UNITS), fc.string({ unit: 'binary', maxLength: 4 }), fc.string()), {
      maxLength: unitsMax,
    })
    .map(units => units.join(''));

/** Octets of any kind: random ones, or a hostile text in UTF-8 or in Latin-1, which leaves IAC and C1 as they are. */
export const hostileOctets = (): fc.Arbitrary<Buffer> =>
  fc.oneof(
    fc.uint8Array({ maxLength: 400 }).map(octets => Buffer.from(octets)),
    hostileText().map(text => Buffer.from(text, 'utf8')),
    hostileText().map(text => Buffer.from(text, 'latin1')),
  );

/** Ways to cut octets into pieces; joined they are the input again. */
export const piecesOf = (octets: Buffer): fc.Arbitrary<readonly Buffer[]> =>
  fc
    .tuple(fc.integer(), fc.constantFrom(1, 2, 7, 64, 4096))
    .map(([seed, octetsMax]) => cutRandomly(octets, seededRandom(seed), octetsMax));

/** `..` in the disguises that decoders have fallen for; Latin-1 here stands for octets. */
const UPS = [
  ...['..', '.. ', '...', '..;', '.%00.', '..\0', '..\r\n', '\u202e..', '~', '.', ' ..'],
  ...['%2e%2e', '%2E.', '.%2e', '%252e%252e', '%u002e%u002e', '%c0%ae%c0%ae', '%e0%80%ae%e0%80%ae'],
  ...['\xc0\xae\xc0\xae', '\xe0\x80\xae\xe0\x80\xae', '\xf0\x80\x80\xae\xf0\x80\x80\xae', '\xc0.\xc0.'],
];
const SEPARATORS = ['/', '//', '\\', '/./', '%2f', '%5c', '%252f', '\xc0\xaf'];
const TARGETS = ['etc/passwd', 'canary'];
const FULL_WIDTH_UPS = ['\uff0e\uff0e', '\u2025', '\u2024\u2024', '..\u2215', '..\u2044', '..\uff0f'];
const RESERVED = [
  ...['.', '..', '...', '/', '//', '\\', '', ' ', '-', '--', '-rf', '*', '?', '|', '<', '>', ':', '"', '$HOME', '`id`'],
  ...[
    'CON',
    'con.txt',
    'PRN',
    'AUX',
    'NUL',
    'COM1',
    'LPT1',
    'CLOCK$',
    'a.',
    'a ',
    'a:stream',
    'C:',
    'C:\\a',
    '\\\\?\\C:',
  ],
  ...['.git', '.htaccess', '.ssh', '.partial', '.chat', '~', '~root', '~root/.ssh', '/dev/zero', '/proc/self/environ'],
  ...['desktop.ini', 'Thumbs.db', 'file:///etc/passwd', '//host/share', 'a\0.txt', 'a\n226 b', 'a\r\nb', 'a\x1b[2Jb'],
];
const LONG_LENGTHS = [128, 255, 256, 1023, 1024, 4095, 4096, 8000];

/**
 * At least 400 different names for files, as octets on a wire: steps upwards in many spellings, NUL, overlong UTF-8,
 * reserved and very long names, twins by normal form. None may ever lead outside of the folder that it is given in.
 */
export const traversalNames = (): readonly Buffer[] => {
  const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
  const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8');
  const climbs = UPS.flatMap(up =>
    SEPARATORS.flatMap(separator =>
      TARGETS.map(target => (up + separator).repeat(6) + target.replaceAll('/', separator)),
    ),
  );
  const names = [
    ...climbs.map(text => (/[^\x00-\xff]/.test(text) ? utf8(text) : latin1(text))),
    ...FULL_WIDTH_UPS.flatMap(up => [`${up}/canary`, `/${up}/${up}/etc/passwd`, `a/${up}/../canary`].map(utf8)),
    ...UPS.map(up => utf8(`inside/${up}/${up}/canary`)),
    ...RESERVED.map(utf8),
    ...LONG_LENGTHS.flatMap(length => ['a', '\u00e9', '../', 'a/'].map(part => utf8(part.repeat(length)))),
    ...unicodeTwins()
      .slice(0, 20)
      .flatMap(({ left, right }) => [utf8(`${left}.txt`), utf8(`${right}.txt`)]),
  ];
  return [...new Map(names.map(name => [name.toString('latin1'), name])).values()];
};

export interface Twins {
  readonly kind: 'normal-form' | 'width' | 'case' | 'compatibility';
  readonly left: string;
  readonly right: string;
}

const ACCENTED =
  '\u00e0\u00e1\u00e2\u00e3\u00e4\u00e5\u00e7\u00e8\u00e9\u00ea\u00eb\u00ec\u00ed\u00ee\u00ef\u00f1\u00f2\u00f3\u00f4\u00f5\u00f6\u00f9\u00fa\u00fb\u00fc\u00fd\u00ff\u0101\u0107\u010d\u010f\u0119\u011b\u011f\u0142\u0148\u0151\u0159\u015b\u0161\u0165\u016f\u0171\u017a\u017c\u017e\u1e9b\uac00\ud55c\u3060\u30d1';
const PLAIN = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const CASED =
  'abcdefghijklmnopqrstuvwxyz\u00e4\u00e9\u00f1\u00f8\u00e5\u0142\u0161\u03b1\u03b2\u03b3\u03b4\u03c3\u03c9\u0430\u0431\u0432\u0433\u0436\u044f\u0561\u10d0';
const COMPATIBLE = [
  '\ufb01',
  '\ufb02',
  '\u2126',
  '\u212b',
  '\u212a',
  '\u2460',
  '\u00b5',
  '\u017f',
  '\u1d43',
  '\u24d0',
  '\u2163',
  '\u33a1',
];
const FOLDS = [
  ['stra\u00dfe', 'STRASSE'],
  ['\u0130stanbul', 'i\u0307stanbul'],
  ['\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2', '\u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3'],
  ['\u01c6', '\u01c4'],
] as const;

/** At least 200 pairs of different strings that people, file systems or comparisons take for the same. */
export const unicodeTwins = (): readonly Twins[] => {
  const pairs: Twins[] = [
    ...[...ACCENTED].map(letter => ({
      kind: 'normal-form' as const,
      left: `x${letter}`.normalize('NFC'),
      right: `x${letter}`.normalize('NFD'),
    })),
    ...[...PLAIN].map(letter => ({
      kind: 'width' as const,
      left: `w${letter}`,
      right: `w${String.fromCodePoint((letter.codePointAt(0) ?? 0) + 0xfee0)}`,
    })),
    ...[...CASED].map(letter => ({ kind: 'case' as const, left: `k${letter}`, right: `k${letter.toUpperCase()}` })),
    ...[...CASED].map(letter => ({ kind: 'case' as const, left: `${letter}k`, right: `${letter.toUpperCase()}K` })),
    ...FOLDS.map(([left, right]) => ({ kind: 'case' as const, left, right })),
    ...COMPATIBLE.map(letter => ({
      kind: 'compatibility' as const,
      left: `c${letter}`,
      right: `c${letter.normalize('NFKC')}`,
    })),
  ];
  return pairs.filter(({ left, right }) => left !== right);
};
