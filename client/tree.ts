/** Files and folders to and from a hub: which go where, which are there already, and several at once. */
import { mkdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { limits } from '../shared/limits.ts';
import { isWithin } from '../shared/names.ts';
import type { BulkLinks } from './bulk.ts';
import { isUnchanged, type Received, type RemoteFile, receive } from './download.ts';
import { PartylineError } from './errors.ts';
import { type LocalEntry, localName, rfc3339, walk } from './local-tree.ts';
import { metered, type OnProgress, type OnStep } from './progress.ts';
import type { Session } from './session.ts';
import { type Sent, sendLarge, sendSmall, Window } from './upload.ts';

export interface TransferOptions {
  readonly signal?: AbortSignal | undefined;
  /** Of a request without any sign of life from the server. Default 30 s. */
  readonly timeoutMs?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** Of one file that is sent. */
  readonly bytesPerSecond?: number | undefined;
  /** Large files at once; each has a connection of its own. Default 2. */
  readonly parallel?: number | 'auto' | undefined;
  readonly recursive?: boolean | undefined;
  /** Send or fetch also what has the same size and date on both sides. */
  readonly force?: boolean | undefined;
  readonly isIgnored?: ((name: string) => boolean) | undefined;
}

export interface Summary {
  readonly files: number;
  readonly octets: number;
  /** Files that were there already, with the same size and date. */
  readonly same: number;
  readonly sent: readonly (Sent | Received)[];
}

const smallAtOnce = 32;

export interface RemoteEntry {
  /** From the listed folder, with `/`. */
  readonly name: string;
  readonly path: string;
  readonly type: 'file' | 'dir';
  readonly size: number;
  readonly hash: string;
  readonly modified: string | undefined;
}

/** Every entry below a folder of the hub, folders before what is in them. */
export async function* remoteTree(session: Session, folder: string, signal?: AbortSignal): AsyncGenerator<RemoteEntry> {
  const waiting = [''];
  for (let prefix = waiting.shift(); prefix !== undefined; prefix = waiting.shift()) {
    const path = `${folder.replace(/\/$/, '')}${prefix === '' ? '' : `/${prefix.slice(0, -1)}`}`;
    for (const { fields } of await session.list('LS', { path: path === '' ? '/' : path }, { signal })) {
      const name = prefix + String(fields['name']);
      const type = fields['type'] === 'dir' ? 'dir' : 'file';
      if (type === 'dir') waiting.push(`${name}/`);
      const modified = fields['modified'] as string | undefined;
      yield {
        name,
        path: `${folder.replace(/\/$/, '')}/${name}`,
        type,
        size: Number(fields['size'] ?? 0),
        hash: String(fields['hash'] ?? ''),
        modified,
      };
    }
  }
}

async function isRemoteFolder(session: Session, path: string): Promise<boolean> {
  if (path.endsWith('/')) return true;
  return (await statOrNothing(session, path))?.type === 'dir';
}

/** Undefined where nothing stands. Errors: all others of STAT. */
export async function statOrNothing(session: Session, path: string): Promise<{ readonly type: string } | undefined> {
  try {
    return await session.request('STAT', { path });
  } catch (error) {
    if (error instanceof PartylineError && isAbsence(error)) return undefined;
    throw error;
  }
}

function isAbsence({ code }: PartylineError): boolean {
  return code === 'no-file' || code === 'no-room';
}

/** A trailing slash on the source means its contents, as with rsync; on the target it means a folder. */
export async function put(
  session: Session,
  bulk: BulkLinks,
  local: string,
  remote: string,
  options: TransferOptions = {},
): Promise<Summary> {
  const facts = await stat(local).catch(() => {
    throw new PartylineError('no-file', `there is no ${local} here`);
  });
  const into = async () =>
    (await isRemoteFolder(session, remote)) ? `${remote.replace(/\/$/, '')}/${basename(local)}` : remote;
  if (!facts.isDirectory()) {
    const entry = {
      path: local,
      name: basename(local),
      type: 'file',
      size: facts.size,
      modifiedMs: facts.mtimeMs,
    } as const;
    return putAll(session, bulk, [entry], async () => into(), options);
  }
  if (!options.recursive)
    throw new PartylineError('bad-argument', `${local} is a folder; say -r to send what is in it`);
  const target = /[/\\]$/.test(local) ? remote.replace(/\/$/, '') : await into();
  return putAll(session, bulk, walk(local, options.isIgnored), async entry => `${target}/${entry.name}`, options);
}

async function putAll(
  session: Session,
  bulk: BulkLinks,
  entries: AsyncIterable<LocalEntry> | Iterable<LocalEntry>,
  target: (entry: LocalEntry) => Promise<string>,
  options: TransferOptions,
): Promise<Summary> {
  const small = new Window(smallAtOnce);
  const large = new Window(options.parallel === undefined || options.parallel === 'auto' ? 2 : options.parallel);
  const onStep = metered(options.onProgress);
  const tally = new Tally(onStep);
  const standing = new Standing(session);
  for await (const entry of entries) {
    options.signal?.throwIfAborted();
    const path = await target(entry);
    const there = await standing.at(path);
    if (entry.type === 'dir') {
      if (there?.type !== 'dir' && (await makeFolder(session, path))) standing.isEmpty(path);
      continue;
    }
    const isSame = there?.type === 'file' && there.size === entry.size && there.modified === rfc3339(entry.modifiedMs);
    if (isSame && !options.force) {
      tally.same(path, entry.size);
      continue;
    }
    if (entry.size <= limits.inlineOctetsMax) {
      await small.room();
      small.add(sendSmall(session, entry, path, { ...options, onStep }).then(sent => tally.done(sent)));
    } else {
      await large.room();
      large.add(sendLarge(session, bulk, entry, path, { ...options, onStep }).then(sent => tally.done(sent)));
    }
  }
  await small.empty();
  await large.empty();
  return tally.summary();
}

/** MKDIR with the folders above it; standing already is fine. True if it is new. */
export async function makeFolder(session: Session, path: string): Promise<boolean> {
  try {
    await session.persist(() => session.request('MKDIR', { path }));
    return true;
  } catch (error) {
    if (!(error instanceof PartylineError)) throw error;
    if (error.code === 'exists') return false;
    const above = path.slice(0, path.lastIndexOf('/'));
    if (error.code !== 'no-file' || above === '') throw error;
    await makeFolder(session, above);
    return makeFolder(session, path);
  }
}

interface Standee {
  readonly type: string;
  readonly size: number;
  readonly modified: unknown;
}

/** What stands in the target's folders. Each is listed once, and forgotten when the walk has left it. */
class Standing {
  readonly #session: Session;
  readonly #folders = new Map<string, ReadonlyMap<string, Standee>>();

  constructor(session: Session) {
    this.#session = session;
  }

  async at(path: string): Promise<Standee | undefined> {
    const end = path.lastIndexOf('/');
    const folder = path.slice(0, end) || '/';
    for (const left of this.#folders.keys()) if (!isWithin(path, left)) this.#folders.delete(left);
    let entries = this.#folders.get(folder);
    if (!entries) {
      entries = await this.#list(folder);
      this.#folders.set(folder, entries);
    }
    return entries.get(path.slice(end + 1).normalize('NFC'));
  }

  /** A folder that was just made need not be listed. */
  isEmpty(folder: string): void {
    this.#folders.set(folder, new Map());
  }

  async #list(path: string): Promise<ReadonlyMap<string, Standee>> {
    const rows = await this.#session.list('LS', { path }).catch(error => {
      if (error instanceof PartylineError && isAbsence(error)) return [];
      throw error;
    });
    return new Map(
      rows.map(({ fields: { name, type, size, modified } }) => [
        String(name).normalize('NFC'),
        { type: String(type), size: Number(size ?? 0), modified },
      ]),
    );
  }
}

/** The counterpart of `put`: a trailing slash on the source means its contents, on the target a folder. */
export async function get(
  session: Session,
  bulk: BulkLinks,
  remote: string,
  local: string,
  options: TransferOptions = {},
): Promise<Summary> {
  const source = remote.length > 1 ? remote.replace(/\/$/, '') : remote;
  const facts = await session.request('STAT', { path: source }, { signal: options.signal });
  const isFolder = /[/\\]$/.test(local) || (await stat(local).catch(() => undefined))?.isDirectory() === true;
  const name = localName(source.slice(source.lastIndexOf('/') + 1) || 'hub');
  const onStep = metered(options.onProgress);
  const tally = new Tally(onStep);
  if (facts.type === 'file') {
    const file = { path: source, size: facts.size ?? 0, hash: facts.hash ?? '', modified: facts.modified };
    await fetchOne(bulk, file, isFolder ? join(local, name) : local, tally, { ...options, onStep });
    return tally.summary();
  }
  if (!options.recursive)
    throw new PartylineError('bad-argument', `${source} is a folder; say -r to fetch what is in it`);
  const target = remote.endsWith('/') ? local : join(local, name);
  await mkdir(target, { recursive: true });
  const window = new Window(typeof options.parallel === 'number' ? options.parallel : 4);
  for await (const entry of remoteTree(session, source, options.signal)) {
    options.signal?.throwIfAborted();
    const place = join(target, ...entry.name.split('/').map(localName));
    if (entry.type === 'dir') await mkdir(place, { recursive: true });
    else {
      await window.room();
      window.add(fetchOne(bulk, entry, place, tally, { ...options, onStep }));
    }
  }
  await window.empty();
  return tally.summary();
}

async function fetchOne(
  bulk: BulkLinks,
  file: RemoteFile,
  local: string,
  tally: Tally,
  options: TransferOptions & { readonly onStep: OnStep | undefined },
): Promise<void> {
  if (!options.force && (await isUnchanged(local, file))) return tally.same(file.path, file.size);
  tally.done(await bulk.persist(link => receive(link, file, local, options), options.signal));
}

class Tally {
  readonly #sent: (Sent | Received)[] = [];
  readonly #onStep: OnStep | undefined;
  #same = 0;

  constructor(onStep: OnStep | undefined) {
    this.#onStep = onStep;
  }

  done(sent: Sent | Received): void {
    this.#sent.push(sent);
  }

  same(path: string, size: number): void {
    this.#same++;
    this.#onStep?.({ phase: 'same', path, octets: size, total: size, resumedFrom: 0 });
  }

  summary(): Summary {
    const octets = this.#sent.reduce((sum, { size }) => sum + size, 0);
    return { files: this.#sent.length, octets, same: this.#same, sent: this.#sent };
  }
}
