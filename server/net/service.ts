/**
 * The ports of one wire and the connections that came through them: they open one by one and end together, told first,
 * given time to finish, then cut. What is said to whom is the wire's.
 */
import type { Clock } from '../../shared/clock.ts';
import { limits } from '../../shared/limits.ts';
import type { Connection } from './connection.ts';
import { type Listener, type ListenerOptions, listen } from './listener.ts';
import type { Observer } from './observer.ts';
import type { Places } from './places.ts';
import type { Proxies } from './proxies.ts';

/** A connection that is served. */
export interface Served {
  readonly connection: Connection;
  /** Answers what is owed, tells the peer, and ends. */
  finish(reason: 'shutting-down'): void;
}

/** What every wire is told when it is put into the application. */
export interface Ground {
  readonly clock: Clock;
  readonly host: string;
  /** Open at once, on all ports of all wires. */
  readonly places: Places;
  readonly proxies?: Proxies;
  readonly observer?: Observer;
}

export interface ServiceOptions extends Ground, Pick<ListenerOptions, 'wire' | 'refusal' | 'misled' | 'failed'> {
  /** Serves a connection and says `left` when it is gone, or throws: then `unserved` has the last word. */
  serve(connection: Connection): Served;
  /** What somebody is told who cannot be served, such as while the house closes. */
  unserved(error: unknown): string;
}

export class Service {
  readonly #options: ServiceOptions;
  readonly #open = new Set<Served>();
  readonly #listeners: Listener[] = [];
  #emptied: (() => void) | undefined;

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  /** Errors: what the system says, such as EADDRINUSE. */
  async bind(port: number, tls?: { readonly key: string; readonly cert: string }): Promise<Listener> {
    const { host, clock, places, proxies, observer, wire, refusal, misled, failed } = this.#options;
    const accept = (connection: Connection) => this.#accept(connection);
    const rules = { host, port, clock, places, wire, accept, refusal, failed };
    const listener = await listen({
      ...rules,
      ...(misled && { misled }),
      ...(proxies && { proxies }),
      ...(observer && { observer }),
      ...(tls && { tls }),
    });
    this.#listeners.push(listener);
    return listener;
  }

  /** It is gone. */
  left(served: Served): void {
    this.#open.delete(served);
    if (this.#open.size === 0) this.#emptied?.();
  }

  /** Accepts nobody any more; resolves when every connection is gone. What runs after `drainMs` is cut. */
  async drain(): Promise<void> {
    for (const listener of this.#listeners) listener.stopAccepting();
    const emptied = new Promise<void>(resolve => {
      this.#emptied = resolve;
    });
    if (this.#open.size === 0) return;
    for (const served of this.#open) served.finish('shutting-down');
    const cancel = this.#options.clock.after(limits.drainMs, () => {
      for (const { connection } of this.#open) connection.reset();
    });
    await emptied;
    cancel();
  }

  #accept(connection: Connection): void {
    try {
      const served = this.#options.serve(connection);
      this.#open.add(served);
      // The hub may have taken the last ones in while this port was closing.
      if (this.#emptied) served.finish('shutting-down');
    } catch (error) {
      connection.write(this.#options.unserved(error));
      connection.lingerClose();
    }
  }
}
