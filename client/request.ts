/** What a request on a link takes and gives; sans-IO. */
import { isErrorCode } from '../shared/errors.ts';
import type { Blob } from '../shared/line/decoder.ts';
import { joinPieces } from '../shared/line/pieces.ts';
import { PartylineError } from './errors.ts';
import type { Refusal } from './way.ts';

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

/** The error that a refusal tells. */
export function refusalOf({ code, text, retry }: Refusal, verb: string, label: string | undefined): PartylineError {
  const known = typeof code === 'string' && isErrorCode(code) ? code : 'internal';
  const seconds = Number(retry);
  const context = { verb, ...(label !== undefined && { label }), ...(seconds > 0 && { retryAfterMs: seconds * 1000 }) };
  return new PartylineError(known, String(text ?? known), context);
}

/** A blob's octets as one array. */
export function octetsOf(blob: Blob | undefined): Uint8Array {
  return blob ? joinPieces(blob) : new Uint8Array(0);
}
