/**
 * What the hub asks of the world: narrow interfaces with their contracts. `server/store/` holds the implementations, and
 * `test/contracts/` the one suite that all of them pass.
 */
import type { LogEvent } from '../../shared/events.ts';
import type { Hash } from '../../shared/model.ts';
import type { FilePath } from '../../shared/names.ts';
import type { Range } from '../../shared/ranges.ts';
import type { SearchQuery } from '../../shared/search.ts';
import type { Receipt, Write } from './writes.ts';

/** Who owns a thing: `u:` and a folded account name, or `g:` and the session of a guest, which nobody has again. */
export type PrincipalId = `${'u' | 'g'}:${string}`;

/** A row of a room's log: the event as others see it, and who may mend it. */
export interface LogRow {
  readonly by: PrincipalId;
  readonly event: LogEvent;
  /** Of a message that somebody reacted to. */
  readonly reactions?: Reactions;
}

/** Emoji → who reacted with it, in the order in which they did; none is empty. */
export type Reactions = Readonly<Record<string, readonly PrincipalId[]>>;

/** The content of a file: small ones in the store, others as a sealed blob. */
export type Content =
  | { readonly kind: 'inline'; readonly octets: Uint8Array }
  | { readonly kind: 'blob'; readonly id: BlobId };

/** A file or folder of a room. The room itself has no entry. */
export type EntryRow = {
  readonly path: FilePath;
  readonly owner: PrincipalId;
  /** The owner's name as shown. */
  readonly ownerName: string;
  /** RFC 3339. */
  readonly modified: string;
  /** Set by the store: the event that announced it last, in the room in which it lies. */
  readonly seq?: number;
  /** When it came here, whatever `modified` says; of a file. RFC 3339. */
  readonly added?: string;
} & (
  | { readonly type: 'dir' }
  | { readonly type: 'file'; readonly size: number; readonly hash: Hash; readonly content: Content }
);
export type FileRow = Extract<EntryRow, { type: 'file' }>;

/** A small JSON value under a kind and a key; `version` rises with every change and starts at 1. */
export interface Document<T = unknown> {
  readonly key: string;
  readonly version: number;
  readonly value: T;
}
export type DocumentKind =
  | 'account'
  | 'allowance'
  | 'block'
  | 'direct'
  | 'ignores'
  | 'invite'
  | 'reads'
  | 'retention'
  | 'room'
  | 'throttle'
  | 'token'
  | 'upload'
  | 'webhook';

export interface Page {
  /** Exclusive; newest first is asked by `before`, oldest first by `after`. Both undefined: the newest. Rows ascend in any case. */
  readonly before?: number;
  readonly after?: number;
  readonly limit: number;
}

export interface Search {
  /** Rooms in which to look, by the names that their logs bear. */
  readonly rooms: readonly string[];
  /** Its `in` is not looked at. */
  readonly query: SearchQuery;
  /** Exclusive. Of use for one room only, since rooms count apart. */
  readonly before?: number;
  readonly limit: number;
}

/** A file of a room's transcript, as `shared/transcript.ts` writes it. */
export interface TranscriptFile {
  readonly name: string;
  /** Never falls. */
  readonly size: number;
  /** Time of its newest event. */
  readonly modified: string;
}

/** The truth. Transactions are atomic, isolated, and durable before they resolve; those that wait at once share a commit. */
export interface Store {
  /**
   * All steps in order, or none. Errors: `conflict` (an expectation), `no-space` (the disk is full: removals still work),
   * `internal` (the disk failed: read-only from then on).
   */
  commit(writes: readonly Write[]): Promise<Receipt>;
  /** Newest number of the room's log, 0 while empty. */
  head(room: string): Promise<number>;
  /** At most `limit` rows of the log with current texts. Edited and deleted messages say so. */
  history(room: string, page: Page): Promise<readonly LogRow[]>;
  logRow(room: string, seq: number): Promise<LogRow | undefined>;
  /**
   * The newest `limit` rows that match by `matchesQuery`; what was committed before is found. One room's rows ascend by
   * number, those of several by time.
   */
  search(search: Search): Promise<readonly LogRow[]>;
  /** The files of the room's transcript that have a line, in the order of their names. Sizes count what was trimmed. */
  transcripts(room: string): Promise<readonly TranscriptFile[]>;
  /** Octets of such a file from `offset`, `length` of them if there are so many. Only the text of what is deleted ever changes, into blanks. */
  transcript(room: string, name: string, offset: number, length: number): Promise<Uint8Array>;
  /** With content (inline octets included). */
  entry(path: FilePath): Promise<EntryRow | undefined>;
  /** Children in the order of their names (by UTF-16 unit or octet, but always the same), those behind `after`, at most `limit`. Inline contents may be empty here. */
  children(folder: FilePath, page: { readonly after?: string; readonly limit: number }): Promise<readonly EntryRow[]>;
  /** At most `limit` files with this content, in any order. With content. */
  filesWith(hash: Hash, limit: number): Promise<readonly EntryRow[]>;
  /** What the files below the folder take together. */
  usage(folder: string): Promise<{ readonly files: number; readonly octets: number }>;
  /** What the files of an owner take together, wherever they lie. */
  owned(owner: PrincipalId): Promise<{ readonly files: number; readonly octets: number }>;
  document<T>(kind: DocumentKind, key: string): Promise<Document<T> | undefined>;
  /** In the order of keys, those behind `after`, at most `limit`. */
  documents<T>(
    kind: DocumentKind,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<readonly Document<T>[]>;
  /** Why writes are refused, or undefined. `no-space`: uploads are refused, talk and removals go on. */
  trouble(): StoreTrouble | undefined;
  /** Resolves after what was committed is safe and everything is closed. */
  close(): Promise<void>;
}
export type StoreTrouble = 'no-space' | 'read-only';

/** Random, so that no name a person gave touches the disk. */
export type BlobId = string & { readonly __brand?: 'BlobId' };

/** A blob that is being written. Not visible to readers until sealed. */
export interface BlobWriter {
  readonly id: BlobId;
  /**
   * Writes the pieces one after the other at the offset; resolves when written, not when durable. The octets are the
   * writer's from here on. Error: `no-space`.
   */
  write(offset: number, pieces: readonly Uint8Array[]): Promise<void>;
  /** Resolves when all that was written before is durable (fdatasync). */
  sync(): Promise<void>;
  /** The octets from 0 to here will not change: the hash of them may be computed meanwhile, off the event loop. A hint. */
  settled(octets: number): void;
  /** Cuts to `size`, makes it durable, gives its hash; from here on readers may open it. Ends the writer. */
  seal(size: number): Promise<Hash>;
  /** Lets go of the file; what was synced stays for `resume`. */
  close(): Promise<void>;
}

export interface BlobReader {
  readonly size: number;
  /** Of a plain file that is this blob from its octet 0 on: open until `close`, to be read at offsets only. */
  readonly fd?: number;
  /** Fills `into` from the offset; resolves with the number of octets, less than asked only at the end. */
  read(into: Uint8Array, offset: number): Promise<number>;
  close(): Promise<void>;
}

/** Immutable contents under random names. */
export interface Blobs {
  create(): Promise<BlobWriter>;
  /** Goes on with a writer that was closed, or lost with the process. Undefined if it is gone. */
  resume(id: BlobId): Promise<BlobWriter | undefined>;
  /** Error: a plain Error if the blob is not there, since rows and blobs must agree. */
  open(id: BlobId): Promise<BlobReader>;
  /** Removes a sealed or unsealed blob; not there is fine. Readers that are open go on. */
  remove(id: BlobId): Promise<void>;
  /**
   * sha256 of each range of a blob, sealed or being written; computed elsewhere than here, so ask for few octets at once.
   * Error: a plain Error if it is not there, or shorter.
   */
  hashesOf(id: BlobId, ranges: readonly Range[]): Promise<readonly Hash[]>;
  /** sha256 of octets in memory. */
  hash(pieces: readonly Uint8Array[]): Hash;
  /** True while there is room for this many more octets above the low-water mark. */
  hasRoom(octets: number): Promise<boolean>;
}

/** Hashes passwords off the event loop, one at a time, with a bounded queue. */
export interface Passwords {
  /** A self-describing string: `scrypt$N$r$p$salt$hash`. Error: `busy`. */
  hash(password: string): Promise<string>;
  /** Takes as long for an undefined `stored`, and is then false. Error: `busy`. */
  verify(password: string, stored: string | undefined): Promise<boolean>;
}

export interface Random {
  /** `octets` random octets in base64url. */
  token(octets: number): string;
}

/** A connection that is open, as whoever accepted it knows it. */
export interface OpenConnection {
  readonly id: string;
  readonly wire: string;
  readonly secure: boolean;
  /** Both ends as `address:port`; `port` is the one by which the person came, of a data connection too. */
  readonly peer: string;
  readonly local: string;
  readonly port: number;
  readonly sinceMs: number;
  readonly received: number;
  readonly sent: number;
  /** Of the session that it acts for now. */
  readonly session?: string;
  /** The connection that it belongs to, of a data connection. */
  readonly of?: string;
}

/** What somebody may see of a connection: all, all but what is said, nothing before it is known whose it is, nothing. */
export type Sight = 'contents' | 'headers' | 'later' | 'nothing';

export interface WireWatch {
  /** Asked for what is open and for what opens, and again whenever somebody enters. */
  sight(connection: OpenConnection): Sight;
  /** Ends with the first connection that was seen from its beginning, when that has ended. */
  readonly once: boolean;
  /** Segments come with their octets, in base64 and without secrets. */
  readonly packets: boolean;
  /** Its rows are kept until the end: showing them would be traffic of its own. */
  readonly asking: string | undefined;
  readonly signal: AbortSignal;
  /** The first one only names the sources. A promise asks to wait; events that come meanwhile are kept, and in the end counted as a gap. */
  row(event: Readonly<Record<string, unknown>>): void | Promise<void>;
}

/** What the protocols do on the connections. Nothing of it runs while nobody watches. */
export interface WireView {
  connections(): Iterable<OpenConnection>;
  /** Where events come from: `app` and what else was found on this machine, in words for people. */
  sources(): Promise<string>;
  /** Resolves with the number of events when the signal aborts, or `once` is over. Error: `busy`. */
  watch(watch: WireWatch): Promise<number>;
  /** See `LINGER`. False if the connection is gone, or cannot. */
  hold(id: string, ms: number, isSilent: boolean): boolean;
}

/** Posts over HTTP; resolves with the status, rejects if there is none. Redirects are not followed. */
export type Post = (request: {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}) => Promise<number>;

/** How anything odd that must not stop the program is told to the administrator. */
export type Report = (problem: { readonly what: string; readonly error: unknown }) => void;
