/**
 * The store in memory: the executable specification of `Store`, for tests and for hubs that keep nothing. Every step
 * says how to take it back, which makes a transaction atomic; that is all there is to it.
 */
import type { LogEvent } from '../../../shared/events.ts';
import type { Hash } from '../../../shared/model.ts';
import type { FilePath } from '../../../shared/names.ts';
import { matchesQuery } from '../../../shared/search.ts';
import { blankText } from '../../../shared/transcript.ts';
import type {
  Document,
  DocumentKind,
  EntryRow,
  LogRow,
  Page,
  PrincipalId,
  Search,
  Store,
  StoreTrouble,
  TranscriptFile,
} from '../../hub/host.ts';
import type { Receipt, Write } from '../../hub/writes.ts';
import { conflicts } from '../conflicts.ts';
import { newestOf } from '../newest-of.ts';
import { reacted } from '../reactions.ts';
import { Change } from './change.ts';
import { Entries } from './entries.ts';
import { Log, type LoggedRow } from './log.ts';
import { pageOf } from './page.ts';
import { readTranscript, transcriptFiles } from './transcripts.ts';

type Step<K extends Write['kind']> = Extract<Write, { kind: K }>;
interface Remembered {
  readonly seq: number;
  readonly timeMs: number;
}

/** A store without a disk: it is never in trouble, and forgets everything with the process. */
export function memoryStore(): Store {
  return new MemoryStore();
}

class MemoryStore implements Store {
  readonly #logs = new Map<string, Log>();
  readonly #entries = new Entries();
  readonly #documents = new Map<string, Document>();
  readonly #repeats = new Map<string, Remembered>();
  #isClosed = false;

  async commit(writes: readonly Write[]): Promise<Receipt> {
    if (this.#isClosed) throw new Error('the store is closed');
    const repeated = this.#repeated(writes);
    if (repeated !== undefined) return { seqs: [], unreferenced: [], repeated };
    const change = new Change();
    try {
      const seqs: number[] = [];
      for (const write of writes) {
        const seq = this.#apply(change, write, seqs);
        if (seq !== undefined) seqs.push(seq);
      }
      return { seqs, unreferenced: this.#entries.unreferenced(change) };
    } catch (error) {
      change.takeBack();
      throw error;
    }
  }

  async head(room: string): Promise<number> {
    return this.#logs.get(room)?.head ?? 0;
  }

  async history(room: string, { before = Number.POSITIVE_INFINITY, after, limit }: Page): Promise<readonly LogRow[]> {
    const { rows, first } = this.#logs.get(room) ?? nothing;
    const end = Math.max(0, Math.min(before - first, rows.length));
    const start = Math.max(0, after === undefined ? end - limit : after + 1 - first);
    return rows.slice(start, Math.min(end, start + limit)).map(shownRow);
  }

  async logRow(room: string, seq: number): Promise<LogRow | undefined> {
    const row = this.#logs.get(room)?.row(seq);
    return row && shownRow(row);
  }

  async search({ rooms, query, before = Number.POSITIVE_INFINITY, limit }: Search): Promise<readonly LogRow[]> {
    const found = rooms.map(room =>
      (this.#logs.get(room) ?? nothing).rows
        .filter(({ event }) => event.seq < before && matchesQuery(query, event))
        .map(({ by, event }) => ({ by, event })),
    );
    return newestOf(found, limit);
  }

  async transcripts(room: string): Promise<readonly TranscriptFile[]> {
    const { rows, bases } = this.#logs.get(room) ?? nothing;
    return transcriptFiles(rows, bases);
  }

  async transcript(room: string, name: string, offset: number, length: number): Promise<Uint8Array> {
    const { rows, bases } = this.#logs.get(room) ?? nothing;
    return readTranscript(rows, bases, name, offset, length);
  }

  async entry(path: FilePath): Promise<EntryRow | undefined> {
    return this.#entries.get(path);
  }

  async children(folder: FilePath, page: { readonly after?: string; readonly limit: number }) {
    return this.#entries.children(folder, page);
  }

  async filesWith(hash: Hash, limit: number) {
    return this.#entries.filesWith(hash, limit);
  }

  async usage(folder: string) {
    return this.#entries.usage(folder);
  }

  async owned(owner: PrincipalId) {
    return this.#entries.owned(owner);
  }

  async document<T>(kind: DocumentKind, key: string): Promise<Document<T> | undefined> {
    return this.#documents.get(`${kind} ${key}`) as Document<T> | undefined;
  }

  async documents<T>(kind: DocumentKind, page: { readonly after?: string; readonly limit: number }) {
    const ofKind = [...this.#documents].filter(([name]) => name.startsWith(`${kind} `)).map(([, document]) => document);
    return pageOf(ofKind as Document<T>[], ({ key }) => key, page);
  }

  trouble(): StoreTrouble | undefined {
    return undefined;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #repeated(writes: readonly Write[]): number | undefined {
    for (const write of writes) {
      if (write.kind !== 'append' || !write.repeat) continue;
      const earlier = this.#repeats.get(write.repeat.key);
      if (earlier && earlier.timeMs >= write.repeat.sinceMs) return earlier.seq;
    }
    return undefined;
  }

  /** Gives the number of an append. `seqs`: those given in this transaction before. */
  #apply(change: Change, write: Write, seqs: readonly number[]): number | undefined {
    switch (write.kind) {
      case 'append':
        return this.#append(change, write);
      case 'revise':
        return this.#revise(change, write);
      case 'react':
        return this.#react(change, write);
      case 'expect-event':
        return this.#expectEvent(write);
      case 'trim-log':
        return this.#logs.get(write.room)?.trim(change, write.before);
      case 'remove-log':
        return change.remove(this.#logs, write.room);
      case 'put-entry':
        return this.#entries.put(change, write, seqs[write.announcedBy ?? -1]);
      case 'move-entry':
        return this.#entries.move(change, write, seqs[write.announcedBy ?? -1]);
      case 'date-entry':
        return this.#entries.date(change, write);
      case 'remove-entry':
        return this.#entries.remove(change, write);
      case 'put-document':
        return this.#putDocument(change, write);
      case 'remove-document':
        return change.remove(this.#documents, `${write.document} ${write.key}`);
    }
  }

  #append(change: Change, { by, event, timeMs, repeat }: Step<'append'>): number {
    const log = this.#logs.get(event.room) ?? new Log();
    this.#logs.set(event.room, log);
    const seq = log.head + 1;
    log.rows.push({ by, event: { ...event, seq } as LogEvent });
    change.inverse(() => log.rows.pop());
    // The first of a transaction's events under a key is the one that a repetition names.
    if (repeat && !change.has(this.#repeats, repeat.key)) change.set(this.#repeats, repeat.key, { seq, timeMs });
    return seq;
  }

  #revise(change: Change, { room, seq, text, edited, deleted }: Step<'revise'>): undefined {
    const log = this.#logs.get(room) ?? nothing;
    const row = log.row(seq);
    if (row?.event.event !== 'MSG') throw conflicts.noMessage(room, seq);
    if (!deleted) {
      const event = { ...row.event, text, ...(edited && { edited }) };
      return this.#replace(change, log, { ...row, event, said: row.said ?? row.event.text });
    }
    for (const old of [...log.rows]) {
      const { event, said } = old;
      if (event.event === 'MSG' && event.seq === seq) {
        const tombstone = { ...event, text: '', ...(edited && { edited }), deleted };
        this.#replace(change, log, { ...old, event: tombstone, said: blankText(said ?? event.text) });
      } else if (event.event === 'EDITED' && event.of === seq) {
        this.#replace(change, log, { ...old, event: { ...event, text: '' }, said: blankText(said ?? event.text) });
      }
    }
  }

  #react(change: Change, { room, seq, emoji, by, isOn }: Step<'react'>): undefined {
    const log = this.#logs.get(room) ?? nothing;
    const row = log.row(seq);
    if (row?.event.event !== 'MSG') throw conflicts.noMessage(room, seq);
    const reactions = reacted(row.reactions ?? {}, emoji, by, isOn);
    if (!reactions) throw conflicts.sameReaction(room, seq);
    const { reactions: _, ...bare } = row;
    return this.#replace(change, log, Object.keys(reactions).length > 0 ? { ...bare, reactions } : bare);
  }

  #expectEvent({ room, seq, events }: Step<'expect-event'>): undefined {
    const row = this.#logs.get(room)?.row(seq);
    if (!row || !events.includes(row.event.event)) throw conflicts.noEvent(room, seq);
  }

  #replace(change: Change, { rows, first }: Log, row: LoggedRow): undefined {
    const at = row.event.seq - first;
    const old = rows[at]!;
    rows[at] = row;
    change.inverse(() => {
      rows[at] = old;
    });
  }

  #putDocument(change: Change, { document, key, value, expect }: Step<'put-document'>): undefined {
    const name = `${document} ${key}`;
    const version = this.#documents.get(name)?.version ?? 0;
    if (expect !== undefined && expect !== version) throw conflicts.otherVersion(key);
    change.set(this.#documents, name, { key, version: version + 1, value: JSON.parse(JSON.stringify(value)) });
  }
}

/** Stands for a log that is not there; never written to. */
const nothing = new Log();

function shownRow({ by, event, reactions }: LoggedRow): LogRow {
  return reactions ? { by, event, reactions } : { by, event };
}
