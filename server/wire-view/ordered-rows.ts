/** Rows on their way to a watcher: bounded, and put in the order of their time, since the sources are not equally quick. */
import { limits } from '../../shared/limits.ts';

export type Row = Readonly<Record<string, unknown>>;

interface Timed {
  readonly atMs: number;
  readonly row: Row;
}

/** Captures, the kernel's table and the application tell of the same moment within about this time. */
const patienceMs = 60;

export class OrderedRows {
  readonly #rows: Timed[] = [];
  #missed = 0;

  put(atMs: number, row: Row): void {
    if (this.#rows.length >= limits.wireEventsMax) {
      this.#missed++;
      return;
    }
    let place = this.#rows.length;
    while (place > 0 && this.#rows[place - 1]!.atMs > atMs) place--;
    this.#rows.splice(place, 0, { atMs, row });
  }

  missed(count: number): void {
    this.#missed += count;
  }

  /** The next row for which nothing earlier is to be expected; `Infinity` expects nothing at all any more. */
  take(nowMs: number): Row | undefined {
    const first = this.#rows[0];
    if (first && first.atMs + patienceMs <= nowMs) return this.#rows.shift()!.row;
    if (first || this.#missed === 0) return undefined;
    const missed = this.#missed;
    this.#missed = 0;
    return { kind: 'gap', missed };
  }

  /** How long until `take` gives something; undefined while there is nothing. */
  waitMs(nowMs: number): number | undefined {
    const first = this.#rows[0];
    return first && Math.max(1, first.atMs + patienceMs - nowMs);
  }
}
