/** How much at once, and how fast: a window of promises, and a rate that several transfers share. */
import { delay } from '../shared/clock.ts';
import { clientClock } from './clock.ts';

/** At most so many promises at once; a failure is thrown at the next turn. */
export class Window {
  readonly #max: number;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(max: number) {
    this.#max = max;
  }

  add(work: Promise<unknown>): void {
    const tracked: Promise<void> = work.then(
      () => void this.#running.delete(tracked),
      error => {
        this.#failure ??= { error };
        this.#running.delete(tracked);
      },
    );
    this.#running.add(tracked);
  }

  async room(): Promise<void> {
    while (this.#running.size >= this.#max) await Promise.race(this.#running);
    if (this.#failure) throw this.#failure.error;
  }

  async empty(): Promise<void> {
    await Promise.all(this.#running);
    if (this.#failure) throw this.#failure.error;
  }
}

/** Keeps a rate, over all who ask it, by telling each how long to wait. */
export class Pacer {
  readonly #bytesPerSecond: number;
  #dueMs = 0;

  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Undefined where there is nothing to wait for. Error: the signal's reason. */
  pace(octets: number, signal?: AbortSignal): Promise<void> | undefined {
    const now = performance.now();
    const waitMs = this.#dueMs - now;
    this.#dueMs = Math.max(this.#dueMs, now) + (octets / this.#bytesPerSecond) * 1000;
    return waitMs > 0 ? delay(clientClock, waitMs, signal) : undefined;
  }
}
