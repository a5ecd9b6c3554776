/**
 * Octets in tests: shown so that a person can read them, cut into pieces by a seeded generator.
 * It is not a codec of any wire.
 */

/** A source of numbers in [0, 1), the same for the same seed (mulberry32). */
export type Random = () => number;

/** A generator for tests; any 32-bit seed will do, and printing it makes a failure repeatable. */
export const seededRandom = (seed: number): Random => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** A seed that nobody chose, for runs that shall differ and print what they took. */
export const freshSeed = (): number => Math.floor(Math.random() * 2 ** 32);

/** Cuts octets into pieces of 1 to `octetsMax` octets; put together again they are the input. */
export const cutRandomly = (octets: Buffer, random: Random, octetsMax = 16): readonly Buffer[] => {
  const pieces: Buffer[] = [];
  for (let at = 0; at < octets.length; ) {
    const size = 1 + Math.floor(random() * octetsMax);
    pieces.push(octets.subarray(at, at + size));
    at += size;
  }
  return pieces;
};

const hex = (octet: number): string => `\\x${octet.toString(16).padStart(2, '0')}`;

const escapeControl = (character: string): string => {
  if (character === '\r') return '\\r';
  if (character === '\t') return '\\t';
  return [...Buffer.from(character)].map(hex).join('');
};

/** Octets as text in the escapes of a transcript: valid UTF-8 stays readable, controls and the rest become `\xNN`. */
export const showOctets = (octets: Buffer): string => {
  const text = octets.toString('utf8');
  const isText = Buffer.from(text, 'utf8').equals(octets);
  if (isText) return text.replaceAll('\\', '\\\\').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escapeControl);
  return octets
    .toString('latin1')
    .replaceAll('\\', '\\\\')
    .replace(/[^ -~]/g, octet => hex(octet.charCodeAt(0)));
};
