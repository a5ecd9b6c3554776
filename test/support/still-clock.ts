/** A clock that stands until it is turned, forwards or backwards; timers know only how long they wait, as those of the machine do. */
import { systemClock } from '../../server/net/system-clock.ts';
import type { Clock } from '../../shared/clock.ts';

export class StillClock implements Clock {
  #nowMs: number;
  #elapsedMs = 0;
  readonly #timers = new Set<{ readonly atMs: number; readonly delayMs: number; readonly run: () => void }>();
  #begun = () => {};

  constructor(now: string) {
    this.#nowMs = Date.parse(now);
  }

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#elapsedMs + delayMs, delayMs, run };
    this.#timers.add(timer);
    this.#begun();
    return () => this.#timers.delete(timer);
  }

  soon(run: () => void): void {
    systemClock.soon(run);
  }

  /** Resolves when somebody waits for so long. */
  async whenWaiting(delayMs: number): Promise<void> {
    while (![...this.#timers].some(timer => timer.delayMs === delayMs)) {
      await new Promise<void>(resolve => {
        this.#begun = resolve;
      });
    }
  }

  /** Somebody sets it: no time passes. */
  set(now: string): void {
    this.#nowMs = Date.parse(now);
  }

  /** Time passes. What is due runs; what that begins may go on behind this. */
  pass(ms: number): void {
    this.#nowMs += ms;
    this.#elapsedMs += ms;
    const due = [...this.#timers].filter(({ atMs }) => atMs <= this.#elapsedMs).sort((a, b) => a.atMs - b.atMs);
    for (const timer of due) if (this.#timers.delete(timer)) timer.run();
  }
}
