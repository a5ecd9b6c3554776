/** sha256 of an open file, piece by piece and in order; the caller says how far it may read. Blocks while it reads. */
import { createHash, type Hash } from 'node:crypto';
import { readSync } from 'node:fs';
import { limits } from '../shared/limits.ts';

export interface Walked {
  /** Octets from 0 that are hashed. */
  readonly position: number;
  /** One for each piece that was walked over: the sha256, in hex, of all from the file's beginning to that piece's end. */
  readonly digests: readonly string[];
}

export class HashWalk {
  #sum: Hash = createHash('sha256');
  #position = 0;

  /** Goes on to `end`, or stops before the piece that is not there or whose digest is not the expected one. */
  walk(fd: number, end: number, expected: readonly string[], buffer: Buffer): Walked {
    const digests: string[] = [];
    while (this.#position < end) {
      const piece = buffer.subarray(0, Math.min(limits.pieceOctets, end - this.#position));
      if (!fill(piece, fd, this.#position)) break;
      const sum = this.#sum.copy().update(piece);
      const digest = sum.copy().digest('hex');
      const wanted = expected[digests.length];
      if (wanted !== undefined && wanted !== digest) break;
      digests.push(digest);
      this.#sum = sum;
      this.#position += piece.length;
    }
    return { position: this.#position, digests };
  }
}

function fill(piece: Buffer, fd: number, position: number): boolean {
  for (let at = 0; at < piece.length; ) {
    const read = readSync(fd, piece, at, piece.length - at, position + at);
    if (read === 0) return false;
    at += read;
  }
  return true;
}
