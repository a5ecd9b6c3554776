/**
 * Transactions as SQL, in the worker and inside one SQLite transaction that somebody else begins and ends. Numbers are
 * given here, from heads that are remembered between batches.
 */
import { HubError } from '../../../shared/errors.ts';
import { limits } from '../../../shared/limits.ts';
import type { BlobId } from '../../hub/host.ts';
import type { Receipt } from '../../hub/writes.ts';
import { conflicts } from '../conflicts.ts';
import { forKeys, insertMany } from './bulk-insert.ts';
import type { Database, Value } from './database.ts';
import { dateEntry, moveEntry, putEntry, removeEntry } from './entry-steps.ts';
import { expectEvent } from './expect-step.ts';
import type { FaultPoint } from './fault-point.ts';
import { react } from './react-step.ts';
import type { LoneAppend, Outcome, Step, Transaction } from './requests.ts';
import { revise } from './revise-step.ts';
import { INDEX_ROWS, indexMore, removeIndex } from './room-index.ts';
import { trim } from './trim-step.ts';

/** Rooms whose head is remembered; beyond, all are read again. */
const HEADS_MAX = 10_000;
/** After this many new keys old ones are looked for. */
const REPEATS_SWEEP = 512;

interface Earlier {
  readonly seq: number;
  readonly timeMs: number;
}

export class Ledger {
  readonly #database: Database;
  readonly #faultPoint: (point: FaultPoint) => void;
  readonly #heads = new Map<string, number>();
  #dataVersion: Value | undefined;
  #newRepeats = 0;
  #newestMs = 0;
  /** Rooms with rows that are not indexed, and how many rows. */
  readonly #behind = new Set<string>();
  #unindexed = 0;
  /** Up to here the keys were looked through. */
  #hand = '';

  constructor(database: Database, faultPoint: (point: FaultPoint) => void) {
    this.#database = database;
    this.#faultPoint = faultPoint;
  }

  /** Applies each transaction or refuses it alone. If it throws, the caller rolls back and calls `forget`. */
  apply(batch: readonly Transaction[]): readonly Outcome[] {
    this.#noticeOthers();
    const outcomes: Outcome[] = [];
    let lone: LoneAppend[] = [];
    for (const transaction of batch) {
      if (isLone(transaction)) {
        lone.push(transaction);
        continue;
      }
      this.#appendAll(lone, outcomes);
      lone = [];
      outcomes.push(this.#applyOne(transaction));
      this.#faultPoint('commit-half');
    }
    this.#appendAll(lone, outcomes);
    this.#sweepRepeats();
    return outcomes;
  }

  /** Enough rows wait for the index; a few at a time would cost several times as much. */
  get isBehind(): boolean {
    return this.#unindexed >= INDEX_ROWS;
  }

  /** Within a transaction; brings the index up to date. */
  index(): void {
    for (const room of this.#behind) while (indexMore(this.#database, room) === INDEX_ROWS);
    this.#behind.clear();
    this.#unindexed = 0;
  }

  /** What was remembered is not true any more. */
  forget(): void {
    this.#heads.clear();
  }

  /** Another process may have written since. */
  #noticeOthers(): void {
    const version = this.#database.prepare('PRAGMA data_version').first([])?.[0];
    if (version !== this.#dataVersion || this.#heads.size > HEADS_MAX) this.forget();
    this.#dataVersion = version;
  }

  #head(room: string): number {
    let head = this.#heads.get(room);
    if (head === undefined) {
      head = Number(this.#database.prepare('SELECT max(seq) FROM log WHERE room = ?').first([room])?.[0] ?? 0);
      this.#heads.set(room, head);
    }
    return head;
  }

  #appendAll(rows: readonly LoneAppend[], outcomes: Outcome[]): void {
    if (rows.length === 0) return;
    const known = this.#recall(rows);
    const log: Value[] = [];
    const repeats: Value[] = [];
    for (const [room, by, event, key, timeMs, sinceMs] of rows) {
      const earlier = key === undefined ? undefined : known.get(key);
      if (earlier && earlier.timeMs >= sinceMs!) {
        outcomes.push({ seqs: [], unreferenced: [], repeated: earlier.seq });
        continue;
      }
      const seq = this.#head(room) + 1;
      this.#heads.set(room, seq);
      this.#behind.add(room);
      log.push(room, seq, by, event);
      if (key !== undefined) {
        known.set(key, { seq, timeMs: timeMs! });
        repeats.push(key, seq, timeMs!);
        this.#newestMs = timeMs!;
      }
      outcomes.push(seq);
    }
    insertMany(this.#database, 'INSERT INTO log (room, seq, by, event) VALUES', 4, log);
    this.#unindexed += log.length / 4;
    insertMany(this.#database, 'INSERT OR REPLACE INTO repeats VALUES', 3, repeats);
    this.#newRepeats += repeats.length / 3;
  }

  #recall(rows: readonly LoneAppend[]): Map<string, Earlier> {
    const keys = rows.flatMap(row => row[3] ?? []);
    const known = new Map<string, Earlier>();
    forKeys(this.#database, 'SELECT key, seq, time FROM repeats WHERE key IN', keys, (statement, chunk) => {
      for (const [key, seq, time] of statement.all(chunk)) {
        known.set(String(key), { seq: Number(seq), timeMs: Number(time) });
      }
    });
    return known;
  }

  #applyOne(steps: readonly Step[]): Outcome {
    const rows = steps.flatMap(step => (step.kind === 'append' ? [step.row] : []));
    const known = this.#recall(rows);
    const repetition = rows.find(
      ([, , , key, , since]) => key !== undefined && (known.get(key)?.timeMs ?? -1) >= since!,
    );
    if (repetition) return { seqs: [], unreferenced: [], repeated: known.get(repetition[3]!)!.seq };
    const heads = rows.map(([room]) => [room, this.#head(room)] as const);
    this.#database.prepare('SAVEPOINT one').run([]);
    try {
      const receipt = this.#applySteps(steps);
      this.#database.prepare('RELEASE one').run([]);
      return receipt;
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      this.#database.prepare('ROLLBACK TO one').run([]);
      this.#database.prepare('RELEASE one').run([]);
      for (const [room, head] of heads) this.#heads.set(room, head);
      return { conflict: error.message };
    }
  }

  #applySteps(steps: readonly Step[]): Receipt {
    const seqs: number[] = [];
    const dropped = new Set<BlobId>();
    const remembered = new Set<string>();
    for (const step of steps) {
      switch (step.kind) {
        case 'append':
          seqs.push(this.#append(step.row, remembered));
          break;
        case 'revise':
          revise(this.#database, step);
          break;
        case 'react':
          react(this.#database, step);
          break;
        case 'expect-event':
          expectEvent(this.#database, step);
          break;
        case 'trim-log':
          trim(this.#database, step);
          break;
        case 'remove-log':
          removeIndex(this.#database, step.room);
          this.#database.prepare('DELETE FROM log WHERE room = ?').run([step.room]);
          this.#heads.delete(step.room);
          break;
        case 'put-entry':
          putEntry(this.#database, step, dropped, seqs[step.announcedBy ?? -1]);
          break;
        case 'move-entry':
          moveEntry(this.#database, step, seqs[step.announcedBy ?? -1]);
          break;
        case 'date-entry':
          dateEntry(this.#database, step);
          break;
        case 'remove-entry':
          removeEntry(this.#database, step, dropped);
          break;
        case 'put-document':
          this.#putDocument(step);
          break;
        case 'remove-document':
          this.#database.prepare('DELETE FROM documents WHERE kind = ? AND key = ?').run([step.document, step.key]);
          break;
        default:
          step satisfies never;
      }
    }
    return { seqs, unreferenced: this.#unreferenced(dropped) };
  }

  /** The first of a transaction's events under a key is the one that a repetition names. */
  #append([room, by, event, key, timeMs]: LoneAppend, remembered: Set<string>): number {
    const seq = this.#head(room) + 1;
    this.#heads.set(room, seq);
    this.#behind.add(room);
    this.#unindexed++;
    this.#database.prepare('INSERT INTO log (room, seq, by, event) VALUES (?, ?, ?, ?)').run([room, seq, by, event]);
    if (key !== undefined && !remembered.has(key)) {
      remembered.add(key);
      this.#newRepeats++;
      this.#newestMs = timeMs!;
      this.#database.prepare('INSERT OR REPLACE INTO repeats VALUES (?, ?, ?)').run([key, seq, timeMs!]);
    }
    return seq;
  }

  #putDocument({ document, key, value, expect }: Extract<Step, { kind: 'put-document' }>): void {
    const row = this.#database
      .prepare('SELECT version FROM documents WHERE kind = ? AND key = ?')
      .first([document, key]);
    const version = Number(row?.[0] ?? 0);
    if (expect !== undefined && expect !== version) throw conflicts.otherVersion(key);
    this.#database
      .prepare('INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)')
      .run([document, key, version + 1, value]);
  }

  #unreferenced(dropped: ReadonlySet<BlobId>): readonly BlobId[] {
    const user = this.#database.prepare('SELECT 1 FROM entries WHERE blob = ? LIMIT 1');
    return [...dropped].filter(id => user.first([id]) === undefined);
  }

  /** A hand goes round over the keys, two steps for every new one: an index by age would cost each message more. */
  #sweepRepeats(): void {
    if (this.#newRepeats < REPEATS_SWEEP) return;
    const [last] = this.#database
      .prepare('SELECT max(key) FROM (SELECT key FROM repeats WHERE key > ? ORDER BY key LIMIT ?)')
      .first([this.#hand, 2 * this.#newRepeats])!;
    this.#newRepeats = 0;
    // Twice the time for which anybody asks: a clock may have stepped.
    const horizonMs = this.#newestMs - 2 * limits.repeatMs;
    this.#database
      .prepare('DELETE FROM repeats WHERE key > ? AND key <= ? AND time < ?')
      .run([this.#hand, last ?? '', horizonMs]);
    this.#hand = typeof last === 'string' ? last : '';
  }
}

function isLone(transaction: Transaction): transaction is LoneAppend {
  return typeof transaction[0] === 'string';
}
