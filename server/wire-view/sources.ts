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
import { type StateChange, traceSource } from './trace-source.ts';
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
  readonly #trace: Source<StateChange>;
  #isTracing = false;
  /** The end of the last look into the kernel's table; of no matter where there is none. */
  #lookedMs = Number.POSITIVE_INFINITY;
  /** Of connections that nobody has accepted yet, or that nobody watches. */
  readonly #early: { readonly pair: number; tell(conversation: Conversation): void }[] = [];
  #watched: Watched = { pairs: [], isSix: false, isUrgent: false };

  /** `conversation`: the one of a pair of ports, either way round. */
  constructor(options: SourcesOptions, conversation: (pair: number) => Conversation | undefined) {
    this.#options = options;
    this.#capture = captureSource(options.isCapturing);
    this.#trace = traceSource(options.isCapturing);
    this.#conversation = conversation;
  }

  /** Milliseconds since 1970 with fractions, by the clock that the sources go by. */
  nowMs(): number {
    return this.#epochMs + performance.now();
  }

  find(): Promise<readonly Finding[]> {
    this.#findings ??= Promise.all([procSource.find(), ssSource.find(), this.#capture.find(), this.#trace.find()]);
    return this.#findings;
  }

  async start(): Promise<void> {
    const [proc, ss, capture, trace] = await this.find();
    if (this.#running) return this.#ready;
    this.#epochMs = epochMs();
    this.#running = [];
    if (proc?.isFound) this.#lookedMs = 0;
    if (proc?.isFound) this.#begin(procSource, report => this.#proc(report));
    if (ss?.isFound) this.#begin(ssSource, report => this.#ss(report));
    if (capture?.isFound) this.#begin(this.#capture, segment => this.#segment(segment));
    this.#isTracing = trace?.isFound === true;
    if (this.#isTracing) this.#begin(this.#trace, change => this.#changed(change));
    this.watch(this.#watched);
    this.#ready = Promise.all(this.#running.map(({ ready }) => ready)).then(() => undefined);
    return this.#ready;
  }

  /** What was seen of it before it was accepted is told now. */
  began(conversation: Conversation): void {
    const early = this.#early.splice(0);
    for (const one of early) {
      if (conversation.pairs.includes(one.pair)) one.tell(conversation);
      else this.#early.push(one);
    }
  }

  /** Nothing more is to be expected of a connection that was closed at this time. */
  hasToldAll(conversation: Conversation, closedMs: number): boolean {
    if (!this.#running) return true;
    const captured = this.#captured.get(conversation);
    return this.#lookedMs > closedMs && (captured === undefined || captured.isComplete);
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
    this.#toldOrKept(pairOf(segment.fromPort, segment.toPort), conversation => {
      const captured = this.#captured.get(conversation) ?? new Captured(conversation, this.#options.clock);
      this.#captured.set(conversation, captured);
      captured.take(segment);
    });
  }

  #changed({ localPort, peerPort, state, monotonicMs }: StateChange): void {
    const atMs = this.nowMs() - (Number(process.hrtime.bigint()) / 1e6 - monotonicMs);
    const pair = pairOf(localPort, peerPort);
    this.#toldOrKept(pair, conversation => this.#tellState(conversation, pair, atMs, 'trace', state, 0));
  }

  /** The kernel knows of a connection before it is accepted. */
  #toldOrKept(pair: number, tell: (conversation: Conversation) => void): void {
    const conversation = this.#conversation(pair);
    if (conversation) return tell(conversation);
    this.#early.push({ pair, tell });
    if (this.#early.length > limits.wireEarlyMax) this.#early.shift();
  }

  #begin<Report>(source: Source<Report>, tell: (report: Report) => void): void {
    const lost = (why: string) => this.#options.report(`the wire view goes on without ${source.name}: ${why}`);
    this.#running!.push(source.start({ tell, lost }, this.#options.ports()));
  }

  #proc({ atMs, rows, gone }: ProcReport): void {
    this.#lookedMs = atMs;
    const all = [
      ...rows.map(row => ({ ...row, pair: pairOf(row.localPort, row.peerPort) })),
      ...gone.map(pair => ({ pair, state: 'CLOSED', retransmits: 0 })),
    ];
    for (const { pair, state, retransmits } of all) {
      const conversation = this.#conversation(pair);
      // The tracepoint has told all but what it does not know.
      const isTold = this.#isTracing && conversation?.isNew === true && state !== 'TIME_WAIT';
      if (conversation && !isTold) this.#tellState(conversation, pair, atMs, 'proc', state, retransmits);
    }
  }

  #tellState(
    conversation: Conversation,
    pair: number,
    atMs: number,
    source: 'proc' | 'trace',
    state: string,
    retransmits: number,
  ): void {
    const side = conversation.pairs[0] === pair ? 'client' : 'server';
    const more = retransmits > 0 ? { retransmits } : {};
    conversation.tell({ kind: 'state', atMs, side, source, confidence: 'observed', state, ...more });
  }

  #ss({ localPort, peerPort, facts }: SsReport): void {
    const pair = pairOf(localPort, peerPort);
    const conversation = this.#conversation(pair);
    if (!conversation) return;
    const side = conversation.pairs[0] === pair ? 'client' : 'server';
    conversation.tell({ kind: 'stats', atMs: this.nowMs(), side, source: 'ss', confidence: 'observed', ...facts });
  }
}
