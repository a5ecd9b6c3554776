/** Blobs in memory: the executable specification of `Blobs`, for tests and for hubs that keep nothing. */
import { createHash, randomUUID } from 'node:crypto';
import type { Hash } from '../../../shared/model.ts';
import type { BlobId, BlobReader, Blobs, BlobWriter } from '../../hub/host.ts';

interface Held {
  octets: Uint8Array;
  size: number;
}

/** Blobs without a disk; there is always room. */
export function memoryBlobs(): Blobs {
  const growing = new Map<BlobId, Held>();
  const sealed = new Map<BlobId, Uint8Array>();

  const writer = (id: BlobId, held: Held): BlobWriter => ({
    id,
    write: async (offset, pieces) => {
      if (growing.get(id) !== held) throw new Error(`the blob ${id} is not being written`);
      for (const piece of pieces) {
        place(held, offset, piece);
        offset += piece.length;
      }
    },
    sync: async () => {},
    settled: () => {},
    seal: async size => {
      if (!growing.delete(id)) throw new Error(`the blob ${id} is not being written`);
      const octets = new Uint8Array(size);
      octets.set(held.octets.subarray(0, Math.min(size, held.size)));
      sealed.set(id, octets);
      return hash([octets]);
    },
    close: async () => {},
  });

  return {
    create: async () => {
      const id: BlobId = randomUUID();
      const held = { octets: new Uint8Array(), size: 0 };
      growing.set(id, held);
      return writer(id, held);
    },
    resume: async id => {
      const held = growing.get(id);
      return held && writer(id, held);
    },
    open: async id => {
      const octets = sealed.get(id);
      if (!octets) throw new Error(`there is no blob ${id}`);
      return reader(octets);
    },
    remove: async id => {
      growing.delete(id);
      sealed.delete(id);
    },
    hashesOf: async (id, ranges) => {
      const held = growing.get(id);
      const octets = held ? held.octets.subarray(0, held.size) : sealed.get(id);
      return ranges.map(({ start, end }) => {
        if (!octets || end > octets.length) throw new Error(`the blob ${id} is shorter than ${end} octets`);
        return hash([octets.subarray(start, end)]);
      });
    },
    hash,
    hasRoom: async () => true,
  };
}

function reader(octets: Uint8Array): BlobReader {
  return {
    size: octets.length,
    read: async (into, offset) => {
      const part = octets.subarray(offset, offset + into.length);
      into.set(part);
      return part.length;
    },
    close: async () => {},
  };
}

function place(held: Held, offset: number, piece: Uint8Array): void {
  const end = offset + piece.length;
  if (end > held.octets.length) {
    const grown = new Uint8Array(Math.max(end, 2 * held.octets.length));
    grown.set(held.octets);
    held.octets = grown;
  }
  held.octets.set(piece, offset);
  held.size = Math.max(held.size, end);
}

function hash(pieces: readonly Uint8Array[]): Hash {
  const sum = createHash('sha256');
  for (const piece of pieces) sum.update(piece);
  return `sha256:${sum.digest('hex')}`;
}
