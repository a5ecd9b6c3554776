/** What a transfer tells while it runs: a visible phase instead of a stall at the end, with its rate. */
import { clientClock } from './clock.ts';

export type Phase = 'scan' | 'hash' | 'send' | 'receive' | 'verify' | 'commit' | 'done' | 'same';

/** What the transfers themselves know. */
export interface Step {
  readonly phase: Phase;
  /** The hub's path. */
  readonly path: string;
  /** Octets of this file that are where they belong. */
  readonly octets: number;
  readonly total: number;
  /** What an earlier attempt had left; 0 for a fresh start. */
  readonly resumedFrom: number;
}

export interface Progress extends Step {
  /** Of this file since it began, without what was there already; 0 while unknown. */
  readonly octetsPerSecond: number;
  /** Milliseconds until the last octet at that rate; undefined while unknown. */
  readonly etaMs: number | undefined;
}

export type OnProgress = (progress: Progress) => void;
export type OnStep = (step: Step) => void;

/** Adds rate and remaining time to the steps of any number of files. */
export function metered(onProgress: OnProgress | undefined): OnStep | undefined {
  if (!onProgress) return undefined;
  const begun = new Map<string, { readonly ms: number; readonly octets: number }>();
  return step => {
    const { phase, path, octets, total } = step;
    const now = clientClock.now();
    const start = begun.get(path) ?? { ms: now, octets };
    const octetsPerSecond = now > start.ms ? Math.max(0, (1000 * (octets - start.octets)) / (now - start.ms)) : 0;
    const etaMs = octetsPerSecond > 0 ? (1000 * (total - octets)) / octetsPerSecond : undefined;
    if (phase === 'done' || phase === 'same') begun.delete(path);
    // What an earlier attempt left is looked through at another speed: the rate begins behind it.
    else if (!begun.has(path) || phase === 'verify' || phase === 'hash') begun.set(path, { ms: now, octets });
    onProgress({ ...step, octetsPerSecond, etaMs });
  };
}
