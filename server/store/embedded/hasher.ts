/** The thread that hashes blobs, started when first needed and again if it died: it can read a file from 0 at any time. */
import type { BlobId, Report } from '../../hub/host.ts';
import { WorkerLink } from '../worker-link.ts';
import type { HashAnswer, HashRequest } from './requests.ts';

export interface BlobHasher {
  /** The octets from 0 to here will not change. */
  advance(id: BlobId, path: string, octets: number): void;
  /** The hash of the first `size` octets. */
  finish(id: BlobId, path: string, size: number): Promise<HashAnswer>;
  /** Lets go of the file. */
  forget(id: BlobId): void;
  end(): Promise<void>;
}

export function createHasher(report: Report): BlobHasher {
  let worker: WorkerLink<HashRequest> | undefined;
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
    finish: (id, path, octets) => {
      advanced.delete(id);
      return running().ask({ do: 'finish', id, path, octets });
    },
    forget: id => {
      if (advanced.delete(id)) running().tell({ do: 'forget', id });
    },
    end: async () => worker?.end(),
  };
}
