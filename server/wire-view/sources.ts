/** The sources beside the application: looked for once, running while somebody watches, and what they tell told to whom it concerns. */
import type { Clock } from '../../shared/clock.ts';
import { limits } from '../../shared/limits.ts';
import { captureSource } from './capture-source.ts';
import { Captured } from './captured.ts';
import type { Conversation } from './conversation.ts';
import { procSource } from './proc-source.ts';
import type { ProcReport } from './proc-worker.ts';
import type { Segment } from './segments.ts';
import { pairOf } from './socket-table.ts';
import type { Finding, Ports, Running, Source, Watched } from './source.ts';
import { type SsReport, ssSource } from './ss-source.ts';
import { epochMs } from './wall-time.ts';

export interface SourcesOptions {
  readonly clock: Clock;
  readonly isCapturing: boolean;
  ports(): Ports;
  report(what: string): void;
}

export class Sources {
  readonly #options: SourcesOptions;
  readonly #conversation: (pair: number) => Conversation | undefined;
  /** Of this machine's clock, which may be set while the server runs, as the helpers have it. */
  #epochMs = epochMs();
  #findings: Promise<readonly Finding[]> | undefined;
  #running: Running[] | undefined;
  #ready: Promise<void> = Promise.resolve();
  readonly #capture: Source<Segment>;
  readonly #captured = new WeakMap<Conversation, Captured>();
  /** Segments of connections that nobody has accepted yet, or that nobody watches. */
  readonly #early: Segment[] = [];
  #watched: Watched = { pairs: [], isSix: false, isUrgent: false };

  /** `conversation`: the one of a pair of ports, either way round. */
  constructor(options: SourcesOptions, conversation: (pair: number) => Conversation | undefined) {
    this.#options = options;
    this.#capture = captureSource(options.isCapturing);
    this.#conversation = conversation;
  }

  /** Milliseconds since 1970 with fractions, by the clock that the sources go by. */
  nowMs(): number {
    return this.#epochMs + performance.now();
  }

  find(): Promise<readonly Finding[]> {
    this.#findings ??= Promise.all([procSource.find(), ssSource.find(), this.#capture.find()]);
    return this.#findings;
  }

  async start(): Promise<void> {
    const [proc, ss, capture] = await this.find();
    if (this.#running) return this.#ready;
    this.#epochMs = epochMs();
    this.#running = [];
    if (proc?.isFound) this.#begin(procSource, report => this.#proc(report));
    if (ss?.isFound) this.#begin(ssSource, report => this.#ss(report));
    if (capture?.isFound) this.#begin(this.#capture, segment => this.#segment(segment));
    this.watch(this.#watched);
    this.#ready = Promise.all(this.#running.map(({ ready }) => ready)).then(() => undefined);
    return this.#ready;
  }

  /** What was captured before its connection was accepted is told now. */
  began(conversation: Conversation): void {
    const early = this.#early.splice(0);
    for (const segment of early) {
      if (conversation.pairs.includes(pairOf(segment.fromPort, segment.toPort))) this.#segment(segment);
      else this.#early.push(segment);
    }
  }

  watch(watched: Watched): void {
    this.#watched = watched;
    for (const source of this.#running ?? []) source.watch(watched);
  }

  stop(): void {
    for (const source of this.#running ?? []) source.stop();
    this.#running = undefined;
    this.#early.length = 0;
  }

  #segment(segment: Segment): void {
    const conversation = this.#conversation(pairOf(segment.fromPort, segment.toPort));
    if (conversation) {
      const captured = this.#captured.get(conversation) ?? new Captured(conversation, this.#options.clock);
      this.#captured.set(conversation, captured);
      captured.take(segment);
    } else {
      this.#early.push(segment);
      if (this.#early.length > limits.wireEarlyMax) this.#early.shift();
    }
  }

  #begin<Report>(source: Source<Report>, tell: (report: Report) => void): void {
    const lost = (why: string) => this.#options.report(`the wire view goes on without ${source.name}: ${why}`);
    this.#running!.push(source.start({ tell, lost }, this.#options.ports()));
  }

  #proc({ atMs, rows, gone }: ProcReport): void {
    for (const { localPort, peerPort, state, retransmits } of rows) {
      this.#tellState(pairOf(localPort, peerPort), atMs, state, retransmits);
    }
    for (const pair of gone) this.#tellState(pair, atMs, 'CLOSED', 0);
  }

  #tellState(pair: number, atMs: number, state: string, retransmits: number): void {
    const conversation = this.#conversation(pair);
    if (!conversation) return;
    const side = conversation.pairs[0] === pair ? 'client' : 'server';
    const more = retransmits > 0 ? { retransmits } : {};
    conversation.tell({ kind: 'state', atMs, side, source: 'proc', confidence: 'observed', state, ...more });
  }

  #ss({ localPort, peerPort, facts }: SsReport): void {
    const pair = pairOf(localPort, peerPort);
    const conversation = this.#conversation(pair);
    if (!conversation) return;
    const side = conversation.pairs[0] === pair ? 'client' : 'server';
    conversation.tell({ kind: 'stats', atMs: this.nowMs(), side, source: 'ss', confidence: 'observed', ...facts });
  }
}
