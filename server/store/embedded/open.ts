/** Opens a data folder: the one place that knows of what the embedded store consists. */
import type { Clock } from '../../../shared/clock.ts';
import type { Blobs, Report, Store } from '../../hub/host.ts';
import { WorkerLink } from '../worker-link.ts';
import { embeddedBlobs } from './blobs.ts';
import { DiskSpace } from './disk-space.ts';
import { armFaultPoint } from './fault-point.ts';
import { makeFolders } from './folders.ts';
import { createHasher } from './hasher.ts';
import type { StoreRequest, StoreWorkerData } from './requests.ts';
import { EmbeddedStore } from './store.ts';

export interface EmbeddedOptions {
  /** Made if missing. */
  readonly dataDir: string;
  /** Room that is kept for removals on a full disk; 0 for none. */
  readonly ballastOctets: number;
  /** Below this much free room uploads are refused. */
  readonly lowWaterOctets: number;
  readonly report: Report;
  readonly clock: Pick<Clock, 'now' | 'soon'>;
  /** A short visit while a server may be running: takes no lock and lays no ballast. */
  readonly shared?: boolean;
  /** A name of `FAULT_POINTS`: the process kills itself there. */
  readonly faultPoint?: string;
}

export interface Embedded {
  readonly store: Store;
  readonly blobs: Blobs;
  /** Resolves when what was committed is safe, and threads and files are closed. */
  close(): Promise<void>;
}

/** Errors: `busy` if another process serves the folder; a plain Error if a newer version of the program wrote it. */
export async function openEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { dataDir, report, clock, shared = false } = options;
  const faultPoint = armFaultPoint(options.faultPoint);
  await makeFolders(dataDir);
  const space = new DiskSpace({ ...options, ballastOctets: shared ? 0 : options.ballastOctets, faultPoint });
  const workerData: StoreWorkerData = { dataDir, isShared: shared, faultPoint: options.faultPoint };
  const worker = new WorkerLink<StoreRequest>(new URL('./commit-worker.js', import.meta.url), workerData, error =>
    space.failed('the thread of the store ended', error),
  );
  try {
    await worker.ask({ do: 'open' });
  } catch (error) {
    await worker.end();
    throw error;
  }
  if (!shared) await space.prepare();
  const hasher = createHasher(report);
  const store = new EmbeddedStore(worker, space, clock);
  return {
    store,
    blobs: embeddedBlobs({ dataDir, space, hasher, faultPoint }),
    close: async () => {
      await store.close();
      await hasher.end();
    },
  };
}
