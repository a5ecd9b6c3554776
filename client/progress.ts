/** What a transfer tells while it runs: a visible phase instead of a stall at the end. */

export type Phase = 'scan' | 'hash' | 'send' | 'receive' | 'verify' | 'commit' | 'done' | 'same';

export interface Progress {
  readonly phase: Phase;
  /** The hub's path. */
  readonly path: string;
  /** Octets of this file that are where they belong. */
  readonly octets: number;
  readonly total: number;
  /** What an earlier attempt had left; 0 for a fresh start. */
  readonly resumedFrom: number;
}

export type OnProgress = (progress: Progress) => void;
