/** What a request on a link takes and gives, and its form on the wire; sans-IO. */
import type { Command } from '../shared/commands/command.ts';
import { isErrorCode } from '../shared/errors.ts';
import type { Blob } from '../shared/line/decoder.ts';
import { type Body, formatFrame } from '../shared/line/grammar.ts';
import { joinPieces, requestWords } from '../shared/line/request.ts';
import { PartylineError } from './errors.ts';

export type Values = Record<string, unknown>;

export interface Row {
  /** The command's name, or the event's where rows are events. */
  readonly name: string;
  readonly fields: Values;
  readonly blob: Blob | undefined;
}

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  /** Without any sign of life from the server. */
  readonly timeoutMs?: number | undefined;
  readonly blob?: Uint8Array | undefined;
  /** A promise stops the reading until it is settled. */
  readonly onRow?: ((row: Row) => void | Promise<void>) | undefined;
}

const style = { lineEnd: '\n', form: 'words' } as const;

/** What goes out for a request, in parts that need not be joined. */
export function formatRequest(
  label: string,
  verb: string,
  entry: Command,
  input: Values,
  blob: Uint8Array | undefined,
): readonly (string | Uint8Array)[] {
  const { words, fields, needsJson } = requestWords(entry, input);
  const parts = needsJson ? { fields: input as typeof fields } : { words, fields };
  const head = { label, marker: '', name: verb, ...parts, ...(blob && { blobOctets: blob.length }) } as const;
  const line = formatFrame(head, needsJson ? { ...style, form: 'json' } : style);
  return blob ? [line, blob, style.lineEnd] : [line];
}

/** A line of the connection itself, without a label. */
export function formatLine(words: string): string {
  return `${words}${style.lineEnd}`;
}

/** The error that a final `-` line tells. */
export function refusalOf({ words }: Body, fields: Values, verb: string, label: string | undefined): PartylineError {
  const [word = ''] = words;
  const code = isErrorCode(word) ? word : 'internal';
  const retry = Number(fields['retry']);
  const context = { verb, ...(label !== undefined && { label }), ...(retry > 0 && { retryAfterMs: retry * 1000 }) };
  return new PartylineError(code, String(fields['text'] ?? code), context);
}

/** A blob's octets as one array. */
export function octetsOf(blob: Blob | undefined): Uint8Array {
  return blob ? joinPieces(blob) : new Uint8Array(0);
}
