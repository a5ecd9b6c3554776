/** The further connections of a session on which files travel, so that talk never waits behind them. */
import type { Link } from './link.ts';
import type { Session } from './session.ts';

/** Opened when first needed and kept for the next file. */
export class BulkLinks {
  readonly #session: Session;
  readonly #idle: Link[] = [];
  readonly #all = new Set<Link>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** Runs `work` on a connection that nobody else uses meanwhile. */
  async use<T>(work: (link: Link) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const link = await this.#take(signal);
    try {
      return await work(link);
    } finally {
      if (link.isEnding) this.#all.delete(link);
      else this.#idle.push(link);
    }
  }

  /** As `use`, and again on another connection when this one is lost: `work` must be safe to repeat. */
  persist<T>(work: (link: Link) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#session.persist(() => this.use(work, signal), signal);
  }

  async #take(signal?: AbortSignal): Promise<Link> {
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
    for (const link of this.#all) link.destroy();
  }
}
