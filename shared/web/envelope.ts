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
