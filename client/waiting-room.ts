/** Where requests wait while there is no connection: for ten seconds and one MiB at most, then they are told. */
import { type Clock, delay } from '../shared/clock.ts';
import { MIB } from '../shared/limits.ts';
import { OfflineError } from './errors.ts';
import type { Link } from './link.ts';

const waitMs = 10_000;
const octetsMax = MIB;

export class WaitingRoom {
  readonly #clock: Clock;
  readonly #waiting = new Set<(link: Link | undefined) => void>();
  #octets = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves in the order of coming. Errors: OfflineError, with what `why` gives as its cause; the signal's reason. */
  async wait(octets: number, why: () => Error | undefined, signal?: AbortSignal): Promise<Link> {
    if (this.#octets + octets > octetsMax) throw new OfflineError('too much waits for the connection', why());
    this.#octets += octets;
    const stop = new AbortController();
    const until = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
    const late = delay(this.#clock, waitMs, until).then(() => undefined);
    let wake: (link: Link | undefined) => void = () => undefined;
    const up = new Promise<Link | undefined>(resolve => {
      wake = resolve;
      this.#waiting.add(wake);
    });
    try {
      const link = await Promise.race([up, late]);
      if (!link) throw new OfflineError('no connection', why());
      return link;
    } finally {
      late.catch(() => undefined);
      stop.abort();
      this.#waiting.delete(wake);
      this.#octets -= octets;
    }
  }

  /** Lets all go on with this link, or tells them that none will come. */
  wake(link: Link | undefined): void {
    for (const wake of this.#waiting) wake(link);
    this.#waiting.clear();
  }
}
