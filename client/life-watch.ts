/** The one timer of a link: it asks at the earliest time at which a silence may be too long. */
import type { Clock } from '../shared/clock.ts';

/** One timer for all that is waited for, since a timer a request is too many at a hundred thousand a second. */
export class LifeWatch {
  readonly #clock: Clock;
  readonly #check: (nowMs: number) => number;
  #lastInputMs: number;
  /** Without any input for so long the link is given up. */
  #silenceMs = Number.POSITIVE_INFINITY;
  #dueMs = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;
  #isOver = false;

  /** `check` is called when a time set by `watch` has come; it gives the next one. */
  constructor(clock: Clock, check: (nowMs: number) => number) {
    this.#clock = clock;
    this.#check = check;
    this.#lastInputMs = clock.now();
  }

  get lastInputMs(): number {
    return this.#lastInputMs;
  }

  get silenceMs(): number {
    return this.#silenceMs;
  }

  heard(): void {
    this.#lastInputMs = this.#clock.now();
  }

  /** From here on silence of `ms` is too long. */
  expect(ms: number): void {
    this.#silenceMs = ms;
    this.heard();
    this.watch(this.#lastInputMs + ms);
  }

  watch(dueMs: number): void {
    if (this.#isOver || dueMs >= this.#dueMs || dueMs === Number.POSITIVE_INFINITY) return;
    this.#cancel?.();
    this.#dueMs = dueMs;
    this.#cancel = this.#clock.after(Math.max(0, dueMs - this.#clock.now()), () => {
      this.#dueMs = Number.POSITIVE_INFINITY;
      this.watch(this.#check(this.#clock.now()));
    });
  }

  stop(): void {
    this.#isOver = true;
    this.#cancel?.();
  }
}
