/**
 * The messages of the WebSocket: JSON texts, and binary ones whose JSON head stands before the octets. What a request or an
 * event holds is said by table 1 and the events; here is only what is around them.
 */
import * as z from 'zod';
import { errors } from '../errors.ts';

const Id = z.string().min(1).max(64);
const Fields = z.record(z.string(), z.unknown());

/** What a client sends: `do` is a command's name, `id` comes back with all that answers it. */
export const ClientEnvelope = z.union([
  z.strictObject({ id: Id, do: z.string().max(32), with: Fields.optional() }),
  z.strictObject({ cancel: Id }),
]);
export type ClientEnvelope = z.infer<typeof ClientEnvelope>;

const codes = Object.keys(errors) as (keyof typeof errors)[];
const Refusal = z.object({
  code: z.enum(codes),
  text: z.string(),
  at: z.string().optional(),
  retry: z.number().optional(),
  account: z.literal(true).optional(),
});

/** What the server sends: rows of an answer, its end, and what happened meanwhile. A row that is an event says so. */
export const ServerEnvelope = z.union([
  z.object({ id: Id, row: Fields, event: z.string().optional() }),
  z.object({ id: Id, ok: Fields }),
  z.object({ id: Id.optional(), error: Refusal }),
  z.object({ events: z.array(z.looseObject({ event: z.string() })) }),
]);
export type ServerEnvelope = z.infer<typeof ServerEnvelope>;

/** Before the octets of a binary message: a request whose content they are, or a row of GET. */
export const BinaryHead = z.union([
  z.strictObject({ id: Id, do: z.string().max(32), with: Fields.optional() }),
  z.object({ id: Id, row: Fields }),
]);
export type BinaryHead = z.infer<typeof BinaryHead>;

const headOctetsMax = 16_384;

/** Four octets, big-endian, say how long the head is; the rest is content. */
export function formatBinary(head: BinaryHead, content: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(head));
  const message = new Uint8Array(4 + text.length + content.length);
  new DataView(message.buffer).setUint32(0, text.length);
  message.set(text, 4);
  message.set(content, 4 + text.length);
  return message;
}

/** The head as it was sent, unchecked, and the content; undefined for what is not of this form. */
export function parseBinary(message: Uint8Array): { readonly head: unknown; readonly content: Uint8Array } | undefined {
  if (message.length < 4) return undefined;
  const octets = new DataView(message.buffer, message.byteOffset, message.length).getUint32(0);
  if (octets > headOctetsMax || 4 + octets > message.length) return undefined;
  const head = parseJson(new TextDecoder().decode(message.subarray(4, 4 + octets)));
  return head === undefined ? undefined : { head, content: message.subarray(4 + octets) };
}

/** Undefined for what is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
