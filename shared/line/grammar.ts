/**
 * The body of a line ⇄ its parts: verb, words, key=word arguments, JSON and text (see `docs/protocol/line.md`). `format`
 * can put no line end, NUL or over-long text into a line: such text travels as a blob, so injection is impossible.
 */
import type { ErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { octetLength } from '../text.ts';
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

const opening = /^(?:([-+=*]) )?([A-Za-z-]{1,16}|PARTYLINE\/\d+)(?= |$)/;
const key = /^([a-z][a-z-]*)=/;
const http = /^(?:[A-Z]{3,10} \S+ HTTP\/\d|host:)/i;

export function parseBody(line: string): Body | BadBody {
  if (http.test(line)) return { fault: 'protocol-attack', reason: 'this port does not speak HTTP' };
  const found = opening.exec(line);
  if (!found) return { fault: 'unknown-command', reason: 'a line begins with a verb; try HELP' };
  const head = { marker: (found[1] ?? '') as Marker, name: found[2]!.toUpperCase() };
  const rest = line.slice(found[0].length + 1);
  if (rest.startsWith('{') && head.marker === '') return parseJson(rest, head);
  return parseArguments(rest, head);
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

function parseArguments(rest: string, head: Head): Body | BadBody {
  const words: string[] = [];
  const keys = new Map<string, string>();
  let at = 0;
  while (at < rest.length) {
    if (rest[at] === ' ') {
      at++;
      continue;
    }
    if (rest[at] === ':') return { ...head, words, keys, text: rest.slice(at + 1) };
    if (rest[at] === '{' && head.marker !== '') return parseJson(rest.slice(at), head, words);
    const name = key.exec(rest.slice(at, at + 40))?.[1];
    const start = name === undefined ? at : at + name.length + 1;
    const word = readWord(rest, start);
    if (!word) return { fault: 'bad-argument', reason: 'a quoted word has no closing quote', name: head.name };
    if (name === undefined) words.push(word.value);
    else if (keys.has(name)) return { fault: 'bad-argument', reason: `${name}= stands twice`, name: head.name };
    else keys.set(name, word.value);
    at = word.end;
  }
  return { ...head, words, keys };
}

function readWord(line: string, start: number): { value: string; end: number } | undefined {
  if (line[start] !== '"') {
    const space = line.indexOf(' ', start);
    const end = space < 0 ? line.length : space;
    return { value: line.slice(start, end), end };
  }
  const quoted = /"((?:[^"\\]|\\["\\])*)"(?= |$)/y;
  quoted.lastIndex = start;
  const found = quoted.exec(line);
  return found ? { value: found[1]!.replaceAll(/\\(["\\])/g, '$1'), end: quoted.lastIndex } : undefined;
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
