/**
 * One connection to a hub: labels on requests, replies to promises, rows and events to their takers, and the check at the
 * end that nothing was cut off. It never reconnects; `session.ts` does. Free of anything that only Node has.
 */

import type { Clock } from '../shared/clock.ts';
import type { Command } from '../shared/commands/command.ts';
import { eventSchemas, type HubEvent, isEventName } from '../shared/events.ts';
import { KIB, MIB } from '../shared/limits.ts';
import { type Blob, type Frame, LineDecoder } from '../shared/line/decoder.ts';
import { type Body, parseBody } from '../shared/line/grammar.ts';
import { answerFields } from '../shared/line/request.ts';
import { TruncatedError } from './errors.ts';
import { LifeWatch } from './life-watch.ts';
import { formatLine, formatRequest, type RequestOptions, refusalOf, type Values } from './request.ts';
import type { OpenTransport, Transport } from './transport.ts';
import { type Pending, Unanswered } from './unanswered.ts';

export interface LinkEvents {
  event(event: HubEvent): void;
  /** The connection is over; `error` unless it ended as agreed. */
  over(error: Error | undefined): void;
}

const requestTimeoutMs = 30_000;
/** A server may be configured with other limits than ours; blobs of twice the size are still taken. */
const decoderLimits = { lineOctetsMax: 64 * KIB, blobOctetsMax: 2 * MIB };

export class Link {
  readonly #clock: Clock;
  readonly #events: LinkEvents;
  readonly #life: LifeWatch;
  readonly #decoder = new LineDecoder(decoderLimits);
  readonly #pending = new Unanswered();
  #transport: Transport | undefined;
  #labels = 0;
  #finals = 0;
  #greeted: ((fields: Values) => void) | undefined;
  #bye: { replies: number; reason: string } | undefined;
  #isBusy = false;
  #hasEnded = false;
  #isFinishing = false;
  #isOver = false;
  #whenOver: (() => void)[] = [];

  private constructor(clock: Clock, events: LinkEvents) {
    this.#clock = clock;
    this.#events = events;
    this.#life = new LifeWatch(clock, nowMs => this.#checkLife(nowMs));
  }

  /** Resolves with the link and the greeting's fields. */
  static async open(
    open: OpenTransport,
    clock: Clock,
    events: LinkEvents,
    signal?: AbortSignal,
  ): Promise<{ link: Link; greeting: Values }> {
    const link = new Link(clock, events);
    link.#transport = await open({ data: octets => link.#data(octets), end: error => link.#end(error) }, signal);
    link.expectLife(requestTimeoutMs);
    const abort = () => link.destroy();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const greeting = await new Promise<Values>((resolve, reject) => {
        const silent = () => reject(new TruncatedError('no greeting came; is this a partyline port?'));
        if (link.#isOver) return silent();
        link.#greeted = resolve;
        link.#whenOver.push(silent);
      });
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
  request(verb: string, entry: Command, input: Values, options: RequestOptions = {}): Promise<Values> {
    const { signal, onRow, blob } = options;
    if (this.isEnding) return Promise.reject(new TruncatedError('the connection has ended', { verb }));
    if (signal?.aborted) return Promise.reject(signal.reason);
    const label = (++this.#labels).toString(36);
    const { timeoutMs = requestTimeoutMs } = options;
    const sinceMs = this.#clock.now();
    const done = this.#pending.add(label, { verb, onRow, timeoutMs, sinceMs });
    this.#transport!.write(formatRequest(label, verb, entry, input, blob));
    this.#life.watch(sinceMs + timeoutMs);
    if (!signal) return done;
    const abort = () => this.#abandon(label, signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    return done.finally(() => signal.removeEventListener('abort', abort));
  }

  #abandon(label: string, reason: Error): void {
    if (this.#pending.abandon(label, reason) && !this.isEnding) this.#transport!.write([formatLine(`CANCEL ${label}`)]);
  }

  /** Gives up what has waited too long, or the link itself; the result is when to look again. */
  #checkLife(nowMs: number): number {
    // While a taker of rows keeps us waiting, the silence is ours.
    if (this.#isBusy) this.#life.heard();
    const { lastInputMs, silenceMs } = this.#life;
    const silentMs = lastInputMs + silenceMs;
    if (silentMs <= nowMs) {
      this.#over(new TruncatedError(`nothing came for ${silenceMs / 1000} s`));
      return Number.POSITIVE_INFINITY;
    }
    const { late, nextMs } = this.#pending.overdue(nowMs, lastInputMs);
    for (const [label, error] of late) this.#abandon(label, error);
    return Math.min(silentMs, nextMs);
  }

  /**
   * The graceful end: QUIT, read on until BYE, FIN, the peer's FIN. `drain: 'fin'` says no QUIT. Errors: TruncatedError
   * when BYE is missing or counts other replies than came.
   */
  async finish(drain: 'quit' | 'fin' = 'quit', timeoutMs = requestTimeoutMs): Promise<void> {
    if (this.#isOver) return;
    const over = new Promise<void>(resolve => this.#whenOver.push(resolve));
    if (!this.#isFinishing) {
      this.#isFinishing = true;
      if (drain === 'fin') this.#transport!.end();
      else this.#transport!.write([formatLine('QUIT')]);
    }
    this.expectLife(timeoutMs);
    await over;
    if (!this.#bye) throw new TruncatedError('the connection ended without BYE');
    if (this.#bye.replies !== this.#finals) {
      throw new TruncatedError(`the server sent ${this.#bye.replies} replies, ${this.#finals} came`);
    }
  }

  /** At once, without the agreed end. */
  destroy(error?: Error): void {
    this.#transport?.destroy();
    this.#over(error);
  }

  #data(octets: Uint8Array): void {
    this.#life.heard();
    this.#decoder.push(octets);
    if (!this.#isBusy) this.#pump();
  }

  #pump(): void {
    for (let decoded = this.#decoder.next(); decoded; decoded = this.#decoder.next()) {
      if (this.#isOver) return;
      if (decoded.kind !== 'frame') {
        this.#over(new TruncatedError(decoded.kind === 'invalid' ? decoded.reason : 'raw octets came'));
        return;
      }
      const wait = this.#takeSafely(decoded);
      if (!wait) continue;
      this.#isBusy = true;
      this.#transport!.pause();
      void wait.finally(() => {
        this.#isBusy = false;
        this.#life.heard();
        this.#transport!.resume();
        this.#pump();
      });
      return;
    }
    if (this.#hasEnded) this.#over(this.#bye ? undefined : new TruncatedError('the connection was lost'));
  }

  /** What a server sends never throws into the socket's events: it ends the link. */
  #takeSafely(frame: Frame): Promise<void> | undefined {
    try {
      return this.#take(frame);
    } catch (error) {
      this.#over(new TruncatedError('the server sent what cannot be read', { cause: error }));
      return undefined;
    }
  }

  #take(frame: Frame): Promise<void> | undefined {
    const body = parseBody(frame.body);
    if ('fault' in body) return undefined;
    const pending = this.#pending.get(frame.label);
    switch (body.marker) {
      case '*':
        this.#event(body, frame.blob);
        return undefined;
      case '=':
        return this.#row(body, frame, pending);
      case '+':
      case '-':
        this.#finals++;
        if (pending) this.#final(body, frame, pending);
        return undefined;
      default:
        return undefined;
    }
  }

  #row(body: Body, { label, blob }: Frame, pending: Pending | undefined): Promise<void> | undefined {
    if (!pending?.onRow) return undefined;
    const fields = body.name === 'GET' ? Object.fromEntries(body.keys) : answerFields(body, blob);
    try {
      const wait = pending.onRow({ name: body.name, fields, blob });
      return wait?.catch(error => this.#abandon(label!, error));
    } catch (error) {
      this.#abandon(label!, error as Error);
      return undefined;
    }
  }

  #final(body: Body, { label, blob }: Frame, { verb, resolve, reject }: Pending): void {
    const fields = answerFields(body, blob);
    this.#pending.answered(label!);
    if (body.marker === '+') return resolve(fields);
    reject(refusalOf(body, fields, verb, label));
  }

  #event(body: Body, blob: Blob | undefined): void {
    if (body.name.startsWith('PARTYLINE/')) {
      this.#greeted?.(answerFields(body));
      return;
    }
    if (!isEventName(body.name)) return;
    const parsed = eventSchemas[body.name].safeParse({ event: body.name, ...answerFields(body, blob) });
    if (!parsed.success) return;
    if (parsed.data.event === 'BYE') {
      this.#bye = parsed.data;
      this.#transport!.end();
    }
    // Any input is a sign of life to the server.
    if (parsed.data.event === 'PING') this.#transport!.write([formatLine('PING')]);
    this.#events.event(parsed.data);
  }

  #end(error: Error | undefined): void {
    this.#hasEnded = true;
    if (error && !this.#bye) return this.#over(new TruncatedError('the connection broke', { cause: error }));
    if (!this.#isBusy) this.#pump();
  }

  #over(error: Error | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#life.stop();
    if (error) this.#transport?.destroy();
    this.#pending.rejectAll(error ?? new TruncatedError('the connection has ended'));
    for (const resolve of this.#whenOver.splice(0)) resolve();
    this.#events.over(error);
  }
}
