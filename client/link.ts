/**
 * One connection to a hub: labels on requests, replies to promises, rows and events to their takers, and the check at the
 * end that nothing was cut off. It never reconnects; `session.ts` does. Knows no wire, and is free of what only Node has.
 */
import type { Clock } from '../shared/clock.ts';
import type { HubEvent } from '../shared/events.ts';
import { TruncatedError } from './errors.ts';
import { LifeWatch } from './life-watch.ts';
import { type RequestOptions, type Row, refusalOf, type Values } from './request.ts';
import { Unanswered } from './unanswered.ts';
import type { OpenWay, Refusal, Way, WayEvents } from './way.ts';

export interface LinkEvents {
  event(event: HubEvent): void;
  /** The connection is over; `error` unless it ended as agreed. */
  over(error: Error | undefined): unknown;
}

/** As those who move files see it. */
export type BulkLink = Pick<Link, 'isEnding' | 'request' | 'finish' | 'destroy'>;

/** Others go on using it: it ends with them. */
export function borrowed(link: Link): BulkLink {
  return {
    get isEnding() {
      return link.isEnding;
    },
    request: (verb, input, options) => link.request(verb, input, options),
    finish: async () => undefined,
    destroy: () => undefined,
  };
}

const requestTimeoutMs = 30_000;

export class Link implements WayEvents {
  readonly #clock: Clock;
  readonly #events: LinkEvents;
  readonly #life: LifeWatch;
  readonly #pending = new Unanswered();
  #way: Way | undefined;
  #labels = 0;
  #finals = 0;
  #welcome: ((fields: Values) => void) | undefined;
  #bye: { readonly replies: number } | undefined;
  #isBusy = false;
  #isFinishing = false;
  #isOver = false;
  #failure: Error | undefined;
  #whenOver: (() => void)[] = [];

  private constructor(clock: Clock, events: LinkEvents) {
    this.#clock = clock;
    this.#events = events;
    this.#life = new LifeWatch(clock, nowMs => this.#checkLife(nowMs));
  }

  /** Resolves with the link and the greeting's fields. */
  static async open(
    open: OpenWay,
    clock: Clock,
    events: LinkEvents,
    signal?: AbortSignal,
  ): Promise<{ link: Link; greeting: Values }> {
    const link = new Link(clock, events);
    const greeted = new Promise<Values>((resolve, reject) => {
      link.#welcome = resolve;
      link.#whenOver.push(() => reject(new TruncatedError('no greeting came; is this a partyline port?')));
    });
    greeted.catch(() => undefined);
    link.#way = await open(link, signal);
    link.expectLife(requestTimeoutMs);
    const abort = () => link.destroy();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const greeting = await greeted;
      link.expectLife(Number.POSITIVE_INFINITY);
      return { link, greeting };
    } catch (error) {
      link.destroy();
      throw signal?.aborted ? signal.reason : error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** No request is taken any more: it is over, or the server has said BYE, or we have said QUIT. */
  get isEnding(): boolean {
    return this.#isOver || this.#isFinishing || this.#bye !== undefined;
  }

  /** From here on, silence of `ms` is the end of the link: a way can die without a word. */
  expectLife(ms: number): void {
    this.#life.expect(ms);
  }

  /** Errors: PartylineError with the server's code; TruncatedError; the signal's reason. */
  request(verb: string, input: Values, options: RequestOptions = {}): Promise<Values> {
    const { signal, onRow, blob } = options;
    if (this.isEnding) return Promise.reject(new TruncatedError('the connection has ended', { verb }));
    if (signal?.aborted) return Promise.reject(signal.reason);
    const label = (++this.#labels).toString(36);
    const { timeoutMs = requestTimeoutMs } = options;
    const sinceMs = this.#clock.now();
    const done = this.#pending.add(label, { verb, onRow, timeoutMs, sinceMs });
    this.#way!.ask(label, verb, input, blob);
    this.#life.watch(sinceMs + timeoutMs);
    if (!signal) return done;
    const abort = () => this.#abandon(label, signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    return done.finally(() => signal.removeEventListener('abort', abort));
  }

  #abandon(label: string, reason: Error): void {
    if (this.#pending.abandon(label, reason) && !this.isEnding) this.#way!.cancel(label);
  }

  /** Gives up what has waited too long, or the link itself; the result is when to look again. */
  #checkLife(nowMs: number): number {
    // While a taker of rows keeps us waiting, the silence is ours.
    if (this.#isBusy) this.#life.heard();
    const { lastInputMs, silenceMs } = this.#life;
    const silentMs = lastInputMs + silenceMs;
    if (silentMs <= nowMs) {
      this.over(new TruncatedError(`nothing came for ${silenceMs / 1000} s`));
      return Number.POSITIVE_INFINITY;
    }
    const { late, nextMs } = this.#pending.overdue(nowMs, lastInputMs);
    for (const [label, error] of late) this.#abandon(label, error);
    return Math.min(silentMs, nextMs);
  }

  /**
   * The graceful end: nothing more is asked, all is answered, both sides end. Errors: TruncatedError when it ended
   * otherwise, or the server counts other replies than came.
   */
  async finish(how: 'quit' | 'fin' = 'quit', timeoutMs = requestTimeoutMs): Promise<void> {
    if (!this.#isOver) {
      const over = new Promise<void>(resolve => this.#whenOver.push(resolve));
      if (!this.#isFinishing) {
        this.#isFinishing = true;
        this.#way!.quit(how);
      }
      this.expectLife(timeoutMs);
      await over;
      if (this.#failure) throw this.#failure;
    }
    if (this.#bye && this.#bye.replies !== this.#finals) {
      throw new TruncatedError(`the server sent ${this.#bye.replies} replies, ${this.#finals} came`);
    }
  }

  /** At once, without the agreed end. */
  destroy(error?: Error): void {
    this.#way?.destroy();
    this.over(error);
  }

  heard(): void {
    this.#life.heard();
  }

  greeted(fields: Values): void {
    this.#welcome?.(fields);
  }

  row(label: string | undefined, row: Row): Promise<void> | undefined {
    const pending = this.#pending.get(label);
    if (!pending?.onRow) return undefined;
    try {
      const wait = pending.onRow(row)?.catch(error => this.#abandon(label!, error));
      if (!wait) return undefined;
      this.#isBusy = true;
      return wait.finally(() => {
        this.#isBusy = false;
        this.#life.heard();
      });
    } catch (error) {
      this.#abandon(label!, error as Error);
      return undefined;
    }
  }

  answered(label: string | undefined, fields: Values): void {
    this.#finals++;
    this.#pending.take(label)?.resolve(fields);
  }

  refused(label: string | undefined, refusal: Refusal): void {
    this.#finals++;
    const pending = this.#pending.take(label);
    pending?.reject(refusalOf(refusal, pending.verb, label));
  }

  event(event: HubEvent): void {
    if (event.event === 'BYE') {
      this.#bye = event;
      this.#way!.end();
    }
    // Any input is a sign of life to the server.
    if (event.event === 'PING') this.#way!.live();
    this.#events.event(event);
  }

  over(error?: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure = error;
    this.#life.stop();
    if (error) this.#way?.destroy();
    this.#pending.rejectAll(error ?? new TruncatedError('the connection has ended'));
    for (const resolve of this.#whenOver.splice(0)) resolve();
    this.#events.over(error);
  }
}
