/**
 * The store in memory: the executable specification of `Store`, for tests and for hubs that keep nothing. Every step
 * says how to take it back, which makes a transaction atomic; that is all there is to it.
 */
import type { LogEvent } from '../../../shared/events.ts';
import { baseName, type FilePath, isWithin, parentPath, pathComponents } from '../../../shared/names.ts';
import { matchesQuery } from '../../../shared/search.ts';
import { blankText } from '../../../shared/transcript.ts';
import type {
  BlobId,
  Document,
  DocumentKind,
  EntryRow,
  LogRow,
  Page,
  PrincipalId,
  Receipt,
  Search,
  Store,
  StoreTrouble,
  TranscriptFile,
  Write,
} from '../../hub/host.ts';
import { conflicts } from '../conflicts.ts';
import { newestOf } from '../newest-of.ts';
import { reacted } from '../reactions.ts';
import { blobOf, Change } from './change.ts';
import { readTranscript, transcriptFiles } from './transcripts.ts';

type Step<K extends Write['kind']> = Extract<Write, { kind: K }>;
interface Remembered {
  readonly seq: number;
  readonly timeMs: number;
}

interface LoggedRow extends LogRow {
  /** The text as it was at first, where the event has another by now; of a deleted one the blank. */
  readonly said?: string;
}

/** A store without a disk: it is never in trouble, and forgets everything with the process. */
export function memoryStore(): Store {
  return new MemoryStore();
}

class MemoryStore implements Store {
  readonly #logs = new Map<string, LoggedRow[]>();
  readonly #entries = new Map<FilePath, EntryRow>();
  readonly #documents = new Map<string, Document>();
  readonly #repeats = new Map<string, Remembered>();
  #isClosed = false;

  async commit(writes: readonly Write[]): Promise<Receipt> {
    if (this.#isClosed) throw new Error('the store is closed');
    const repeated = this.#repeated(writes);
    if (repeated !== undefined) return { seqs: [], unreferenced: [], repeated };
    const change = new Change();
    try {
      const seqs = writes.flatMap(write => this.#apply(change, write) ?? []);
      return { seqs, unreferenced: this.#unreferenced(change) };
    } catch (error) {
      change.takeBack();
      throw error;
    }
  }

  async head(room: string): Promise<number> {
    return this.#logs.get(room)?.length ?? 0;
  }

  async history(room: string, { before = Number.POSITIVE_INFINITY, after, limit }: Page): Promise<readonly LogRow[]> {
    // Numbers are dense: row n stands at n - 1.
    const rows = this.#logs.get(room) ?? [];
    const end = Math.max(0, Math.min(before - 1, rows.length));
    const start = after ?? Math.max(0, end - limit);
    return rows.slice(start, Math.min(end, start + limit)).map(shownRow);
  }

  async logRow(room: string, seq: number): Promise<LogRow | undefined> {
    const row = this.#logs.get(room)?.[seq - 1];
    return row && shownRow(row);
  }

  async search({ rooms, query, before = Number.POSITIVE_INFINITY, limit }: Search): Promise<readonly LogRow[]> {
    const found = rooms.map(room =>
      (this.#logs.get(room) ?? [])
        .filter(({ event }) => event.seq < before && matchesQuery(query, event))
        .map(({ by, event }) => ({ by, event })),
    );
    return newestOf(found, limit);
  }

  async transcripts(room: string): Promise<readonly TranscriptFile[]> {
    return transcriptFiles(this.#logs.get(room) ?? []);
  }

  async transcript(room: string, name: string, offset: number, length: number): Promise<Uint8Array> {
    return readTranscript(this.#logs.get(room) ?? [], name, offset, length);
  }

  async entry(path: FilePath): Promise<EntryRow | undefined> {
    return this.#entries.get(path);
  }

  async children(folder: FilePath, page: { readonly after?: string; readonly limit: number }) {
    const children = [...this.#entries.values()].filter(({ path }) => parentPath(path) === folder);
    return pageOf(children, ({ path }) => baseName(path), page);
  }

  async usage(folder: string) {
    const below = [...this.#entries.values()].filter(({ path }) => path !== folder && isWithin(path, folder));
    const files = below.filter(entry => entry.type === 'file');
    return { files: files.length, octets: files.reduce((sum, { size }) => sum + size, 0) };
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

  /** Gives the number of an append. */
  #apply(change: Change, write: Write): number | undefined {
    switch (write.kind) {
      case 'append':
        return this.#append(change, write);
      case 'revise':
        return this.#revise(change, write);
      case 'react':
        return this.#react(change, write);
      case 'remove-log':
        return change.remove(this.#logs, write.room);
      case 'put-entry':
        return this.#putEntry(change, write);
      case 'move-entry':
        return this.#moveEntry(change, write);
      case 'remove-entry':
        return this.#removeEntry(change, write);
      case 'put-document':
        return this.#putDocument(change, write);
      case 'remove-document':
        return change.remove(this.#documents, `${write.document} ${write.key}`);
    }
  }

  #append(change: Change, { by, event, timeMs, repeat }: Step<'append'>): number {
    const log = this.#logs.get(event.room) ?? [];
    this.#logs.set(event.room, log);
    const seq = log.push({ by, event: { ...event, seq: log.length + 1 } as LogEvent });
    change.inverse(() => log.pop());
    // The first of a transaction's events under a key is the one that a repetition names.
    if (repeat && !change.has(this.#repeats, repeat.key)) change.set(this.#repeats, repeat.key, { seq, timeMs });
    return seq;
  }

  #revise(change: Change, { room, seq, text, edited, deleted }: Step<'revise'>): undefined {
    const log = this.#logs.get(room) ?? [];
    const row = log[seq - 1];
    if (row?.event.event !== 'MSG') throw conflicts.noMessage(room, seq);
    if (!deleted) {
      const event = { ...row.event, text, ...(edited && { edited }) };
      return this.#replace(change, log, { ...row, event, said: row.said ?? row.event.text });
    }
    for (const old of [...log]) {
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
    const log = this.#logs.get(room) ?? [];
    const row = log[seq - 1];
    if (row?.event.event !== 'MSG') throw conflicts.noMessage(room, seq);
    const reactions = reacted(row.reactions ?? {}, emoji, by, isOn);
    if (!reactions) throw conflicts.sameReaction(room, seq);
    const { reactions: _, ...bare } = row;
    return this.#replace(change, log, Object.keys(reactions).length > 0 ? { ...bare, reactions } : bare);
  }

  #replace(change: Change, log: LoggedRow[], row: LoggedRow): undefined {
    const at = row.event.seq - 1;
    const old = log[at]!;
    log[at] = row;
    change.inverse(() => {
      log[at] = old;
    });
  }

  #needFolder(path: FilePath): void {
    const parent = parentPath(path);
    if (pathComponents(parent).length !== 1 && this.#entries.get(parent)?.type !== 'dir')
      throw conflicts.noFolder(path);
  }

  #putEntry(change: Change, { entry, expect }: Step<'put-entry'>): undefined {
    const { path } = entry;
    const old = this.#entries.get(path);
    if (expect === 'absent' && old) throw conflicts.taken(path);
    if (typeof expect === 'object' && !(old?.type === 'file' && old.hash === expect.hash)) {
      throw conflicts.otherContent(path);
    }
    if (old && old.type !== entry.type) throw conflicts.otherType(path);
    this.#needFolder(path);
    change.drop(old);
    change.set(this.#entries, path, copyOf(entry));
  }

  #moveEntry(change: Change, { from, to, onlyOf }: Step<'move-entry'>): undefined {
    if (!this.#entries.has(from)) throw conflicts.missing(from);
    if (this.#entries.has(to)) throw conflicts.taken(to);
    if (isWithin(to, from)) throw conflicts.noFolder(to);
    this.#needOwner(from, onlyOf);
    this.#needFolder(to);
    for (const entry of this.#subtree(from)) {
      const path = (to + entry.path.slice(from.length)) as FilePath;
      change.remove(this.#entries, entry.path);
      change.set(this.#entries, path, { ...entry, path });
    }
  }

  #removeEntry(change: Change, { path, recursive, onlyOf }: Step<'remove-entry'>): undefined {
    if (!this.#entries.has(path)) throw conflicts.missing(path);
    const subtree = this.#subtree(path);
    if (!recursive && subtree.length > 1) throw conflicts.notEmpty(path);
    this.#needOwner(path, onlyOf);
    for (const entry of subtree) {
      change.drop(entry);
      change.remove(this.#entries, entry.path);
    }
  }

  #needOwner(path: FilePath, onlyOf: PrincipalId | undefined): void {
    if (onlyOf !== undefined && this.#subtree(path).some(({ owner }) => owner !== onlyOf)) throw conflicts.others(path);
  }

  #subtree(path: FilePath): readonly EntryRow[] {
    return [...this.#entries.values()].filter(entry => isWithin(entry.path, path));
  }

  #putDocument(change: Change, { document, key, value, expect }: Step<'put-document'>): undefined {
    const name = `${document} ${key}`;
    const version = this.#documents.get(name)?.version ?? 0;
    if (expect !== undefined && expect !== version) throw conflicts.otherVersion(key);
    change.set(this.#documents, name, { key, version: version + 1, value: JSON.parse(JSON.stringify(value)) });
  }

  #unreferenced(change: Change): readonly BlobId[] {
    if (change.dropped.size === 0) return [];
    const inUse = new Set([...this.#entries.values()].map(blobOf));
    return [...change.dropped].filter(id => !inUse.has(id));
  }
}

function shownRow({ by, event, reactions }: LoggedRow): LogRow {
  return reactions ? { by, event, reactions } : { by, event };
}

/** Callers may use their octets again. */
function copyOf(entry: EntryRow): EntryRow {
  if (entry.type === 'dir' || entry.content.kind === 'blob') return entry;
  return { ...entry, content: { kind: 'inline', octets: Uint8Array.from(entry.content.octets) } };
}

/** In the order of octets, as a database compares. */
function pageOf<T>(
  rows: readonly T[],
  name: (row: T) => string,
  page: { after?: string; limit: number },
): readonly T[] {
  const { after, limit } = page;
  return rows
    .map(row => ({ row, octets: Buffer.from(name(row)) }))
    .filter(({ octets }) => after === undefined || Buffer.compare(octets, Buffer.from(after)) > 0)
    .sort((a, b) => Buffer.compare(a.octets, b.octets))
    .slice(0, limit)
    .map(({ row }) => row);
}
