/** How fast somebody may move octets: over all that they do at once, with a short burst. Knows no protocol. */
import { type Clock, delay } from '../../shared/clock.ts';

/** So much may go at once before anybody waits: long enough not to slow small files. */
const burstMs = 250;

/** One for each person, as long as something of theirs moves. */
export class Paces {
  readonly #octetsPerSecond: number;
  readonly #clock: Clock;
  readonly #paces = new Map<string, { users: number; freeAtMs: number }>();

  /** 0 for no limit. */
  constructor(octetsPerSecond: number, clock: Clock) {
    this.#octetsPerSecond = octetsPerSecond;
    this.#clock = clock;
  }

  /** Call `took` behind every piece and wait for it: it rejects when the signal aborts. Call `end` at the end. */
  begin(who: string, signal: AbortSignal): { took(octets: number): Promise<void> | undefined; end(): void } {
    const pace = this.#paces.get(who) ?? { users: 0, freeAtMs: 0 };
    this.#paces.set(who, pace);
    pace.users++;
    return {
      took: octets => {
        if (this.#octetsPerSecond === 0) return undefined;
        const now = this.#clock.now();
        pace.freeAtMs = Math.max(pace.freeAtMs, now) + (1_000 * octets) / this.#octetsPerSecond;
        const waitMs = pace.freeAtMs - now - burstMs;
        return waitMs > 0 ? delay(this.#clock, waitMs, signal) : undefined;
      },
      end: () => {
        if (--pace.users === 0) this.#paces.delete(who);
      },
    };
  }
}
