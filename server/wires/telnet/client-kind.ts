/** What the answers of a TELNET client say about it: a terminal, a program that sends lines, or one that knows no TELNET. Pure. */
import type { ClientKind, Colours } from '../../../shared/terminal/terminal.ts';

/** Everything that was learnt, in any order. */
export interface Learnt {
  /** Anything at all was answered. */
  readonly isTelnet: boolean;
  /** Names of the terminal, without the last that only repeats one. */
  readonly names: readonly string[];
  /** SUPPRESS-GO-AHEAD or TERMINAL-TYPE was refused: it wants to keep its lines. */
  readonly keepsLines: boolean;
}

/** Bits of `MTTS n`, a client's third name: https://tintin.mudhalla.net/protocols/mtts/ */
const mtts = { ansi: 1, colours256: 8, reader: 64, trueColour: 256 } as const;

export function clientKind({ isTelnet, names, keepsLines }: Learnt): ClientKind {
  const bits = mttsBits(names);
  const isDumb = names.length === 0 || /^(dumb|unknown|network)$/i.test(names[0]!);
  const isTerminal = isTelnet && bits === undefined && !isDumb && !keepsLines;
  const colours = bits === undefined ? coloursOf(isDumb ? [] : names) : coloursOfBits(bits);
  return {
    input: isTerminal ? 'keys' : 'lines',
    escapes: isTerminal || (bits !== undefined && (bits & mtts.ansi) !== 0),
    colours,
    reader: bits !== undefined && (bits & mtts.reader) !== 0,
  };
}

function mttsBits(names: readonly string[]): number | undefined {
  for (const name of names) {
    const bits = /^MTTS (\d{1,6})$/i.exec(name)?.[1];
    if (bits !== undefined) return Number(bits);
  }
  return undefined;
}

function coloursOf(names: readonly string[]): Colours {
  const all = names.join(' ').toLowerCase();
  if (all === '' || /\bvt(52|1\d\d|2\d\d)\b/.test(all)) return 'none';
  if (/truecolor|direct/.test(all)) return 'true';
  return /256/.test(all) ? '256' : '16';
}

function coloursOfBits(bits: number): Colours {
  if (bits & mtts.trueColour) return 'true';
  if (bits & mtts.colours256) return '256';
  return bits & mtts.ansi ? '16' : 'none';
}
