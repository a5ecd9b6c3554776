/** What a transaction of the store is made of, and what it gives back. */
import type { LogEvent } from '../../shared/events.ts';
import type { Hash } from '../../shared/model.ts';
import type { FilePath } from '../../shared/names.ts';
import type { BlobId, DocumentKind, EntryRow, PrincipalId } from './host.ts';

type Unnumbered<E> = E extends LogEvent ? Omit<E, 'seq'> : never;

/**
 * One step of a transaction. An expectation that does not hold refuses the whole transaction with `HubError('conflict')`,
 * whose message names the key or path.
 */
export type Write =
  /**
   * Gives the event the next number of its room. With `repeat`, an event that was appended under the same key at or after
   * `sinceMs` refuses nothing: the transaction changes nothing and its receipt names that number as `repeated`.
   */
  | {
      readonly kind: 'append';
      readonly by: PrincipalId;
      readonly timeMs: number;
      readonly event: Unnumbered<LogEvent>;
      readonly repeat?: { readonly key: string; readonly sinceMs: number };
    }
  /**
   * Sets the text of message `seq`, as an edit (`edited`) or as a tombstone (`deleted`: text becomes empty, and so do the
   * texts of the `EDITED` events of it).
   */
  | {
      readonly kind: 'revise';
      readonly room: string;
      readonly seq: number;
      readonly text: string;
      readonly edited?: string;
      readonly deleted?: true;
    }
  /** Adds somebody's reaction to message `seq`, or takes it away; refused where it is so already. */
  | {
      readonly kind: 'react';
      readonly room: string;
      readonly seq: number;
      readonly by: PrincipalId;
      readonly emoji: string;
      readonly isOn: boolean;
    }
  /** Refused unless the room has an event `seq` of one of these kinds. */
  | {
      readonly kind: 'expect-event';
      readonly room: string;
      readonly seq: number;
      readonly events: readonly LogEvent['event'][];
    }
  /**
   * Removes the rows of a log below `before`, but never the newest. The others keep their numbers, and the octets of their
   * lines in transcripts their places: in front of them stand as many line ends. A file without a line left is gone.
   */
  | { readonly kind: 'trim-log'; readonly room: string; readonly before: number }
  /** Removes all rows of a log; its numbers begin anew. */
  | { readonly kind: 'remove-log'; readonly room: string }
  /**
   * Puts a row. `expect`: `absent`, or the file with this hash stands there, or whatever. Its parent must be a folder or a
   * room's root. `contentOf`: its content is that of the file there, which must have it still. `announcedBy`: the row gets
   * the number given to that `append` step of the transaction, counted from 0, which stands before it.
   */
  | {
      readonly kind: 'put-entry';
      readonly entry: EntryRow;
      readonly expect: 'absent' | 'any' | { readonly hash: Hash };
      readonly contentOf?: FilePath;
      readonly announcedBy?: number;
    }
  /**
   * Moves an entry with all below it. `to` must be absent; its parent must be a folder or a room's root. `onlyOf`: nothing
   * in it is another person's. `announcedBy` as above; what is below it loses its number with its room.
   */
  | {
      readonly kind: 'move-entry';
      readonly from: FilePath;
      readonly to: FilePath;
      readonly onlyOf?: PrincipalId;
      readonly announcedBy?: number;
    }
  /**
   * Removes an entry with all below it; refused if it does not exist, or has children while `recursive` is false, or is not
   * the file with the hash `match`. `onlyOf` as above.
   */
  | {
      readonly kind: 'remove-entry';
      readonly path: FilePath;
      readonly recursive: boolean;
      readonly match?: Hash;
      readonly onlyOf?: PrincipalId;
    }
  /** Gives an entry another time of change, and leaves all else of it; refused if it does not exist, or is not `onlyOf`'s. */
  | {
      readonly kind: 'date-entry';
      readonly path: FilePath;
      readonly modified: string;
      readonly onlyOf?: PrincipalId;
    }
  /** `expect`: the version that must stand there, 0 for none; left out: whatever. */
  | {
      readonly kind: 'put-document';
      readonly document: DocumentKind;
      readonly key: string;
      readonly value: unknown;
      readonly expect?: number;
    }
  | { readonly kind: 'remove-document'; readonly document: DocumentKind; readonly key: string };

export interface Receipt {
  /** The numbers given to the `append` steps, in their order. */
  readonly seqs: readonly number[];
  /** Blobs that no entry refers to any more; the hub removes them. */
  readonly unreferenced: readonly BlobId[];
  /** The number of the earlier event, where an `append` was a repetition. */
  readonly repeated?: number;
}
