/** The sources beside the application: looked for once, running while somebody watches, and what they tell told to whom it concerns. */
import type { Clock } from '../../shared/clock.ts';
import type { Conversation } from './conversation.ts';
import { procSource } from './proc-source.ts';
import type { ProcReport } from './proc-worker.ts';
import { pairOf } from './socket-table.ts';
import type { Finding, Ports, Running, Source, Watched } from './source.ts';
import { type SsReport, ssSource } from './ss-source.ts';

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
  #epochMs = Date.now() - performance.now();
  #findings: Promise<readonly Finding[]> | undefined;
  #running: Running[] | undefined;
  #watched: Watched = { pairs: [], isSix: false, isUrgent: false };

  /** `conversation`: the one of a pair of ports, either way round. */
  constructor(options: SourcesOptions, conversation: (pair: number) => Conversation | undefined) {
    this.#options = options;
    this.#conversation = conversation;
  }

  /** Milliseconds since 1970 with fractions, by the clock that the sources go by. */
  nowMs(): number {
    return this.#epochMs + performance.now();
  }

  find(): Promise<readonly Finding[]> {
    this.#findings ??= Promise.all([procSource.find(), ssSource.find()]);
    return this.#findings;
  }

  async start(): Promise<void> {
    const [proc, ss] = await this.find();
    if (this.#running) return;
    this.#epochMs = Date.now() - performance.now();
    this.#running = [];
    if (proc?.isFound) this.#begin(procSource, report => this.#proc(report));
    if (ss?.isFound) this.#begin(ssSource, report => this.#ss(report));
    this.watch(this.#watched);
  }

  watch(watched: Watched): void {
    this.#watched = watched;
    for (const source of this.#running ?? []) source.watch(watched);
  }

  stop(): void {
    for (const source of this.#running ?? []) source.stop();
    this.#running = undefined;
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
