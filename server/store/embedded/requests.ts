/** What the store's main side and its worker say to each other: plain values that are cheap to copy between threads. */
import type { Hash } from '../../../shared/model.ts';
import type { Range } from '../../../shared/ranges.ts';
import type { BlobId, DocumentKind, PrincipalId, Search } from '../../hub/host.ts';
import type { Receipt, Write } from '../../hub/writes.ts';
import type { Row } from './database.ts';

/** How nearly all transactions look: one event, perhaps one that may be a repetition. */
export type LoneAppend =
  | readonly [room: string, by: PrincipalId, event: string]
  | readonly [room: string, by: PrincipalId, event: string, key: string, timeMs: number, sinceMs: number];

export interface AppendStep {
  readonly kind: 'append';
  readonly row: LoneAppend;
}
interface PutDocumentStep {
  readonly kind: 'put-document';
  readonly document: DocumentKind;
  readonly key: string;
  /** JSON. */
  readonly value: string;
  readonly expect: number | undefined;
}
export type Step = AppendStep | PutDocumentStep | Exclude<Write, { kind: 'append' | 'put-document' }>;

/** A `LoneAppend` begins with a text, other transactions with a step, or are empty. */
export type Transaction = LoneAppend | readonly Step[];

/** For each transaction the number of a lone append, a receipt, or why it was refused. */
export type Outcome = number | Receipt | { readonly conflict: string };
/** `full`: nothing was written, since the disk is full. `failed`: nothing was, and nothing will be. */
export type BatchOutcome = readonly Outcome[] | 'full' | { readonly failed: string };

export type Read =
  | readonly ['head', room: string]
  | readonly ['history', room: string, before: number | undefined, after: number | undefined, limit: number]
  | readonly ['search', search: Search]
  | readonly ['transcripts', room: string]
  | readonly ['transcript', room: string, name: string, offset: number, length: number]
  | readonly ['entry', path: string]
  | readonly ['children', folder: string, after: string, limit: number]
  | readonly ['files-with', hash: Hash, limit: number]
  | readonly ['usage', folder: string]
  | readonly ['owned', owner: string]
  | readonly ['document', kind: DocumentKind, key: string]
  | readonly ['documents', kind: DocumentKind, after: string, limit: number];

export type StoreRequest =
  | { readonly do: 'open' }
  /** `isTight`: the log that was written ahead is emptied first, to gain room. */
  | { readonly do: 'commit'; readonly batch: readonly Transaction[]; readonly isTight: boolean }
  | { readonly do: 'read'; readonly read: Read }
  | { readonly do: 'close' };

export interface StoreWorkerData {
  readonly dataDir: string;
  readonly isShared: boolean;
  readonly faultPoint: string | undefined;
}

export type Rows = readonly Row[];

export type HashRequest =
  | { readonly do: 'advance'; readonly id: BlobId; readonly path: string; readonly octets: number }
  | {
      readonly do: 'take';
      readonly id: BlobId;
      readonly path: string;
      readonly offset: number;
      readonly pieces: readonly Uint8Array[];
    }
  | { readonly do: 'finish'; readonly id: BlobId; readonly path: string; readonly octets: number }
  | { readonly do: 'ranges'; readonly paths: readonly string[]; readonly ranges: readonly Range[] }
  | { readonly do: 'forget'; readonly id: BlobId };
export type HashAnswer = Hash;
