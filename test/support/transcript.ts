/**
 * Parses a transcript, a test session as text, into steps. Pure: the playing is in play-transcript.ts, and the
 * format is described in README.md beside this file.
 */

/** A piece of a line's text: octets as they are, a name that an earlier line captured, or a pattern that captures. */
export type Part =
  | { readonly kind: 'octets'; readonly octets: Buffer }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'capture'; readonly name: string | undefined; readonly pattern: string };

interface Place {
  /** Counted from 1, in the file. */
  readonly line: number;
  /** Whose connection it is. */
  readonly who: string;
  /** The text behind the colon, as it stands in the file. */
  readonly source: string;
}

interface Text {
  readonly parts: readonly Part[];
  /** False for `<no-eol>`: these octets and no line end. */
  readonly hasLineEnd: boolean;
}

export type Step = Place &
  (
    | ({ readonly kind: 'send' } & Text)
    | ({ readonly kind: 'expect' } & Text)
    | { readonly kind: 'send-fin' | 'send-reset' | 'expect-fin' | 'expect-reset' }
  );

export interface Transcript {
  /** Where it came from, for messages. */
  readonly name: string;
  /** The first comment, or the empty string. */
  readonly title: string;
  readonly steps: readonly Step[];
}

/** Words that stand for an octet inside `<…>`, such as `IAC` for 255. A wire with such words gives its table. */
export type Tokens = ReadonlyMap<string, number>;

/** A transcript that cannot be read; the message names the file and the line. */
export class TranscriptError extends Error {
  override readonly name = 'TranscriptError';
}

const LINE = /^(?:([a-z][a-z0-9-]*) )?([CS])(?:\*(\d+))?:(?: (.*))?$/s;
const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|([rnt\\{<]))/y;
const NAME = /\{([a-zA-Z][a-zA-Z0-9]*)\}/y;
const CAPTURE = /\{([a-zA-Z][a-zA-Z0-9]*|_)=/y;
const TOKEN = /<([^<>]+)>/y;
const LETTERS: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t' };
const SPEAKER = 'client';
const NO_EOL = '<no-eol>';

const matchAt = (pattern: RegExp, text: string, at: number): RegExpExecArray | null => {
  pattern.lastIndex = at;
  return pattern.exec(text);
};

/** Where the brace opened before `at` closes; braces and escapes of the regular expression are stepped over. */
const closingBrace = (text: string, at: number): number => {
  for (let depth = 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '{') depth++;
    else if (text[at] === '}' && --depth === 0) return at;
  }
  throw new Error('a {name=pattern} is not closed');
};

/** `IAC SB NAWS 0 80` → octets, if the first word is in the table; numbers are decimal octets. */
const tokenOctets = (words: string, tokens: Tokens): Buffer | undefined => {
  const list = words.split(' ');
  if (!tokens.has(list[0] ?? '')) return undefined;
  return Buffer.from(
    list.map(word => {
      const octet = tokens.get(word) ?? (/^\d{1,3}$/.test(word) ? Number(word) : Number.NaN);
      if (!(octet <= 255)) throw new Error(`<${words}>: ${word} is no known octet`);
      return octet;
    }),
  );
};

const parseParts = (text: string, tokens: Tokens): readonly Part[] => {
  const parts: Part[] = [];
  let literal: Buffer[] = [];
  const flush = (): void => {
    if (literal.length > 0) parts.push({ kind: 'octets', octets: Buffer.concat(literal) });
    literal = [];
  };
  for (let at = 0; at < text.length; ) {
    const escaped = matchAt(ESCAPE, text, at);
    const name = matchAt(NAME, text, at);
    const capture = matchAt(CAPTURE, text, at);
    const token = matchAt(TOKEN, text, at);
    const octets = token === null ? undefined : tokenOctets(token[1] ?? '', tokens);
    if (escaped !== null) {
      const [, code, letter = ''] = escaped;
      literal.push(code === undefined ? Buffer.from(LETTERS[letter] ?? letter) : Buffer.from(code, 'hex'));
      at += escaped[0].length;
    } else if (name !== null) {
      flush();
      parts.push({ kind: 'name', name: name[1] ?? '' });
      at += name[0].length;
    } else if (capture !== null) {
      flush();
      const begin = at + capture[0].length;
      const end = closingBrace(text, begin);
      parts.push({
        kind: 'capture',
        name: capture[1] === '_' ? undefined : capture[1],
        pattern: text.slice(begin, end),
      });
      at = end + 1;
    } else if (token !== null && octets !== undefined) {
      literal.push(octets);
      at += token[0].length;
    } else if (text[at] === '\\') {
      throw new Error('a backslash begins \\xNN, \\r, \\n, \\t, \\\\, \\{ or \\<');
    } else {
      const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
      literal.push(Buffer.from(character));
      at += character.length;
    }
  }
  flush();
  return parts;
};

/** Refuses captures that are sent, patterns that are none, and names that nothing captured before. */
const checkParts = (parts: readonly Part[], side: string, hasLineEnd: boolean, known: Set<string>): void => {
  const here = new Set<string>();
  for (const part of parts) {
    if (part.kind === 'name' && !known.has(part.name)) throw new Error(`{${part.name}} was not captured before`);
    if (part.kind !== 'capture') continue;
    if (side === 'C') throw new Error('only S lines capture');
    if (!hasLineEnd) throw new Error('a line with <no-eol> cannot capture');
    new RegExp(part.pattern);
    if (part.name === undefined) continue;
    if (here.has(part.name)) throw new Error(`{${part.name}=…} is captured twice in one line`);
    here.add(part.name);
  }
  for (const name of here) known.add(name);
};

const parseStep = (place: Place, side: string, tokens: Tokens, known: Set<string>): Step => {
  const { source } = place;
  if (source === '<FIN>') return { ...place, kind: side === 'C' ? 'send-fin' : 'expect-fin' };
  if (source === '<RST>') return { ...place, kind: side === 'C' ? 'send-reset' : 'expect-reset' };
  const hasLineEnd = !source.endsWith(NO_EOL);
  const parts = parseParts(hasLineEnd ? source : source.slice(0, -NO_EOL.length), tokens);
  checkParts(parts, side, hasLineEnd, known);
  return { ...place, kind: side === 'C' ? 'send' : 'expect', parts, hasLineEnd };
};

/** Parses a whole file. Throws a TranscriptError for the first line that is wrong. */
export const parseTranscript = (name: string, text: string, tokens: Tokens = new Map()): Transcript => {
  const steps: Step[] = [];
  const known = new Set<string>();
  let title: string | undefined;
  for (const [index, written] of text.split('\n').entries()) {
    if (written.startsWith('# ')) title ??= written.slice(2);
    if (written === '' || written === '#' || written.startsWith('# ')) continue;
    const [match, who = SPEAKER, side = '', count = '1', source = ''] = LINE.exec(written) ?? [];
    try {
      if (match === undefined) throw new Error('a line begins with "C: ", "S: ", "name C: ", "name S: " or "# "');
      const step = parseStep({ line: index + 1, who, source }, side, tokens, known);
      for (let n = 0; n < Number(count); n++) steps.push(step);
    } catch (error) {
      throw new TranscriptError(`${name}:${index + 1}: ${(error as Error).message}: ${written}`);
    }
  }
  return { name, title: title ?? '', steps };
};
