/**
 * One connection to a hub: labels on requests, replies to promises, rows and events to their takers, and the check at the
 * end that nothing was cut off. It never reconnects; `session.ts` does. Free of anything that only Node has.
 */

import type { Clock } from '../shared/clock.ts';
import type { Command } from '../shared/commands/command.ts';
import { isErrorCode } from '../shared/errors.ts';
import { eventSchemas, type HubEvent, isEventName } from '../shared/events.ts';
import { KIB, MIB } from '../shared/limits.ts';
import { type Blob, type Frame, LineDecoder } from '../shared/line/decoder.ts';
import { type Body, formatFrame, parseBody } from '../shared/line/grammar.ts';
import { answerFields, joinPieces, requestWords } from '../shared/line/request.ts';
import { PartylineError, TruncatedError } from './errors.ts';
import type { OpenTransport, Transport } from './transport.ts';

export type Values = Record<string, unknown>;

export interface Row {
  /** The command's name, or the event's where rows are events. */
  readonly name: string;
  readonly fields: Values;
  readonly blob: Blob | undefined;
}

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  /** Without any sign of life from the server. */
  readonly timeoutMs?: number | undefined;
  readonly blob?: Uint8Array | undefined;
  /** A promise stops the reading until it is settled. */
  readonly onRow?: ((row: Row) => void | Promise<void>) | undefined;
}

interface Pending {
  readonly verb: string;
  readonly onRow: RequestOptions['onRow'];
  /** Undefined once nobody waits any more. */
  readonly timeoutMs: number | undefined;
  readonly sinceMs: number;
  resolve(fields: Values): void;
  reject(error: Error): void;
}

export interface LinkEvents {
  event(event: HubEvent): void;
  /** The connection is over; `error` unless it ended as agreed. */
  over(error: Error | undefined): void;
}

const requestTimeoutMs = 30_000;
/** A server may be configured with other limits than ours; blobs of twice the size are still taken. */
const decoderLimits = { lineOctetsMax: 64 * KIB, blobOctetsMax: 2 * MIB };
const style = { lineEnd: '\n', form: 'words' } as const;

export class Link {
  readonly #clock: Clock;
  readonly #events: LinkEvents;
  readonly #decoder = new LineDecoder(decoderLimits);
  readonly #pending = new Map<string, Pending>();
  #transport: Transport | undefined;
  #labels = 0;
  #finals = 0;
  #lastInputMs: number;
  #greeted: ((fields: Values) => void) | undefined;
  #bye: { replies: number; reason: string } | undefined;
  #isBusy = false;
  #hasEnded = false;
  #isFinishing = false;
  #isOver = false;
  /** Without any input for so long the link is given up. */
  #silenceMs = Number.POSITIVE_INFINITY;
  #watchDueMs = Number.POSITIVE_INFINITY;
  #cancelWatch: (() => void) | undefined;
  #whenOver: (() => void)[] = [];

  private constructor(clock: Clock, events: LinkEvents) {
    this.#clock = clock;
    this.#events = events;
    this.#lastInputMs = clock.now();
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
    this.#silenceMs = ms;
    this.#lastInputMs = this.#clock.now();
    this.#watch(this.#lastInputMs + ms);
  }

  /** Errors: PartylineError with the server's code; TruncatedError; the signal's reason. */
  request(verb: string, entry: Command, input: Values, options: RequestOptions = {}): Promise<Values> {
    const { signal, onRow, blob } = options;
    if (this.isEnding) return Promise.reject(new TruncatedError('the connection has ended', { verb }));
    if (signal?.aborted) return Promise.reject(signal.reason);
    const label = (++this.#labels).toString(36);
    const { timeoutMs = requestTimeoutMs } = options;
    const sinceMs = this.#clock.now();
    const done = new Promise<Values>((resolve, reject) =>
      this.#pending.set(label, { verb, onRow, timeoutMs, sinceMs, resolve, reject }),
    );
    this.#send(label, verb, entry, input, blob);
    this.#watch(sinceMs + timeoutMs);
    if (!signal) return done;
    const abort = () => this.#abandon(label, signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    return done.finally(() => signal.removeEventListener('abort', abort));
  }

  #send(label: string, verb: string, entry: Command, input: Values, blob: Uint8Array | undefined): void {
    const { words, fields, needsJson } = requestWords(entry, input);
    const parts = needsJson ? { fields: input as typeof fields } : { words, fields };
    const head = { label, marker: '', name: verb, ...parts, ...(blob && { blobOctets: blob.length }) } as const;
    const line = formatFrame(head, needsJson ? { ...style, form: 'json' } : style);
    this.#transport!.write(blob ? [line, blob, style.lineEnd] : [line]);
  }

  /** The caller no longer waits; the final line is taken silently when it comes, so the link stays in step. */
  #abandon(label: string, reason: Error): void {
    const pending = this.#pending.get(label);
    if (pending?.timeoutMs === undefined) return;
    const deaf = { onRow: undefined, timeoutMs: undefined, resolve: () => undefined, reject: () => undefined };
    this.#pending.set(label, { ...pending, ...deaf });
    if (!this.isEnding) this.#transport!.write([`CANCEL ${label}${style.lineEnd}`]);
    pending.reject(reason);
  }

  /** One timer for all that is waited for, since a timer a request is too many at a hundred thousand a second. */
  #watch(dueMs: number): void {
    if (this.#isOver || dueMs >= this.#watchDueMs || dueMs === Number.POSITIVE_INFINITY) return;
    this.#cancelWatch?.();
    this.#watchDueMs = dueMs;
    this.#cancelWatch = this.#clock.after(Math.max(0, dueMs - this.#clock.now()), () => this.#checkLife());
  }

  #checkLife(): void {
    const now = this.#clock.now();
    this.#watchDueMs = Number.POSITIVE_INFINITY;
    // While a taker of rows keeps us waiting, the silence is ours.
    if (this.#isBusy) this.#lastInputMs = now;
    let nextMs = this.#lastInputMs + this.#silenceMs;
    if (nextMs <= now) return this.#over(new TruncatedError(`nothing came for ${this.#silenceMs / 1000} s`));
    for (const [label, { verb, timeoutMs, sinceMs }] of this.#pending) {
      if (timeoutMs === undefined) continue;
      const dueMs = Math.max(this.#lastInputMs, sinceMs) + timeoutMs;
      if (dueMs > now) nextMs = Math.min(nextMs, dueMs);
      else this.#abandon(label, new PartylineError('timeout', `no answer for ${timeoutMs / 1000} s`, { verb, label }));
    }
    this.#watch(nextMs);
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
      else this.#transport!.write([`QUIT${style.lineEnd}`]);
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
    this.#lastInputMs = this.#clock.now();
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
        this.#lastInputMs = this.#clock.now();
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
    const pending = frame.label === undefined ? undefined : this.#pending.get(frame.label);
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
    this.#pending.delete(label!);
    if (body.marker === '+') return resolve(fields);
    const [word = ''] = body.words;
    const code = isErrorCode(word) ? word : 'internal';
    const retry = Number(fields['retry']);
    const context = { verb, ...(label !== undefined && { label }), ...(retry > 0 && { retryAfterMs: retry * 1000 }) };
    reject(new PartylineError(code, String(fields['text'] ?? code), context));
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
    if (parsed.data.event === 'PING') this.#transport!.write([`PING${style.lineEnd}`]);
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
    this.#cancelWatch?.();
    if (error) this.#transport?.destroy();
    const lost = error ?? new TruncatedError('the connection has ended');
    for (const { verb, reject } of this.#pending.values()) {
      reject(lost instanceof PartylineError ? new TruncatedError(lost.message, { verb, cause: lost }) : lost);
    }
    this.#pending.clear();
    for (const resolve of this.#whenOver.splice(0)) resolve();
    this.#events.over(error);
  }
}

/** A blob's octets as one array. */
export function octetsOf(blob: Blob | undefined): Uint8Array {
  return blob ? joinPieces(blob) : new Uint8Array(0);
}
