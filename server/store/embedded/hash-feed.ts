/**
 * What one blob's hasher is told: octets while they are in memory, as far as they were written in order; otherwise how far
 * it may read in the file. Reading them again would cost a fifth of hashing them.
 */
import { MIB } from '../../../shared/limits.ts';
import type { Hash } from '../../../shared/model.ts';
import type { BlobId } from '../../hub/host.ts';
import type { BlobHasher } from './hasher.ts';

/** What is settled and not at hand any more is told in steps of this size. */
const SETTLED_STEP_OCTETS = 4 * MIB;
/** Octets that were written before those in front of them, kept until it is their turn. */
const EARLY_OCTETS_MAX = 8 * MIB;

export class HashFeed {
  readonly #hasher: BlobHasher;
  readonly #id: BlobId;
  readonly #path: string;
  /** What the hasher knows of: all from 0 to here. */
  #told = 0;
  /** Offset → what was written there before its turn; undefined when the hasher reads the file from now on. */
  #early: Map<number, readonly Uint8Array[]> | undefined = new Map();
  #earlyOctets = 0;

  constructor(hasher: BlobHasher, id: BlobId, path: string) {
    this.#hasher = hasher;
    this.#id = id;
    this.#path = path;
  }

  /** These octets are in the file; nobody else uses their memory. Resolves when more may come. */
  async written(offset: number, pieces: readonly Uint8Array[]): Promise<void> {
    const octets = octetsOf(pieces);
    if (octets === 0) return;
    const isRepeated = offset < this.#told;
    // What was hashed of octets that are written anew is of no use.
    if (isRepeated) this.forget();
    // Which of two writes of the same octets stands in the file only the file says.
    if (isRepeated || this.#isKept(offset, octets)) this.#early = undefined;
    else if (offset > this.#told) this.#keepEarly(offset, pieces, octets);
    else if (this.#early) {
      this.#told += octets;
      await this.#hasher.take(this.#id, this.#path, offset, pieces);
      await this.#tellEarly();
    }
  }

  /** The octets from 0 to here are in the file. */
  settled(octets: number): void {
    if (octets < this.#told + SETTLED_STEP_OCTETS) return;
    this.#told = octets;
    this.#hasher.advance(this.#id, this.#path, octets);
  }

  finish(size: number): Promise<Hash> {
    return this.#hasher.finish(this.#id, this.#path, size);
  }

  forget(): void {
    this.#told = 0;
    this.#hasher.forget(this.#id);
  }

  /** Some of these octets are kept already. */
  #isKept(start: number, octets: number): boolean {
    for (const [at, pieces] of this.#early ?? []) if (at < start + octets && start < at + octetsOf(pieces)) return true;
    return false;
  }

  #keepEarly(offset: number, pieces: readonly Uint8Array[], octets: number): void {
    this.#earlyOctets += octets;
    if (this.#earlyOctets > EARLY_OCTETS_MAX) this.#early = undefined;
    this.#early?.set(offset, pieces);
  }

  async #tellEarly(): Promise<void> {
    const pieces = this.#early?.get(this.#told);
    if (!pieces) return;
    this.#early!.delete(this.#told);
    this.#earlyOctets -= octetsOf(pieces);
    await this.written(this.#told, pieces);
  }
}

function octetsOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}
