/**
 * The thread that looks at the kernel's table of sockets again and again and tells what has changed: slower the longer a
 * look takes, so that it keeps to its share of a core.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { limits, MIB } from '../../shared/limits.ts';
import { systemClock } from '../net/system-clock.ts';
import { pairOf, parseSocketTable, type SocketRow } from './socket-table.ts';

/** Asked: the pairs of ports, both ways round, that are of interest from here on. */
export type ProcRequest = readonly number[];

/** Told: what differs from the look before. */
export interface ProcReport {
  /** Of the look, milliseconds since 1970 with fractions. */
  readonly atMs: number;
  readonly rows: readonly SocketRow[];
  /** Pairs that the kernel no longer knows. */
  readonly gone: readonly number[];
  /** Between two looks, and what one takes. */
  readonly periodMs: number;
  readonly costMs: number;
}

const tables = [
  ['/proc/net/tcp', 8],
  ['/proc/net/tcp6', 32],
] as const;

class Sampler {
  readonly #epochMs = Date.now() - performance.now();
  readonly #tell: (report: ProcReport) => void;
  readonly #known = new Map<number, string>();
  #pairs: ReadonlySet<number> = new Set();
  #buffer = Buffer.allocUnsafeSlow(MIB);
  #isLooking = false;

  constructor(tell: (report: ProcReport) => void) {
    this.#tell = tell;
  }

  watch(pairs: ProcRequest): void {
    this.#pairs = new Set(pairs);
    for (const pair of this.#known.keys()) if (!this.#pairs.has(pair)) this.#known.delete(pair);
    if (!this.#isLooking) this.#look();
  }

  #look(): void {
    this.#isLooking = this.#pairs.size > 0;
    if (!this.#isLooking) return;
    const startMs = performance.now();
    const rows = tables.flatMap(([file, digits]) => parseSocketTable(this.#read(file), digits, this.#pairs));
    const costMs = performance.now() - startMs;
    const periodMs = Math.min(limits.wirePeriodMsMax, Math.max(limits.wirePeriodMsMin, costMs / limits.wireShareMax));
    this.#report(rows, { atMs: this.#epochMs + startMs + costMs / 2, periodMs, costMs });
    systemClock.after(periodMs - costMs, () => this.#look());
  }

  #report(rows: readonly SocketRow[], about: Pick<ProcReport, 'atMs' | 'periodMs' | 'costMs'>): void {
    const seen = new Set<number>();
    const changed = rows.filter(row => {
      const pair = pairOf(row.localPort, row.peerPort);
      seen.add(pair);
      const now = `${row.state} ${row.retransmits}`;
      const isNew = this.#known.get(pair) !== now;
      this.#known.set(pair, now);
      return isNew;
    });
    const gone = [...this.#known.keys()].filter(pair => !seen.has(pair));
    for (const pair of gone) this.#known.delete(pair);
    this.#tell({ ...about, rows: changed, gone });
  }

  /** The kernel gives a page at a time; the buffer is kept, and grows with the table. */
  #read(file: string): Buffer {
    let fd: number;
    try {
      fd = openSync(file, 'r');
    } catch {
      return this.#buffer.subarray(0, 0);
    }
    try {
      for (let used = 0; ; ) {
        const octets = readSync(fd, this.#buffer, used, this.#buffer.length - used, null);
        if (octets === 0) return this.#buffer.subarray(0, used);
        used += octets;
        if (used === this.#buffer.length) this.#buffer = Buffer.concat([this.#buffer, Buffer.allocUnsafeSlow(used)]);
      }
    } finally {
      closeSync(fd);
    }
  }
}

const sampler = new Sampler(report => parentPort!.postMessage(report));
parentPort!.on('message', (pairs: ProcRequest) => sampler.watch(pairs));
