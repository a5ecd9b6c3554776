/**
 * The thread that looks at the kernel's table of sockets again and again and tells what has changed: slower the longer a
 * look takes, so that it keeps to its share of a core.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { limits, MIB } from '../../shared/limits.ts';
import { systemClock } from '../net/system-clock.ts';
import { pairOf, parseSocketTable, type SocketRow } from './socket-table.ts';
import type { Watched } from './source.ts';
import { epochMs } from './wall-time.ts';

/** Asked: what is of interest from here on. */
export type ProcRequest = Watched;

/** Told: what differs from the look before. */
export interface ProcReport {
  /** The end of the look, milliseconds since 1970 with fractions: no state is told before what made it. */
  readonly atMs: number;
  readonly rows: readonly SocketRow[];
  /** Pairs that the kernel no longer knows. */
  readonly gone: readonly number[];
  /** Between two looks, and what one takes. */
  readonly periodMs: number;
  readonly costMs: number;
}

const ipv4 = ['/proc/net/tcp', 8] as const;
const ipv6 = ['/proc/net/tcp6', 32] as const;

class Sampler {
  readonly #epochMs = epochMs();
  readonly #tell: (report: ProcReport) => void;
  readonly #known = new Map<number, string>();
  #pairs: ReadonlySet<number> = new Set();
  #tables: readonly (readonly [file: string, digits: 8 | 32])[] = [];
  /** Until when looks follow each other as closely as they may. */
  #hurryMs = 0;
  /** Of a processor, saved up for a hurry. */
  #savedMs: number = limits.wireSavedMs;
  #lastMs = performance.now();
  #buffer = Buffer.allocUnsafeSlow(MIB);
  #isLooking = false;
  #cancel: () => void = () => undefined;
  #usedMs = processorMs() ?? 0;

  constructor(tell: (report: ProcReport) => void) {
    this.#tell = tell;
  }

  watch({ pairs, isSix, isUrgent }: ProcRequest): void {
    this.#pairs = new Set(pairs);
    this.#tables = isSix ? [ipv4, ipv6] : [ipv4];
    if (isUrgent) this.#hurryMs = performance.now() + limits.wireHurryMs;
    for (const pair of this.#known.keys()) if (!this.#pairs.has(pair)) this.#known.delete(pair);
    if (isUrgent || !this.#isLooking) this.#look();
  }

  #look(): void {
    this.#cancel();
    this.#isLooking = this.#pairs.size > 0;
    if (!this.#isLooking) return;
    const startMs = performance.now();
    const rows = this.#tables.flatMap(([file, digits]) => parseSocketTable(this.#read(file), digits, this.#pairs));
    const tookMs = performance.now() - startMs;
    // What a look costs is what it takes of a processor, not how long it waits for one.
    const usedMs = processorMs();
    const costMs = usedMs === undefined ? tookMs : usedMs - this.#usedMs;
    this.#usedMs = usedMs ?? 0;
    const periodMs = this.#periodAfter(costMs, startMs);
    this.#report(rows, { atMs: this.#epochMs + startMs + tookMs, periodMs, costMs });
    this.#cancel = systemClock.after(periodMs, () => this.#look());
  }

  /** Half of the share is spent as time goes by, the other half saved up to a bound, and spent where there is much to see. */
  #periodAfter(costMs: number, nowMs: number): number {
    const { wireShareMax, wireSavedMs, wirePeriodMsMin, wirePeriodMsMax } = limits;
    this.#savedMs = Math.min(wireSavedMs, this.#savedMs + (nowMs - this.#lastMs) * wireShareMax - costMs);
    this.#lastMs = nowMs;
    if (nowMs < this.#hurryMs && this.#savedMs > costMs) return wirePeriodMsMin;
    return Math.min(wirePeriodMsMax, Math.max(wirePeriodMsMin, (2 * costMs) / wireShareMax));
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

/** Of this thread since its start. */
function processorMs(): number | undefined {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]) / 1e6;
  } catch {
    return undefined;
  }
}

const sampler = new Sampler(report => parentPort!.postMessage(report));
parentPort!.on('message', (request: ProcRequest) => sampler.watch(request));
