/** A room's log in memory: its rows, the number of the first that is kept, and where the files of its transcript begin. */
import type { LogRow } from '../../hub/host.ts';
import type { Change } from './change.ts';
import { transcriptFiles } from './transcripts.ts';

export interface LoggedRow extends LogRow {
  /** The text as it was at first, where the event has another by now; of a deleted one the blank. */
  readonly said?: string;
}

export class Log {
  /** Dense: the one at `seq` stands at `seq - first`. */
  rows: LoggedRow[] = [];
  first = 1;
  /** Name of a file → octets that were in front of what is left of it. */
  bases: ReadonlyMap<string, number> = new Map();

  get head(): number {
    return this.first + this.rows.length - 1;
  }

  row(seq: number): LoggedRow | undefined {
    return this.rows[seq - this.first];
  }

  trim(change: Change, before: number): undefined {
    const { rows, first, bases } = this;
    const count = Math.min(before, this.head) - first;
    if (count <= 0) return;
    change.inverse(() => Object.assign(this, { rows, first, bases }));
    const [gone, kept] = [rows.slice(0, count), rows.slice(count)];
    const left = new Set(transcriptFiles(kept, bases).map(({ name }) => name));
    const grown = new Map([...bases, ...transcriptFiles(gone, bases).map(({ name, size }) => [name, size] as const)]);
    this.rows = kept;
    this.first = first + count;
    this.bases = new Map([...grown].filter(([name]) => left.has(name)));
  }
}
