/** Screens that are to be drawn anew since others did something: some each turn, so that whoever types meanwhile does not wait for all. */
import type { Clock } from '../../../shared/clock.ts';

/** About a millisecond's work. */
const paintsPerTurn = 16;

export class Paints {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `paint` once, behind those that were added before. */
  add(paint: () => void): void {
    if (this.#waiting.push(paint) === 1) this.#clock.soon(() => this.#some());
  }

  #some(): void {
    for (const paint of this.#waiting.slice(0, paintsPerTurn)) paint();
    this.#waiting.splice(0, paintsPerTurn);
    if (this.#waiting.length > 0) this.#clock.soon(() => this.#some());
  }
}
