/**
 * The wire view put together: who looks at which connections, and the sources that run for them. All of it begins with
 * the first watcher and ends with the last.
 */
import type { Clock } from '../../shared/clock.ts';
import { HubError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { OpenConnection, WireView, WireWatch } from '../hub/host.ts';
import type { Observed, Observer } from '../net/observer.ts';
import { Conversation, type Happening } from './conversation.ts';
import type { Ports } from './source.ts';
import { Sources } from './sources.ts';
import { View } from './view.ts';

export interface WireViewOptions {
  readonly observer: Observer;
  readonly clock: Clock;
  /** Segments may be captured, where the machine lets us. */
  readonly isCapturing: boolean;
  /** Of the server. */
  ports(): Ports;
  report(what: string): void;
}

/** The kernel's and the helpers' last words of a connection come after its end: in this time, and on a busy machine in that. */
const settleMs = 300;
const settleMsMax = 3_000;

/** `close`: every view ends, and none begins any more, so that nobody who watches holds up the end of the server. */
export function createWireView(options: WireViewOptions): WireView & { close(): void } {
  return new LiveWireView(options);
}

class LiveWireView implements WireView {
  readonly #options: WireViewOptions;
  readonly #sources: Sources;
  readonly #conversations = new Map<Observed, Conversation>();
  readonly #views = new Set<View>();
  #watchers = 0;
  #isClosed = false;
  #stopArrivals: (() => void) | undefined;

  constructor(options: WireViewOptions) {
    this.#options = options;
    this.#sources = new Sources(options, pair => this.#byPair(pair));
  }

  *connections(): Iterable<OpenConnection> {
    for (const observed of this.#options.observer.all()) yield describe(observed);
  }

  async sources(): Promise<string> {
    return (await this.#sources.find())
      .map(({ words }) => words)
      .filter(words => words !== '')
      .join('; ');
  }

  hold(id: string, ms: number, isSilent: boolean): boolean {
    for (const observed of this.#options.observer.all()) {
      if (observed.id !== id || observed.wire === 'web' || observed.of) continue;
      observed.hold = { ms, isSilent };
      return true;
    }
    return false;
  }

  close(): void {
    this.#isClosed = true;
    for (const view of this.#views) view.end();
  }

  async watch(watch: WireWatch): Promise<number> {
    if (this.#isClosed) throw new HubError('shutting-down');
    if (this.#watchers >= limits.wireViewsMax) {
      throw new HubError('busy', `${limits.wireViewsMax} people look at connections already; try again later`);
    }
    // Counted before the sources run, which somebody else's end must not stop meanwhile.
    this.#watchers++;
    try {
      await this.#sources.start();
      return await this.#show(watch);
    } finally {
      if (--this.#watchers === 0) this.#stop();
    }
  }

  async #show(watch: WireWatch): Promise<number> {
    const host = {
      clock: this.#options.clock,
      nowMs: () => this.#sources.nowMs(),
      describe: (one: Conversation) => describe(one.observed),
      release: (one: Conversation, of: View) => this.#release(one, of),
    };
    const view = new View(watch, host, host.nowMs());
    this.#views.add(view);
    if (this.#isClosed) view.end();
    // Two that look at each other would never come to an end.
    for (const other of this.#views) if (other !== view) other.drop(watch.asking);
    this.#stopArrivals ??= this.#options.observer.onOpened(observed => this.#arrived(observed));
    try {
      for (const observed of this.#options.observer.all()) this.#offer(view, observed, false);
      // Said first, so that nobody waits for what will never be shown.
      await watch.row({ sources: await this.sources() });
      return await view.run();
    } finally {
      this.#views.delete(view);
      view.close();
      this.#offerAgain(watch.asking);
    }
  }

  #stop(): void {
    this.#stopArrivals?.();
    this.#stopArrivals = undefined;
    this.#sources.stop();
  }

  #arrived(observed: Observed): void {
    for (const view of this.#views) this.#offer(view, observed, true);
  }

  #offerAgain(id: string | undefined): void {
    for (const observed of this.#options.observer.all()) {
      if (observed.id === id) for (const view of this.#views) this.#offer(view, observed, false);
    }
  }

  #offer(view: View, observed: Observed, isNew: boolean): void {
    if (!view.wants(describe(observed), isNew)) return;
    if ([...this.#views].some(other => other !== view && other.asking === observed.id)) return;
    let conversation = this.#conversations.get(observed);
    if (!conversation) {
      conversation = new Conversation(observed, isNew, () => this.#sources.nowMs());
      this.#conversations.set(observed, conversation);
      conversation.add(this.#settle);
    }
    conversation.add(view.tell);
    view.take(conversation);
    this.#sources.began(conversation);
    this.#follow(isNew);
  }

  /** What comes behind the close is still told, for a moment. */
  readonly #settle = (conversation: Conversation, { kind, source }: Happening) => {
    if (kind === 'half-close') this.#follow(true);
    if (kind === 'close' && source === 'app') this.#awaitRest(conversation, this.#sources.nowMs());
  };

  #awaitRest(conversation: Conversation, closedMs: number): void {
    this.#options.clock.after(settleMs, () => {
      const isLate = this.#sources.nowMs() - closedMs > settleMsMax;
      if (!isLate && !this.#sources.hasToldAll(conversation, closedMs)) return this.#awaitRest(conversation, closedMs);
      for (const view of this.#views) view.settled(conversation);
    });
  }

  #release(conversation: Conversation, view: View): void {
    conversation.remove(view.tell);
    if (conversation.listeners > 1) return;
    conversation.remove(this.#settle);
    this.#conversations.delete(conversation.observed);
    this.#follow(false);
  }

  #follow(isUrgent: boolean): void {
    const all = [...this.#conversations.values()];
    const isSix = all.some(({ observed }) => observed.isSix);
    this.#sources.watch({ pairs: all.flatMap(({ pairs }) => pairs), isSix, isUrgent });
  }

  #byPair(pair: number): Conversation | undefined {
    for (const conversation of this.#conversations.values()) {
      if (conversation.pairs.includes(pair)) return conversation;
    }
    return undefined;
  }
}

function describe(observed: Observed): OpenConnection {
  const { id, wire, secure, sinceMs, received, sent, session, of } = observed;
  const { peer, local } = observed.ends;
  return {
    id,
    wire,
    secure,
    peer: place(peer),
    local: place(local),
    port: (of ?? observed).ends.local.port,
    sinceMs,
    received,
    sent,
    ...(session !== undefined && { session }),
    ...(of && { of: of.id }),
  };
}

function place({ address, port }: { readonly address: string; readonly port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
