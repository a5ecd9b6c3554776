/** What a caller may say about transfers, and what one file of many gets to know of it. */
import type { Pacer } from './pacing.ts';
import type { OnProgress, OnStep } from './progress.ts';

export interface TransferOptions {
  readonly signal?: AbortSignal | undefined;
  /** Of a request without any sign of life from the server. Default 30 s. */
  readonly timeoutMs?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** Of all that this call sends or fetches. */
  readonly bytesPerSecond?: number | undefined;
  /** Connections that carry one large file. Default `auto`: one below 64 MiB or to this machine, else up to three. */
  readonly parallel?: number | 'auto' | undefined;
  /** Large files at once, each on connections of its own. Default 2. */
  readonly transfers?: number | undefined;
  readonly recursive?: boolean | undefined;
  /** Send or fetch also what has the same size and date on both sides. */
  readonly force?: boolean | undefined;
  /** Send of a file of 4 MiB or more only what differs from the one that stands there, and nothing of a content that the hub has. */
  readonly delta?: boolean | undefined;
  /** What of a folder stays out, by its name below it; folders' names end in `/`. */
  readonly isIgnored?: ((name: string) => boolean) | undefined;
}

export interface FileOptions extends Pick<TransferOptions, 'signal' | 'timeoutMs' | 'parallel' | 'delta'> {
  readonly onStep?: OnStep | undefined;
  readonly pacer?: Pacer | undefined;
}
