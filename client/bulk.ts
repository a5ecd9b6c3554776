/** The further connections of a session on which files travel, so that talk never waits behind them. */
import { MIB } from '../shared/limits.ts';
import { HashThread } from './hash-thread.ts';
import type { BulkLink } from './link.ts';
import type { Session } from './session.ts';

/** From here on a file is worth more than one connection: each has its own window, and its own share of a busy way. */
const severalFromOctets = 64 * MIB;
const severalConnections = 3;

/** Opened when first needed and kept for the next file. */
export class BulkLinks {
  readonly hashes = new HashThread();
  readonly #session: Session;
  readonly #isNear: boolean;
  readonly #idle: BulkLink[] = [];
  readonly #all = new Set<BulkLink>();

  /** `isNear`: the hub is on this machine, where one connection is as fast as the processors are. */
  constructor(session: Session, isNear: boolean) {
    this.#session = session;
    this.#isNear = isNear;
  }

  /** How many connections carry so many octets of one file. */
  connectionsFor(octets: number, parallel: number | 'auto' = 'auto'): number {
    if (parallel !== 'auto') return parallel;
    return this.#isNear || octets < severalFromOctets ? 1 : severalConnections;
  }

  /** Runs `work` on a connection that nobody else uses meanwhile. */
  async use<T>(work: (link: BulkLink) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const link = await this.#take(signal);
    try {
      return await work(link);
    } finally {
      this.#giveBack(link);
    }
  }

  /** As `use`, and again on another connection when this one is lost: `work` must be safe to repeat. */
  persist<T>(work: (link: BulkLink) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.again(() => this.use(work, signal), signal);
  }

  /** Runs `work` again when a connection is lost under it. */
  again<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#session.persist(work, signal);
  }

  /**
   * Runs `work` on up to `count` connections at once, each until nothing is left to do. Those beyond the first only help:
   * one that cannot be opened, or comes when all is done, is left out. The first failure ends the others.
   */
  async share(
    count: number,
    work: (link: BulkLink, signal: AbortSignal) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<void> {
    const [failed, done] = [new AbortController(), new AbortController()];
    const ends = signal ? [signal, failed.signal] : [failed.signal];
    const run = async (isFirst: boolean) => {
      // One for each connection: so many requests listen to it that Node would suspect a leak.
      const until = AbortSignal.any(ends);
      const opening = AbortSignal.any([until, done.signal]);
      const link = await (isFirst ? this.#take(until) : this.#take(opening).catch(() => undefined));
      if (!link) return;
      try {
        await work(link, until);
        done.abort();
      } finally {
        this.#giveBack(link);
      }
    };
    const runs = Array.from({ length: count }, (_, n) => run(n === 0).catch(error => failed.abort(error)));
    await Promise.all(runs);
    failed.signal.throwIfAborted();
  }

  #giveBack(link: BulkLink): void {
    if (link.isEnding) this.#all.delete(link);
    else this.#idle.push(link);
  }

  async #take(signal?: AbortSignal): Promise<BulkLink> {
    for (let link = this.#idle.pop(); link; link = this.#idle.pop()) {
      if (!link.isEnding) return link;
      this.#all.delete(link);
    }
    const link = await this.#session.further(signal);
    this.#all.add(link);
    return link;
  }

  async finish(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map(link => link.finish().catch(() => undefined)));
  }

  destroy(): void {
    this.hashes.end();
    for (const link of this.#all) link.destroy();
  }
}
