/**
 * The body of a line ⇄ its parts: verb, words, key=word arguments, JSON and text (see `docs/protocol/line.md`). `format`
 * can put no line end, NUL or over-long text into a line: such text travels as a blob, so injection is impossible.
 */
import type { ErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { isHttp, octetLength } from '../text.ts';
import type { LineEnd } from './decoder.ts';

/** '' is a request, '+' and '-' final replies, '=' a row, '*' an event. */
export type Marker = '' | '+' | '-' | '=' | '*';

export interface Body {
  readonly marker: Marker;
  /** Verb or event in capitals. */
  readonly name: string;
  readonly words: readonly string[];
  readonly keys: ReadonlyMap<string, string>;
  readonly json?: Readonly<Record<string, unknown>>;
  /** What stood after ` :`. */
  readonly text?: string;
}

export interface BadBody {
  readonly fault: Extract<ErrorCode, 'unknown-command' | 'bad-argument' | 'bad-json' | 'protocol-attack'>;
  readonly reason: string;
  readonly name?: string;
}

const greeting = /^PARTYLINE\/\d+(?= |$)/;
const quotedWord = /^"((?:[^"\\]|\\["\\])*)"(?= |$)/;
const verbCharsMax = 16;

const SPACE = 32;
const QUOTE = 34;
const HYPHEN = 45;
const SLASH = 47;
const COLON = 58;
const EQUALS = 61;
const LOWER_A = 97;
const LOWER_Z = 122;
const BRACE = 123;

// Character codes and not expressions: this runs for every line, and is five times as fast.
export function parseBody(line: string): Body | BadBody {
  if (isHttp(line)) {
    return { fault: 'protocol-attack', reason: 'this port does not speak HTTP' };
  }
  const marker = line.charCodeAt(1) === SPACE && '+-=*'.includes(line[0]!) ? (line[0] as Marker) : '';
  const start = marker === '' ? 0 : 2;
  const end = verbEnd(line, start);
  if (end === start) return { fault: 'unknown-command', reason: 'a line begins with a verb; try HELP' };
  const head = { marker, name: line.slice(start, end).toUpperCase() };
  if (marker === '' && line.charCodeAt(end + 1) === BRACE) return parseJson(line.slice(end + 1), head);
  return parseArguments(line, end + 1, head);
}

/** Where the verb that begins at `start` ends; `start` itself if there is none. */
function verbEnd(line: string, start: number): number {
  let end = start;
  while (end < line.length && isVerbCode(line.charCodeAt(end))) end++;
  if (line.charCodeAt(end) === SLASH) return start + (greeting.exec(line.slice(start))?.[0].length ?? 0);
  const isVerb = end - start <= verbCharsMax && (end === line.length || line.charCodeAt(end) === SPACE);
  return isVerb ? end : start;
}

function isLower(code: number): boolean {
  return code >= LOWER_A && code <= LOWER_Z;
}

function isVerbCode(code: number): boolean {
  return isLower(code | 32) || code === HYPHEN;
}

type Head = Pick<Body, 'marker' | 'name'>;

function parseJson(source: string, head: Head, words: string[] = []): Body | BadBody {
  try {
    const json: unknown = JSON.parse(source);
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) {
      return { ...head, words, keys: new Map(), json: json as Record<string, unknown> };
    }
  } catch {
    // Falls through to the one answer: what exactly JSON.parse disliked differs between engines.
  }
  return { fault: 'bad-json', reason: 'the argument is one JSON object', name: head.name };
}

function parseArguments(line: string, start: number, { marker, name }: Head): Body | BadBody {
  const words: string[] = [];
  const keys = new Map<string, string>();
  for (let at = start; at < line.length; ) {
    const code = line.charCodeAt(at);
    if (code === SPACE) {
      at++;
      continue;
    }
    if (code === COLON) return { marker, name, words, keys, text: line.slice(at + 1) };
    if (code === BRACE && marker !== '') return parseJson(line.slice(at), { marker, name }, words);
    const equals = isLower(code) ? keyEnd(line, at) : -1;
    const word = readWord(line, equals < 0 ? at : equals + 1);
    if (!word) return { fault: 'bad-argument', reason: 'a quoted word has no closing quote', name };
    if (equals < 0) words.push(word.value);
    else {
      const key = line.slice(at, equals);
      if (keys.has(key)) return { fault: 'bad-argument', reason: `${key}= stands twice`, name };
      keys.set(key, word.value);
    }
    at = word.end;
  }
  return { marker, name, words, keys };
}

/** Where the `=` behind a key stands, or -1. */
function keyEnd(line: string, start: number): number {
  let end = start + 1;
  while (isLower(line.charCodeAt(end)) || line.charCodeAt(end) === HYPHEN) end++;
  return line.charCodeAt(end) === EQUALS ? end : -1;
}

function readWord(line: string, start: number): { value: string; end: number } | undefined {
  if (line.charCodeAt(start) !== QUOTE) {
    const space = line.indexOf(' ', start);
    const end = space < 0 ? line.length : space;
    return { value: line.slice(start, end), end };
  }
  const found = quotedWord.exec(line.slice(start));
  return found ? { value: found[1]!.replaceAll(/\\(["\\])/g, '$1'), end: start + found[0].length } : undefined;
}

/** A word as it stands in a line: bare where that is unambiguous. Line ends and NUL cannot stand in a word and become spaces. */
export function formatWord(word: string): string {
  if (/^[^\s":{#=\\\u0000-\u001f\u007f][^\s"=\\\u0000-\u001f\u007f]*$/.test(word)) return word;
  return `"${word.replaceAll(/[\u0000-\u001f\u007f]/g, ' ').replaceAll(/["\\]/g, '\\$&')}"`;
}

export type FieldValue = string | number | boolean | undefined;
export type Fields = Readonly<Record<string, FieldValue>>;

export interface FrameParts {
  readonly label?: string | undefined;
  readonly marker: Marker;
  readonly name: string;
  /** Only behind `-`. */
  readonly code?: ErrorCode;
  /** Words without a key, in front of the others. */
  readonly words?: readonly string[];
  /** Fields in order; undefined, false and empty ones are left out; `text` goes last. */
  readonly fields?: Fields;
  /** Octets of a binary blob which the caller sends behind the line, followed by a line end. */
  readonly blobOctets?: number;
}

export interface Style {
  readonly lineEnd: LineEnd;
  readonly form: 'words' | 'json';
}

/** The frame as text, with its line end. Text that does not fit a line follows as a blob, unless one is announced already. */
export function formatFrame(parts: FrameParts, style: Style): string {
  const { lineEnd } = style;
  const label = parts.label === undefined ? '' : `#${parts.label} `;
  const head = `${parts.marker === '' ? '' : `${parts.marker} `}${parts.name}${parts.code ? ` ${parts.code}` : ''}`;
  const words = (parts.words ?? []).map(word => ` ${formatWord(word)}`).join('');
  if (style.form === 'json') {
    const size = parts.blobOctets === undefined ? '' : `{${parts.blobOctets}} `;
    return `${label}${size}${head}${words} ${jsonOf(parts.fields ?? {})}${lineEnd}`;
  }
  const { text, line } = wordsOf(parts.fields ?? {});
  if (parts.blobOctets !== undefined) return `${label}{${parts.blobOctets}} ${head}${words}${line}${lineEnd}`;
  if (text === undefined) return `${label}${head}${words}${line}${lineEnd}`;
  if (fitsLine(text)) return `${label}${head}${words}${line} :${text}${lineEnd}`;
  return `${label}{${octetLength(text)}} ${head}${words}${line}${lineEnd}${text}${lineEnd}`;
}

function fitsLine(text: string): boolean {
  return text.length < limits.lineOctetsMax / 8 && !/[\u0000-\u0008\u000a-\u001f\u007f]/.test(text);
}

function wordsOf(fields: Fields): { line: string; text: string | undefined } {
  let line = '';
  let text: string | undefined;
  for (const name in fields) {
    const value = fields[name];
    if (value === undefined || value === false || value === '') continue;
    if (name === 'text') text = String(value);
    else line += ` ${name}=${value === true ? '1' : typeof value === 'number' ? value : formatWord(value)}`;
  }
  return { line, text };
}

function jsonOf(fields: Fields): string {
  // JSON.stringify escapes every control but DEL, so the object is one line whatever it holds.
  return JSON.stringify(fields).replaceAll('\u007f', '\\u007f');
}
