/** PINGs to a client that announced `heartbeat`, and the end of one that misses two. */
import type { Clock } from '../../../shared/clock.ts';
import { limits } from '../../../shared/limits.ts';

export interface Beating {
  /** False while input is not read: silence means nothing then. */
  readonly isHeard: boolean;
  ping(): void;
  lost(): void;
}

export class Heartbeat {
  readonly #clock: Clock;
  readonly #beating: Beating;
  #silentBeats = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, beating: Beating) {
    this.#clock = clock;
    this.#beating = beating;
    this.#next();
  }

  /** Something came. */
  heard(): void {
    this.#silentBeats = 0;
  }

  stop(): void {
    this.#cancel?.();
  }

  #next(): void {
    this.#cancel = this.#clock.after(limits.heartbeatMs, () => {
      if (this.#beating.isHeard && ++this.#silentBeats > 2) return this.#beating.lost();
      this.#beating.ping();
      this.#next();
    });
  }
}
