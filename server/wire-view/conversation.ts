/** One connection that somebody looks at: what the application sees of it becomes events, once for all who look. */
import type { Observed, Tap } from '../net/observer.ts';
import { maskWeb } from './masking.ts';
import { type Messages, messagesOf, type Side } from './messages.ts';
import { pairOf } from './socket-table.ts';
import { Spoken } from './spoken.ts';

/** What happened, before it is known who may see how much of it. */
export interface Happening {
  readonly kind: 'open' | 'segment' | 'state' | 'message' | 'half-close' | 'close' | 'stats' | 'gap';
  /** Milliseconds since 1970, with fractions. */
  readonly atMs: number;
  readonly side: Side;
  readonly source: 'app' | 'proc' | 'ss' | 'trace' | 'pcap';
  readonly confidence: 'observed' | 'inferred';
  readonly [field: string]: unknown;
}

export type Listener = (conversation: Conversation, happening: Happening) => void;

export class Conversation implements Tap {
  readonly observed: Observed;
  readonly id: string;
  /** By ports: the client's end, then ours. */
  readonly pairs: readonly [client: number, server: number];
  readonly #now: () => number;
  readonly #listeners = new Set<Listener>();
  readonly #messages: Messages | undefined;
  /** What each side said, by the places in its stream. */
  readonly spoken: Readonly<Record<Side, Spoken>>;
  /** It is looked at from its beginning. */
  readonly isNew: boolean;
  #hasEnded = false;
  #hasFinished = false;
  isClosed = false;

  constructor(observed: Observed, isNew: boolean, now: () => number) {
    this.observed = observed;
    this.id = observed.id;
    this.isNew = isNew;
    const isByLines = observed.wire === 'line' || observed.wire === 'ftp';
    this.spoken = { client: new Spoken(isByLines), server: new Spoken(isByLines) };
    this.#now = now;
    const { peer, local } = observed.ends;
    this.pairs = [pairOf(peer.port, local.port), pairOf(local.port, peer.port)];
    this.#messages = messagesOf(observed.wire, observed.isHidden, (side, text) => this.message(side, text));
    observed.tap = this;
  }

  /** The id of its control connection. */
  get of(): string | undefined {
    return this.observed.of?.id;
  }

  /** What is said is known by its octets. */
  get isUnderstood(): boolean {
    return this.#messages !== undefined && !this.observed.secure;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  add(listener: Listener): void {
    this.#listeners.add(listener);
  }

  /** The connection is let go when nobody looks any more. */
  remove(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.listeners === 0 && this.observed.tap === this) this.observed.tap = undefined;
  }

  tell(happening: Happening): void {
    for (const listener of this.#listeners) listener(this, happening);
  }

  /** Its beginning, or that it was there before. */
  opening(): Happening {
    const { wire, secure, of } = this.observed;
    const { peer, local } = this.observed.ends;
    return {
      ...this.#own('open', 'client'),
      client: `${peer.address}:${peer.port}`,
      server: `${local.address}:${local.port}`,
      wire,
      ...(secure && { secure }),
      ...(of && { of: of.id }),
      ...(!this.isNew && { since: this.observed.sinceMs }),
    };
  }

  received(octets: Uint8Array): void {
    this.#messages?.received(octets);
    this.spoken.client.took(octets);
  }

  sent(octets: string | Uint8Array): void {
    this.#messages?.sent(octets);
    this.spoken.server.took(typeof octets === 'string' ? Buffer.from(octets) : octets);
  }

  message(side: Side, text: string): void {
    const shown = this.observed.wire === 'web' ? maskWeb(text) : text;
    this.spoken[side].said(shown);
    this.tell({ ...this.#own('message', side), text: shown });
  }

  concealed(isHidden: boolean): void {
    this.#messages?.conceal(isHidden);
  }

  ended(): void {
    this.#halfClose('client', this.#hasEnded);
    this.#hasEnded = true;
  }

  finished(): void {
    this.#halfClose('server', this.#hasFinished);
    this.#hasFinished = true;
  }

  closed(): void {
    this.isClosed = true;
    const { received, sent } = this.observed;
    this.tell({ ...this.#own('close', 'server'), received, sent });
  }

  #halfClose(side: Side, isKnown: boolean): void {
    if (!isKnown) this.tell(this.#own('half-close', side));
  }

  #own(kind: Happening['kind'], side: Side): Happening {
    return { kind, atMs: this.#now(), side, source: 'app', confidence: 'observed' };
  }
}
