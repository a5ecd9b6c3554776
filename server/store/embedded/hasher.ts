/** The thread that hashes blobs, started when first needed and again if it died: it can read a file from 0 at any time. */
import { MIB } from '../../../shared/limits.ts';
import type { Hash } from '../../../shared/model.ts';
import type { Range } from '../../../shared/ranges.ts';
import type { BlobId, Report } from '../../hub/host.ts';
import { WorkerLink } from '../worker-link.ts';
import type { HashAnswer, HashRequest } from './requests.ts';

export interface BlobHasher {
  /** The octets from 0 to here are in the file and will not change. */
  advance(id: BlobId, path: string, octets: number): void;
  /**
   * As `advance` to the end of these pieces, which begin where the blob was advanced to; hashed without a look into the
   * file, and gone for the caller. Resolves when more may come.
   */
  take(id: BlobId, path: string, offset: number, pieces: readonly Uint8Array[]): Promise<void>;
  /** The hash of the first `size` octets. */
  finish(id: BlobId, path: string, size: number): Promise<HashAnswer>;
  /** Of each range of the first of these files that is there. */
  hashesOf(paths: readonly string[], ranges: readonly Range[]): Promise<readonly Hash[]>;
  /** Lets go of the file, and of what is known of its octets. */
  forget(id: BlobId): void;
  end(): Promise<void>;
}

/** Of all blobs together on their way to the thread. */
const TAKEN_OCTETS_MAX = 8 * MIB;

export function createHasher(report: Report): BlobHasher {
  let worker: WorkerLink<HashRequest> | undefined;
  let takenOctets = 0;
  /** Blobs of which the thread may hold something. */
  const advanced = new Set<BlobId>();
  const running = () => {
    worker ??= new WorkerLink<HashRequest>(new URL('./hash-worker.js', import.meta.url), undefined, error => {
      worker = undefined;
      advanced.clear();
      report({ what: 'hashing blobs', error });
    });
    return worker;
  };
  return {
    advance: (id, path, octets) => {
      advanced.add(id);
      running().tell({ do: 'advance', id, path, octets });
    },
    take: async (id, path, offset, given) => {
      advanced.add(id);
      const pieces = given.map(ownMemory);
      const octets = pieces.reduce((sum, piece) => sum + piece.length, 0);
      takenOctets += octets;
      const taken = running()
        .ask(
          { do: 'take', id, path, offset, pieces },
          pieces.map(piece => piece.buffer),
        )
        // What went wrong shows at the end: `finish` reads the file then.
        .catch(() => undefined)
        .finally(() => {
          takenOctets -= octets;
        });
      if (takenOctets > TAKEN_OCTETS_MAX) await taken;
    },
    finish: (id, path, octets) => {
      advanced.delete(id);
      return running().ask({ do: 'finish', id, path, octets });
    },
    hashesOf: (paths, ranges) => running().ask({ do: 'ranges', paths, ranges }),
    forget: id => {
      if (advanced.delete(id)) running().tell({ do: 'forget', id });
    },
    end: async () => worker?.end(),
  };
}

/** The octets as all of an ArrayBuffer, which can go over to the thread; copied where others have a part of it. */
function ownMemory(piece: Uint8Array): Uint8Array<ArrayBuffer> {
  const isAlone = piece.buffer instanceof ArrayBuffer && piece.length === piece.buffer.byteLength;
  return isAlone ? (piece as Uint8Array<ArrayBuffer>) : Uint8Array.from(piece);
}
