/** A clock that stands until it is turned, forwards or backwards; timers know only how long they wait, as those of the machine do. */
import { systemClock } from '../../server/net/system-clock.ts';
import type { Clock } from '../../shared/clock.ts';

export class StillClock implements Clock {
  #nowMs: number;
  #elapsedMs = 0;
  readonly #timers = new Set<{ readonly atMs: number; readonly run: () => void }>();

  constructor(now: string) {
    this.#nowMs = Date.parse(now);
  }

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#elapsedMs + delayMs, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  soon(run: () => void): void {
    systemClock.soon(run);
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
