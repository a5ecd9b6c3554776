/** The files' tree as rules see it: what stands at a path, what may be put there, and how a row is shown. */
import type { z } from 'zod';
import { formatTime } from '../../shared/clock.ts';
import { HubError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { Entry, Hash } from '../../shared/model.ts';
import type { FilePath } from '../../shared/names.ts';
import { baseName, parentPath, pathComponents } from '../../shared/paths.ts';
import type { Domain } from './handlers.ts';
import { demandOwner } from './homes.ts';
import type { EntryRow, FileRow } from './host.ts';
import type { LiveRoom } from './live-rooms.ts';
import { demand } from './permissions.ts';
import type { Person } from './session.ts';
import { demandNoTranscript } from './transcripts.ts';

/** True for `/room` and `/~ada`: it is a folder without an entry. */
export function isRoomRoot(path: FilePath): boolean {
  return pathComponents(path).length === 1;
}

/** Error: `no-file`. */
export async function entryAt(domain: Domain, path: FilePath): Promise<EntryRow> {
  const entry = await domain.store.entry(path);
  if (!entry) throw new HubError('no-file', `there is no ${path}`);
  return entry;
}

/** Errors: `no-file`, also for a folder. */
export async function fileAt(domain: Domain, path: FilePath): Promise<FileRow> {
  if (isRoomRoot(path)) throw new HubError('no-file', `${path} is a folder`);
  const entry = await entryAt(domain, path);
  if (entry.type === 'dir') throw new HubError('no-file', `${path} is a folder`);
  return entry;
}

/** Errors: `no-file` if the folder that would hold the path is missing or is a file; `forbidden` for a room's root or transcript. */
export async function demandParent(domain: Domain, path: FilePath): Promise<void> {
  demandNoTranscript(path);
  if (isRoomRoot(path)) throw new HubError('forbidden', 'rooms are made by CREATE and stay');
  const parent = parentPath(path);
  if (isRoomRoot(parent)) return demandOwner(domain, path);
  const entry = await domain.store.entry(parent);
  if (!entry) throw new HubError('no-file', `there is no folder ${parent}; MKDIR it first, or say parents=1`);
  if (entry.type !== 'dir') throw new HubError('no-file', `${parent} is a file, not a folder`);
}

/**
 * The path, or where something stands there the same with a number before its ending: `a.jpg`, `a-2.jpg`, `a-3.jpg`. The
 * free number is closed in on, so that the ten thousandth picture of a name asks no more often than the twentieth.
 */
export async function freePath(domain: Domain, path: FilePath): Promise<FilePath> {
  const [, stem = '', ending = ''] = /^(.*\/[^/]+?)(\.[^./]*)?$/.exec(path) ?? [];
  const at = (number: number) => (number === 1 ? path : (`${stem}-${number}${ending}` as FilePath));
  const isTaken = async (number: number) => (await domain.store.entry(at(number))) !== undefined;
  if (!(await isTaken(1))) return path;
  let [taken, free] = [1, 2];
  while (await isTaken(free)) [taken, free] = [free, 2 * free];
  while (free - taken > 1) {
    const middle = Math.floor((taken + free) / 2);
    if (await isTaken(middle)) taken = middle;
    else free = middle;
  }
  return at(free);
}

export type PutMode = 'new' | 'replace' | 'if-match';

/** What a put expects to find at its path when it commits. */
export type Expected = 'absent' | { readonly hash: Hash };

/** May this person put a file here now? Errors: `exists`, `if-match`, `conflict` for a folder, `forbidden`, `no-file`. */
export async function demandPlace(
  domain: Domain,
  room: LiveRoom,
  person: Person,
  path: FilePath,
  mode: PutMode,
  match?: Hash,
): Promise<Expected> {
  await demandParent(domain, path);
  const entry = await domain.store.entry(path);
  if (!entry) {
    if (mode === 'if-match') throw new HubError('if-match', `there is no ${path} to match`);
    return 'absent';
  }
  if (entry.type === 'dir') throw new HubError('conflict', `${path} is a folder`);
  if (mode === 'new') throw new HubError('exists', `${path} exists; say mode=replace to take its place`);
  demand(person, 'overwrite', room.rights, entry);
  if (mode === 'if-match' && entry.hash !== match) throw new HubError('if-match', `${path} is another file by now`);
  return { hash: entry.hash };
}

/** Makes the folders above a path that are missing. Pipelined uploads into one new folder share the work. */
export class Folders {
  readonly #domain: Domain;
  readonly #making = new Map<FilePath, Promise<void>>();

  constructor(domain: Domain) {
    this.#domain = domain;
  }

  async makeAbove(path: FilePath, person: Person): Promise<void> {
    const folder = parentPath(path);
    demandNoTranscript(folder);
    if (folder === '/' || isRoomRoot(folder)) return demandOwner(this.#domain, path);
    if ((await this.#domain.store.entry(folder))?.type === 'dir') return;
    let making = this.#making.get(folder);
    if (!making) {
      making = this.#make(folder, person).finally(() => this.#making.delete(folder));
      this.#making.set(folder, making);
    }
    await making;
  }

  async #make(folder: FilePath, person: Person): Promise<void> {
    await this.makeAbove(folder, person);
    const entry = folderRow(this.#domain, folder, person);
    await this.#domain.store.commit([{ kind: 'put-entry', entry, expect: 'absent' }]).catch(async error => {
      // Somebody else was faster, which is as good; a file in the way is said by the check of the place.
      if (!(error instanceof HubError && error.code === 'conflict')) throw error;
    });
  }
}

export function folderRow(domain: Domain, path: FilePath, person: Person): EntryRow {
  const modified = formatTime(domain.clock.now());
  return { path, type: 'dir', owner: person.principal, ownerName: person.name, modified };
}

/** An entry as LS and STAT show it. */
export function shownEntry(entry: EntryRow): z.output<typeof Entry> {
  const { type, modified, ownerName: owner } = entry;
  const name = baseName(entry.path);
  if (entry.type === 'dir') return { name, type, modified, owner };
  return { name, type, size: entry.size, modified, owner, hash: entry.hash };
}

/** Every entry below a folder, parents first, in pages. Error: `too-large` past the bound of one transaction. */
export async function* entriesBelow(domain: Domain, folder: FilePath): AsyncGenerator<EntryRow> {
  const waiting = [folder];
  let count = 0;
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    for await (const entry of childrenOf(domain, path)) {
      if (++count > limits.treeEntriesMax) {
        throw new HubError(
          'too-large',
          `${folder} holds more than ${limits.treeEntriesMax} entries; work on parts of it`,
        );
      }
      if (entry.type === 'dir') waiting.push(entry.path);
      yield entry;
    }
  }
}

export async function* childrenOf(domain: Domain, folder: FilePath, after?: string): AsyncGenerator<EntryRow> {
  const limit = 500;
  for (let last = after; ; ) {
    const page = await domain.store.children(folder, { limit, ...(last !== undefined && { after: last }) });
    yield* page;
    if (page.length < limit) return;
    last = baseName(page.at(-1)!.path);
  }
}
