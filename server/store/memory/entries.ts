/** The files' world in memory: rows by path, and the steps that change them. What takes a step back is the change's. */
import type { Hash } from '../../../shared/model.ts';
import type { FilePath } from '../../../shared/names.ts';
import { baseName, isWithin, parentPath, pathComponents } from '../../../shared/paths.ts';
import type { BlobId, EntryRow, PrincipalId } from '../../hub/host.ts';
import type { Write } from '../../hub/writes.ts';
import { conflicts } from '../conflicts.ts';
import { blobOf, type Change } from './change.ts';
import { pageOf } from './page.ts';

type Step<K extends Write['kind']> = Extract<Write, { kind: K }>;

export class Entries {
  readonly #rows = new Map<FilePath, EntryRow>();

  get(path: FilePath): EntryRow | undefined {
    return this.#rows.get(path);
  }

  children(folder: FilePath, page: { readonly after?: string; readonly limit: number }): readonly EntryRow[] {
    const children = [...this.#rows.values()].filter(({ path }) => parentPath(path) === folder);
    return pageOf(children, ({ path }) => baseName(path), page);
  }

  filesWith(hash: Hash, limit: number): readonly EntryRow[] {
    return [...this.#rows.values()].filter(row => row.type === 'file' && row.hash === hash).slice(0, limit);
  }

  usage(folder: string) {
    const below = [...this.#rows.values()].filter(({ path }) => path !== folder && isWithin(path, folder));
    const files = below.filter(entry => entry.type === 'file');
    return { files: files.length, octets: files.reduce((sum, { size }) => sum + size, 0) };
  }

  owned(owner: PrincipalId) {
    const files = [...this.#rows.values()].filter(entry => entry.type === 'file' && entry.owner === owner);
    return {
      files: files.length,
      octets: files.reduce((sum, file) => sum + (file.type === 'file' ? file.size : 0), 0),
    };
  }

  #needFolder(path: FilePath): void {
    const parent = parentPath(path);
    if (pathComponents(parent).length !== 1 && this.#rows.get(parent)?.type !== 'dir') throw conflicts.noFolder(path);
  }

  put(change: Change, { entry, expect, contentOf }: Step<'put-entry'>, seq?: number): undefined {
    const { path } = entry;
    const old = this.#rows.get(path);
    if (expect === 'absent' && old) throw conflicts.taken(path);
    if (typeof expect === 'object' && !(old?.type === 'file' && old.hash === expect.hash)) {
      throw conflicts.otherContent(path);
    }
    if (old && old.type !== entry.type) throw conflicts.otherType(path);
    this.#needFolder(path);
    if (contentOf !== undefined && !this.#hasContent(contentOf, entry)) throw conflicts.otherContent(contentOf);
    change.drop(old);
    change.set(this.#rows, path, numbered(copyOf(entry), seq));
  }

  #hasContent(path: FilePath, entry: EntryRow): boolean {
    const row = this.#rows.get(path);
    if (row?.type !== 'file' || entry.type !== 'file') return false;
    return row.hash === entry.hash && blobOf(row) === blobOf(entry);
  }

  move(change: Change, { from, to, onlyOf }: Step<'move-entry'>, seq?: number): undefined {
    if (!this.#rows.has(from)) throw conflicts.missing(from);
    if (this.#rows.has(to)) throw conflicts.taken(to);
    if (isWithin(to, from)) throw conflicts.noFolder(to);
    this.#needOwner(from, onlyOf);
    this.#needFolder(to);
    for (const entry of this.#subtree(from)) {
      const path = (to + entry.path.slice(from.length)) as FilePath;
      change.remove(this.#rows, entry.path);
      const kept = pathComponents(from)[0] === pathComponents(to)[0] ? entry.seq : undefined;
      change.set(this.#rows, path, numbered({ ...entry, path }, entry.path === from ? seq : kept));
    }
  }

  remove(change: Change, { path, recursive, match, onlyOf }: Step<'remove-entry'>): undefined {
    const entry = this.#rows.get(path);
    if (!entry) throw conflicts.missing(path);
    if (match !== undefined && !(entry.type === 'file' && entry.hash === match)) throw conflicts.otherContent(path);
    const subtree = this.#subtree(path);
    if (!recursive && subtree.length > 1) throw conflicts.notEmpty(path);
    this.#needOwner(path, onlyOf);
    for (const entry of subtree) {
      change.drop(entry);
      change.remove(this.#rows, entry.path);
    }
  }

  date(change: Change, { path, modified, onlyOf }: Step<'date-entry'>): undefined {
    const entry = this.#rows.get(path);
    if (!entry) throw conflicts.missing(path);
    if (onlyOf !== undefined && entry.owner !== onlyOf) throw conflicts.others(path);
    change.set(this.#rows, path, { ...entry, modified });
  }

  #needOwner(path: FilePath, onlyOf: PrincipalId | undefined): void {
    if (onlyOf !== undefined && this.#subtree(path).some(({ owner }) => owner !== onlyOf)) throw conflicts.others(path);
  }

  #subtree(path: FilePath): readonly EntryRow[] {
    return [...this.#rows.values()].filter(entry => isWithin(entry.path, path));
  }

  unreferenced(change: Change): readonly BlobId[] {
    if (change.dropped.size === 0) return [];
    const inUse = new Set([...this.#rows.values()].map(blobOf));
    return [...change.dropped].filter(id => !inUse.has(id));
  }
}

function numbered({ seq: _, ...entry }: EntryRow, seq: number | undefined): EntryRow {
  return seq === undefined ? entry : { ...entry, seq };
}

/** Callers may use their octets again. */
function copyOf(entry: EntryRow): EntryRow {
  if (entry.type === 'dir' || entry.content.kind === 'blob') return entry;
  return { ...entry, content: { kind: 'inline', octets: Uint8Array.from(entry.content.octets) } };
}
