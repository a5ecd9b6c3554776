/** One upload as it lives: which octets are written, which are safe, and the file they go to. Rules are in `uploads.ts`. */
import { HubError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { Hash } from '../../shared/model.ts';
import type { FilePath } from '../../shared/names.ts';
import {
  addRange,
  formatRanges,
  heldOctets,
  heldPrefix,
  missingRanges,
  parseRanges,
  type Range,
} from '../../shared/ranges.ts';
import type { BlobId, Blobs, BlobWriter, PrincipalId, Store } from './host.ts';
import type { PutMode } from './tree.ts';

export interface UploadDone {
  readonly size: number;
  readonly hash: Hash;
  readonly seq?: number;
}

/** The document of kind `upload` under its id. */
export interface UploadDocument {
  readonly principal: PrincipalId;
  readonly path: FilePath;
  readonly size?: number;
  readonly hash?: Hash;
  readonly mode: PutMode;
  readonly match?: Hash;
  /** RFC 3339, as the client wants the file dated. */
  readonly modified?: string;
  readonly blob: BlobId;
  /** What is safe on disk, as `formatRanges` writes it. */
  readonly have: string;
  readonly touchedMs: number;
  /** Set in the transaction that made the file: the blob is the file's then. `seq` is known until a restart, and never in a home. */
  readonly done?: UploadDone;
}

export class Upload {
  readonly id: string;
  document: UploadDocument;
  /** Runs once however often it is asked for. */
  committing: Promise<UploadDone> | undefined;
  readonly #store: Store;
  readonly #blobs: Blobs;
  #written: readonly Range[];
  #writer: Promise<BlobWriter | undefined> | undefined;
  #sealed: { size: number; hash: Hash } | undefined;
  #unsafeOctets = 0;
  #checkpoint: Promise<void> = Promise.resolve();
  readonly #writing = new Set<Promise<void>>();

  constructor(id: string, document: UploadDocument, store: Store, blobs: Blobs, writer?: BlobWriter) {
    this.id = id;
    this.document = document;
    this.#store = store;
    this.#blobs = blobs;
    this.#written = parseRanges(document.have);
    this.#writer = writer && Promise.resolve(writer);
  }

  get heldOctets(): number {
    return heldOctets(this.#written);
  }

  /** Octets from 0 to the end of what is written, holes not counted out. */
  get extent(): number {
    return this.#written.at(-1)?.end ?? 0;
  }

  missing(size: number): readonly Range[] {
    return missingRanges(this.#written, size);
  }

  /** Error: `bad-argument`. */
  demandWithin(offset: number, octets: number): void {
    const { size } = this.document;
    if (size === undefined || offset + octets <= size) return;
    throw new HubError('bad-argument', `the piece ends past the announced size ${size}`, { at: 'offset' });
  }

  /** False if the blob is gone, so that the upload has to begin anew. */
  async isAlive(): Promise<boolean> {
    return this.#sealed !== undefined || (await this.#open()) !== undefined;
  }

  #open(): Promise<BlobWriter | undefined> {
    this.#writer ??= this.#blobs.resume(this.document.blob);
    return this.#writer;
  }

  /** Errors: `no-upload` if its blob is gone, `no-space`, `conflict` while it is being made a file. */
  async write(offset: number, pieces: readonly Uint8Array[], nowMs: number): Promise<void> {
    if (this.#sealed || this.committing) throw new HubError('conflict', 'the upload is complete; COMMIT or ABORT it');
    const writer = await this.#open();
    if (!writer) throw new HubError('no-upload', 'the upload is gone; PUT again');
    const octets = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const writing = writer.write(offset, pieces);
    this.#writing.add(writing);
    await writing.finally(() => this.#writing.delete(writing));
    this.#written = addRange(this.#written, { start: offset, end: offset + octets });
    writer.settled(heldPrefix(this.#written));
    this.#unsafeOctets += octets;
    if (this.#unsafeOctets >= limits.uploadSyncOctets) {
      this.#unsafeOctets = 0;
      if (!(await this.#blobs.hasRoom(limits.pieceOctets))) throw new HubError('no-space');
      // Not awaited: the piece is written, and what is safe is said by `have` alone.
      this.makeSafe(nowMs).catch(() => undefined);
    }
  }

  /** Makes what is written durable and records it; resolves with the ranges that are safe. */
  async makeSafe(nowMs: number): Promise<string> {
    const run = this.#checkpoint.then(async () => {
      const have = formatRanges(this.#written);
      if (this.document.done || this.#sealed || have === this.document.have) return;
      await (await this.#open())?.sync();
      await this.#save({ ...this.document, have, touchedMs: nowMs });
    });
    this.#checkpoint = run.catch(() => undefined);
    await run;
    return this.document.have;
  }

  async #save(document: UploadDocument): Promise<void> {
    await this.#store.commit([{ kind: 'put-document', document: 'upload', key: this.id, value: document }]);
    this.document = document;
  }

  /** Ends writing; may be repeated after the transaction behind it was refused. */
  async seal(size: number): Promise<Hash> {
    await this.#checkpoint;
    if (this.#sealed?.size === size) return this.#sealed.hash;
    const writer = await this.#open();
    if (!writer) throw new HubError('no-upload', 'the upload is gone; PUT again');
    // Octets that are still on their way to the file would change it under its hash.
    await Promise.allSettled(this.#writing);
    const hash = await writer.seal(size);
    this.#sealed = { size, hash };
    return hash;
  }

  /** Lets go of the file until somebody goes on. */
  async rest(nowMs: number): Promise<void> {
    if (!this.#writer || this.#sealed || this.committing) return;
    await this.makeSafe(nowMs);
    const writer = await this.#writer;
    this.#writer = undefined;
    await writer?.close();
  }

  /** Forgets the upload and what it held. */
  async drop(): Promise<void> {
    await this.#close();
    await this.#store.commit([{ kind: 'remove-document', document: 'upload', key: this.id }]);
    if (!this.document.done) await this.#blobs.remove(this.document.blob);
  }

  /** Forgets what it held alone: it became a file with the content of another. */
  async discard(): Promise<void> {
    await Promise.allSettled(this.#writing);
    await this.#close();
    await this.#blobs.remove(this.document.blob);
  }

  async #close(): Promise<void> {
    await this.#checkpoint;
    const writer = await this.#writer;
    this.#writer = undefined;
    if (!this.#sealed) await writer?.close();
  }
}
