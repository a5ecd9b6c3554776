/** What nobody else may read, taken out of lines of the line protocol by its own grammar and table of commands. Pure. */
import { type Command, planWord } from '../../shared/commands/command.ts';
import { commands } from '../../shared/commands/index.ts';
import { parseBody } from '../../shared/line/grammar.ts';
import { sessionVerbs } from '../../shared/line/session-verbs.ts';

/** In place of a secret, however long that is. */
export const mask = '•••';

/** Fields of requests, answers and rows that let somebody in, or act as somebody. */
const secretFields = new Set(['password', 'new', 'old', 'token', 'ticket', 'code', 'invite', 'secret']);

const entries = new Map<string, Command>([...Object.entries(commands), ...Object.entries(sessionVerbs)]);

/** True if a command of the table may carry a secret, or its answer; undefined for what is no command. */
export function carriesSecret(verb: string): boolean | undefined {
  const entry = entries.get(verb);
  if (!entry || verb === 'PING') return entry && false;
  const shapes = [entry.input.shape, entry.output.shape, typeof entry.rows === 'object' ? entry.rows.shape : {}];
  return shapes.some(shape => Object.keys(shape).some(field => secretFields.has(field)));
}

/** The body of a line as it may be shown. What no verb of the table begins may be a secret in the wrong place. */
export function maskLine(body: string): string {
  const parsed = parseBody(body);
  if ('fault' in parsed) return mask;
  const { marker, name } = parsed;
  const head = marker === '' ? name : `${marker} ${name}`;
  if (marker === '' && !entries.has(name)) return mask;
  if (name === 'PING') return body;
  if (parsed.json) return maskJson(body, parsed.json);
  const keys = [...parsed.keys.keys()].filter(key => secretFields.has(key));
  if (marker !== '') return keys.length === 0 ? body : maskKeys(body, keys);
  const { words, text } = placesOf(entries.get(name)!);
  const isTextSecret = text !== undefined && secretFields.has(text);
  // A word too many may be the text without its colon.
  const isSecret = (place: number) => secretFields.has(words[place] ?? (isTextSecret ? text : ''));
  const isWordSecret = parsed.words.some((_, place) => isSecret(place));
  if (keys.length === 0 && !isWordSecret && !(isTextSecret && parsed.text !== undefined)) return body;
  const shown = [
    ...parsed.words.map((word, place) => (isSecret(place) ? mask : word)),
    ...[...parsed.keys].map(([key, value]) => `${key}=${secretFields.has(key) ? mask : value}`),
    ...(parsed.text === undefined ? [] : [`:${isTextSecret ? mask : parsed.text}`]),
  ];
  return [head, ...shown].join(' ');
}

/** Tokens and invites by their own look, wherever they stand in a text. */
export function maskText(text: string): string {
  return text.replaceAll(/\b(pl|i)_[\w-]{8,}/g, `$1_${mask}`);
}

function placesOf(entry: Command): { readonly words: readonly string[]; readonly text: string | undefined } {
  const plans = entry.words.map(planWord);
  return {
    words: plans.filter(({ rest }) => !rest).map(({ field }) => field),
    text: plans.find(({ rest }) => rest)?.field,
  };
}

function maskKeys(body: string, keys: readonly string[]): string {
  return keys.reduce(
    (shown, key) => shown.replace(new RegExp(`(^| )${key}=("(?:[^"\\\\]|\\\\.)*"|\\S*)`), `$1${key}=${mask}`),
    body,
  );
}

/** What a WebSocket carries, or the first line of a request, as it may be shown. */
export function maskWeb(text: string): string {
  if (!text.startsWith('{')) return text;
  try {
    return JSON.stringify(JSON.parse(text), hideSecret);
  } catch {
    return mask;
  }
}

function hideSecret(key: string, value: unknown): unknown {
  return secretFields.has(key) ? mask : value;
}

function maskJson(body: string, json: Readonly<Record<string, unknown>>): string {
  return body.slice(0, body.indexOf('{')) + JSON.stringify(json, hideSecret);
}
