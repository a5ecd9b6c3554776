/**
 * Octets that arrive in pieces and are wanted together, sans-IO. Large pieces are kept without a copy; small ones are
 * gathered, so that a peer who sends one octet at a time costs octets and not objects.
 */

import type { Blob } from './decoder.ts';

/** Pieces from here on are kept as they came; the copy would cost more than the object. */
const largeOctets = 16 * 1024;
const blockOctets = 32 * 1024;

export class Pieces {
  #pieces: Uint8Array[] = [];
  #block: Uint8Array | undefined;
  #filled = 0;
  #octets = 0;

  get octets(): number {
    return this.#octets;
  }

  /** `expected` says how much is still to come with this piece, so that no more than that is set aside. */
  add(piece: Uint8Array, expected: number = blockOctets): void {
    this.#octets += piece.length;
    if (piece.length >= largeOctets) {
      this.#closeBlock();
      this.#pieces.push(piece);
      return;
    }
    for (let at = 0; at < piece.length; ) {
      this.#block ??= new Uint8Array(Math.min(blockOctets, Math.max(expected - at, piece.length - at)));
      const copied = piece.subarray(at, at + this.#block.length - this.#filled);
      this.#block.set(copied, this.#filled);
      this.#filled += copied.length;
      at += copied.length;
      if (this.#filled === this.#block.length) this.#closeBlock();
    }
  }

  /** All that is held, in order; nothing is held then. */
  take(): Uint8Array[] {
    this.#closeBlock();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#octets = 0;
    return pieces;
  }

  #closeBlock(): void {
    if (this.#block && this.#filled > 0) this.#pieces.push(this.#block.subarray(0, this.#filled));
    this.#block = undefined;
    this.#filled = 0;
  }
}

/** The octets of a blob in one array; no copy where there is one piece. */
export function joinPieces(blob: Blob): Uint8Array {
  if (blob.pieces.length === 1) return blob.pieces[0]!;
  const joined = new Uint8Array(blob.octets);
  let at = 0;
  for (const piece of blob.pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
