/** How many connections are served at once, over all listeners: below the descriptors of the process, so that all others are told. */
import { readFileSync } from 'node:fs';

/** Kept for files, the store and the listeners themselves. */
const reservedFiles = 64;

export class Places {
  readonly max: number;
  /** Connections that are being told that there is no place. */
  refused = 0;
  taken = 0;

  constructor(max: number) {
    this.max = max;
  }

  get isFull(): boolean {
    return this.taken >= this.max;
  }

  /** So many are refused at the moment that they are told in one breath. */
  get isFlooded(): boolean {
    return this.refused >= Math.min(256, this.max / 8);
  }
}

/** Connections that this process has descriptors for: three quarters of what is left beside the files. */
export function connectionsWithin(openFiles: number): number {
  return Math.max(16, Math.floor(((openFiles - reservedFiles) * 3) / 4));
}

/** The soft limit of open files; infinite where the system does not say. */
export function openFilesMax(): number {
  try {
    const [, soft] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined || soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
