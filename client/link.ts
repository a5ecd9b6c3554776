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
  #drained: (() => void)[] = [];
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
    const greeted = new Promise<Values>((resolve, reject) => {
      link.#greeted = resolve;
      link.#whenOver.push(() => reject(new TruncatedError('the server ended without a greeting')));
      clock.after(requestTimeoutMs, () => reject(new TruncatedError('no greeting came; is this a partyline port?')));
    });
    greeted.catch(() => link.destroy());
    link.#transport = await open(
      { data: octets => link.#data(octets), drain: () => link.#drain(), end: error => link.#end(error) },
      signal,
    );
    return { link, greeting: await greeted };
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get unanswered(): number {
    return this.#pending.size;
  }

  /** Errors: PartylineError with the server's code; TruncatedError; the signal's reason. */
  request(verb: string, entry: Command, input: Values, options: RequestOptions = {}): Promise<Values> {
    const { signal, onRow, blob } = options;
    if (this.#isOver || this.#isFinishing)
      return Promise.reject(new TruncatedError('the connection has ended', { verb }));
    if (signal?.aborted) return Promise.reject(signal.reason);
    const label = (++this.#labels).toString(36);
    const done = new Promise<Values>((resolve, reject) => this.#pending.set(label, { verb, onRow, resolve, reject }));
    this.#send(label, verb, entry, input, blob);
    this.#watch(label, options.timeoutMs ?? requestTimeoutMs);
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
    if (!pending) return;
    this.#pending.set(label, { ...pending, onRow: undefined, resolve: () => undefined, reject: () => undefined });
    if (!this.#isOver) this.#transport!.write([`CANCEL ${label}${style.lineEnd}`]);
    pending.reject(reason);
  }

  #watch(label: string, timeoutMs: number): void {
    const since = this.#clock.now();
    const check = () => {
      const pending = this.#pending.get(label);
      if (!pending || this.#isOver) return;
      const silentMs = this.#clock.now() - Math.max(this.#lastInputMs, since);
      if (silentMs < timeoutMs) this.#clock.after(timeoutMs - silentMs, check);
      else
        this.#abandon(label, new PartylineError('timeout', `no answer to ${pending.verb} for ${timeoutMs / 1000} s`));
    };
    this.#clock.after(timeoutMs, check);
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
    const check = () => {
      if (this.#isOver) return;
      const silentMs = this.#clock.now() - this.#lastInputMs;
      if (silentMs >= timeoutMs) this.destroy();
      else this.#clock.after(timeoutMs - silentMs, check);
    };
    this.#lastInputMs = this.#clock.now();
    this.#clock.after(timeoutMs, check);
    await over;
    if (!this.#bye) throw new TruncatedError('the connection ended without BYE');
    if (this.#bye.replies !== this.#finals) {
      throw new TruncatedError(`the server sent ${this.#bye.replies} replies, ${this.#finals} came`);
    }
  }

  destroy(): void {
    this.#transport?.destroy();
    this.#over(undefined);
  }

  #data(octets: Uint8Array): void {
    this.#lastInputMs = this.#clock.now();
    this.#decoder.push(octets);
    if (!this.#isBusy) this.#pump();
  }

  #pump(): void {
    for (let decoded = this.#decoder.next(); decoded; decoded = this.#decoder.next()) {
      if (decoded.kind !== 'frame') {
        this.#over(new TruncatedError(decoded.kind === 'invalid' ? decoded.reason : 'raw octets came'));
        return;
      }
      const wait = this.#take(decoded);
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

  #row(body: Body, { blob }: Frame, pending: Pending | undefined): Promise<void> | undefined {
    if (!pending?.onRow) return undefined;
    const isBinary = body.name === 'GET';
    const wait = pending.onRow({
      name: body.name,
      fields: isBinary ? Object.fromEntries(body.keys) : answerFields(body, blob),
      blob,
    });
    return wait?.catch(error => pending.reject(error));
  }

  #final(body: Body, { label, blob }: Frame, { verb, resolve, reject }: Pending): void {
    this.#pending.delete(label!);
    const fields = answerFields(body, blob);
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

  /** Resolves when the transport takes more. */
  drained(): Promise<void> {
    return new Promise(resolve => this.#drained.push(resolve));
  }

  #drain(): void {
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  #end(error: Error | undefined): void {
    this.#hasEnded = true;
    if (error && !this.#bye) return this.#over(new TruncatedError('the connection broke', { cause: error }));
    if (!this.#isBusy) this.#pump();
  }

  #over(error: Error | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (error) this.#transport?.destroy();
    const lost = error ?? new TruncatedError('the connection has ended');
    for (const { verb, reject } of this.#pending.values()) {
      reject(lost instanceof PartylineError ? new TruncatedError(lost.message, { verb, cause: lost }) : lost);
    }
    this.#pending.clear();
    this.#drain();
    for (const resolve of this.#whenOver.splice(0)) resolve();
    this.#events.over(error);
  }
}

/** A blob's octets as one array. */
export function octetsOf(blob: Blob | undefined): Uint8Array {
  return blob ? joinPieces(blob) : new Uint8Array(0);
}
