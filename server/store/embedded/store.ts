/**
 * The store's main side. It gathers the transactions of a turn, sends them to the worker as one batch, and gathers on
 * while that batch is committed: the longer the disk takes, the more share its next fsync.
 */
import type { Clock } from '../../../shared/clock.ts';
import { HubError } from '../../../shared/errors.ts';
import type { Hash } from '../../../shared/model.ts';
import type { FilePath } from '../../../shared/names.ts';
import type {
  Document,
  DocumentKind,
  EntryRow,
  LogRow,
  Page,
  PrincipalId,
  Search,
  Store,
  StoreTrouble,
  TranscriptFile,
} from '../../hub/host.ts';
import type { Receipt, Write } from '../../hub/writes.ts';
import type { WorkerLink } from '../worker-link.ts';
import type { DiskSpace } from './disk-space.ts';
import type { BatchOutcome, LoneAppend, Outcome, Read, Rows, Step, StoreRequest, Transaction } from './requests.ts';
import { documentRow, entryRow, logRow, reactedRow, transcriptFile } from './rows.ts';

/** Transactions of one commit: enough that the fsync costs each little, few enough that both threads work at once. */
const BATCH_MAX = 256;
/** A second batch goes ahead of the first one's answer only when it is full, so that few writers still share commits. */
const BATCHES_AHEAD = 2;

interface Pending {
  readonly transaction: Transaction;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: unknown) => void;
}

export class EmbeddedStore implements Store {
  readonly #worker: WorkerLink<StoreRequest>;
  readonly #space: DiskSpace;
  readonly #clock: Pick<Clock, 'soon'>;
  #gathered: Pending[] = [];
  #committing = 0;
  #isSoon = false;
  #closing: Promise<void> | undefined;
  #idle: (() => void) | undefined;

  constructor(worker: WorkerLink<StoreRequest>, space: DiskSpace, clock: Pick<Clock, 'soon'>) {
    this.#worker = worker;
    this.#space = space;
    this.#clock = clock;
  }

  commit(writes: readonly Write[]): Promise<Receipt> {
    return this.#space.trouble ? this.#commitInTrouble(writes) : this.#enqueue(writes);
  }

  async head(room: string): Promise<number> {
    const rows = await this.#read(['head', room]);
    return Number(rows[0]?.[0]);
  }

  async history(room: string, { before, after, limit }: Page): Promise<readonly LogRow[]> {
    return (await this.#read(['history', room, before, after, limit])).map(reactedRow);
  }

  async logRow(room: string, seq: number): Promise<LogRow | undefined> {
    const [row] = await this.history(room, { after: seq - 1, before: seq + 1, limit: 1 });
    return row;
  }

  async search(search: Search): Promise<readonly LogRow[]> {
    return (await this.#read(['search', search])).map(logRow);
  }

  async transcripts(room: string): Promise<readonly TranscriptFile[]> {
    return (await this.#read(['transcripts', room])).map(transcriptFile);
  }

  async transcript(room: string, name: string, offset: number, length: number): Promise<Uint8Array> {
    const [row] = await this.#read(['transcript', room, name, offset, length]);
    return row![0] as Uint8Array;
  }

  async entry(path: FilePath): Promise<EntryRow | undefined> {
    const [row] = await this.#read(['entry', path]);
    return row && entryRow(row);
  }

  async children(folder: FilePath, { after = '', limit }: { readonly after?: string; readonly limit: number }) {
    return (await this.#read(['children', folder, after, limit])).map(entryRow);
  }

  async filesWith(hash: Hash, limit: number) {
    return (await this.#read(['files-with', hash, limit])).map(entryRow);
  }

  async usage(folder: string) {
    const [row] = await this.#read(['usage', folder]);
    return { files: Number(row?.[0]), octets: Number(row?.[1]) };
  }

  async owned(owner: PrincipalId) {
    const [row] = await this.#read(['owned', owner]);
    return { files: Number(row?.[0]), octets: Number(row?.[1]) };
  }

  async document<T>(kind: DocumentKind, key: string): Promise<Document<T> | undefined> {
    const [row] = await this.#read(['document', kind, key]);
    return row && documentRow<T>(row);
  }

  async documents<T>(kind: DocumentKind, { after = '', limit }: { readonly after?: string; readonly limit: number }) {
    return (await this.#read(['documents', kind, after, limit])).map(row => documentRow<T>(row));
  }

  trouble(): StoreTrouble | undefined {
    if (this.#space.trouble === 'no-space') void this.#space.recover();
    return this.#space.trouble;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#committing > 0 || this.#gathered.length > 0) {
      await new Promise<void>(resolve => {
        this.#idle = resolve;
      });
    }
    // After the worker died there is nothing left to close.
    await this.#worker.ask({ do: 'close' }).catch(() => undefined);
    await this.#worker.end();
  }

  #read(read: Read): Promise<Rows> {
    return this.#worker.ask<Rows>({ do: 'read', read });
  }

  async #commitInTrouble(writes: readonly Write[]): Promise<Receipt> {
    await this.#space.recover();
    if (this.#space.trouble === 'read-only' || (this.#space.trouble && holdsContent(writes))) {
      throw this.#space.refusal();
    }
    return this.#enqueue(writes);
  }

  #enqueue(writes: readonly Write[]): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      if (this.#closing) return reject(new Error('the store is closed'));
      this.#gathered.push({ transaction: encode(writes), resolve, reject });
      if (this.#isSoon || !this.#mayGo()) return;
      this.#isSoon = true;
      this.#clock.soon(() => {
        this.#isSoon = false;
        this.#next();
      });
    });
  }

  /** The next batch is on its way before those who waited for the last one hear of it. */
  #next(): void {
    while (this.#gathered.length > 0 && this.#mayGo()) {
      this.#committing++;
      void this.#commitBatch(this.#gathered.splice(0, BATCH_MAX), this.#space.trouble === 'no-space');
    }
    if (this.#committing === 0) this.#idle?.();
  }

  #mayGo(): boolean {
    return this.#committing === 0 || (this.#committing < BATCHES_AHEAD && this.#gathered.length >= BATCH_MAX);
  }

  async #commitBatch(batch: readonly Pending[], isTight: boolean): Promise<void> {
    const transactions = batch.map(({ transaction }) => transaction);
    let settle: () => void;
    try {
      const outcome = await this.#worker.ask<BatchOutcome>({ do: 'commit', batch: transactions, isTight });
      settle = this.#settler(batch, outcome, isTight);
    } catch (error) {
      settle = () => rejectAll(batch, error);
    }
    this.#committing--;
    this.#next();
    settle();
  }

  #settler(batch: readonly Pending[], outcome: BatchOutcome, isTight: boolean): () => void {
    if (outcome === 'full') return this.#full(batch, isTight);
    if ('failed' in outcome) {
      this.#space.failed('a commit', new Error(outcome.failed));
      return () => rejectAll(batch, this.#space.refusal());
    }
    return () => {
      for (const [i, pending] of batch.entries()) settleOne(pending, outcome[i]!);
    };
  }

  /** With the ballast gone there is room for talk and removals, once. */
  #full(batch: readonly Pending[], wasTight: boolean): () => void {
    const refusal = new HubError('no-space');
    this.#space.full(refusal);
    if (wasTight) return () => rejectAll(batch, refusal);
    const refused = batch.filter(({ transaction }) => storesContent(transaction));
    this.#gathered.unshift(...batch.filter(({ transaction }) => !storesContent(transaction)));
    return () => rejectAll(refused, refusal);
  }
}

function rejectAll(batch: readonly Pending[], error: unknown): void {
  for (const { reject } of batch) reject(error);
}

const NO_BLOBS: readonly never[] = [];

function settleOne({ resolve, reject }: Pending, outcome: Outcome): void {
  if (typeof outcome === 'number') resolve({ seqs: [outcome], unreferenced: NO_BLOBS });
  else if ('conflict' in outcome) reject(new HubError('conflict', outcome.conflict));
  else resolve(outcome);
}

function holdsContent(writes: readonly Write[]): boolean {
  return writes.some(({ kind }) => kind === 'put-entry');
}

function storesContent(transaction: Transaction): boolean {
  return transaction.some(step => typeof step === 'object' && step.kind === 'put-entry');
}

/** What the caller does to its values afterwards changes nothing. */
function encode(writes: readonly Write[]): Transaction {
  const [first] = writes;
  return writes.length === 1 && first?.kind === 'append' ? encodeAppend(first) : writes.map(encodeStep);
}

function encodeAppend({ by, event, timeMs, repeat }: Extract<Write, { kind: 'append' }>): LoneAppend {
  const json = JSON.stringify(event);
  return repeat ? [event.room, by, json, repeat.key, timeMs, repeat.sinceMs] : [event.room, by, json];
}

function encodeStep(write: Write): Step {
  switch (write.kind) {
    case 'append':
      return { kind: 'append', row: encodeAppend(write) };
    case 'put-document':
      return { ...write, value: JSON.stringify(write.value), expect: write.expect };
    case 'put-entry':
      return { ...write, entry: withOwnOctets(write.entry) };
    default:
      return write;
  }
}

/** Copied: sent to a thread, a view of octets takes all of its memory along. */
function withOwnOctets(entry: EntryRow): EntryRow {
  if (entry.type === 'dir' || entry.content.kind === 'blob') return entry;
  return { ...entry, content: { kind: 'inline', octets: Uint8Array.from(entry.content.octets) } };
}
