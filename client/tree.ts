/** Files and folders to and from a hub: which go where, which are there already, and several at once. */
import { mkdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { limits } from '../shared/limits.ts';
import { isUnchanged, type Received, type RemoteFile, receive } from './download.ts';
import { PartylineError } from './errors.ts';
import type { Link, Row } from './link.ts';
import { type LocalEntry, localName, rfc3339, walk } from './local-tree.ts';
import type { OnProgress } from './progress.ts';
import type { Session } from './session.ts';
import { type Sent, sendLarge, sendSmall, Window } from './upload.ts';

export interface TransferOptions {
  readonly signal?: AbortSignal | undefined;
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

/** Connections for bulk, opened when first needed and kept for the next file. */
export class BulkLinks {
  readonly #session: Session;
  readonly #idle: Link[] = [];

  constructor(session: Session) {
    this.#session = session;
  }

  async use<T>(work: (link: Link) => Promise<T>, signal?: AbortSignal): Promise<T> {
    let link = this.#idle.pop();
    while (link?.isOver) link = this.#idle.pop();
    link ??= await this.#session.further(signal);
    try {
      return await work(link);
    } finally {
      if (!link.isOver) this.#idle.push(link);
    }
  }

  async finish(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map(link => link.finish().catch(() => undefined)));
  }
}

/** Every entry below a folder of the hub, folders before what is in them. */
export async function* remoteTree(session: Session, folder: string, signal?: AbortSignal): AsyncGenerator<RemoteEntry> {
  const waiting = [''];
  for (let prefix = waiting.shift(); prefix !== undefined; prefix = waiting.shift()) {
    const path = `${folder.replace(/\/$/, '')}${prefix === '' ? '' : `/${prefix.slice(0, -1)}`}`;
    const rows: Row[] = [];
    await session.request('LS', { path: path === '' ? '/' : path }, { signal, onRow: row => void rows.push(row) });
    for (const { fields } of rows) {
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
  return session.request('STAT', { path }).then(
    ({ type }) => type === 'dir',
    () => false,
  );
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
  const tally = new Tally();
  const standing = new Standing(session);
  for await (const entry of entries) {
    options.signal?.throwIfAborted();
    const path = await target(entry);
    const there = await standing.at(path);
    if (entry.type === 'dir') {
      if (there?.type !== 'dir') await makeFolder(session, path);
      continue;
    }
    const isSame = there?.type === 'file' && there.size === entry.size && there.modified === rfc3339(entry.modifiedMs);
    if (isSame && !options.force) {
      tally.same(path, entry.size, options.onProgress);
      continue;
    }
    if (entry.size <= limits.inlineOctetsMax) {
      await small.room();
      small.add(sendSmall(session, entry, path, options).then(sent => tally.done(sent)));
    } else {
      await large.room();
      const send = (link: Link) => sendLarge(session, link, entry, path, options);
      large.add(bulk.use(send, options.signal).then(sent => tally.done(sent)));
    }
  }
  await small.empty();
  await large.empty();
  return tally.summary();
}

/** MKDIR with the folders above it; standing already is fine. */
export async function makeFolder(session: Session, path: string): Promise<void> {
  try {
    await session.request('MKDIR', { path });
  } catch (error) {
    if (!(error instanceof PartylineError)) throw error;
    if (error.code === 'exists') return;
    const above = path.slice(0, path.lastIndexOf('/'));
    if (error.code !== 'no-file' || above === '') throw error;
    await makeFolder(session, above);
    await makeFolder(session, path);
  }
}

/** What stands in the target's folders, each listed once. */
class Standing {
  readonly #session: Session;
  #folder: string | undefined;
  #entries = new Map<string, { type: string; size: number; modified: unknown }>();

  constructor(session: Session) {
    this.#session = session;
  }

  async at(path: string): Promise<{ type: string; size: number; modified: unknown } | undefined> {
    const end = path.lastIndexOf('/');
    const folder = path.slice(0, end) || '/';
    if (folder !== this.#folder) {
      this.#entries = new Map();
      this.#folder = folder;
      const onRow = ({ fields }: Row) =>
        void this.#entries.set(String(fields['name']).normalize('NFC'), {
          type: String(fields['type']),
          size: Number(fields['size'] ?? 0),
          modified: fields['modified'],
        });
      await this.#session.request('LS', { path: folder }, { onRow }).catch(error => {
        if (!(error instanceof PartylineError && ['no-file', 'no-room'].includes(error.code))) throw error;
      });
    }
    return this.#entries.get(path.slice(end + 1).normalize('NFC'));
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
  const tally = new Tally();
  if (facts.type === 'file') {
    const file = { path: source, size: facts.size ?? 0, hash: facts.hash ?? '', modified: facts.modified };
    await fetchOne(bulk, file, isFolder ? join(local, name) : local, tally, options);
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
      window.add(fetchOne(bulk, entry, place, tally, options));
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
  options: TransferOptions,
): Promise<void> {
  if (!options.force && (await isUnchanged(local, file))) return tally.same(file.path, file.size, options.onProgress);
  tally.done(await bulk.use(link => receive(link, file, local, options), options.signal));
}

class Tally {
  readonly #sent: (Sent | Received)[] = [];
  #same = 0;

  done(sent: Sent | Received): void {
    this.#sent.push(sent);
  }

  same(path: string, size: number, onProgress: OnProgress | undefined): void {
    this.#same++;
    onProgress?.({ phase: 'same', path, octets: size, total: size, resumedFrom: 0 });
  }

  summary(): Summary {
    const octets = this.#sent.reduce((sum, { size }) => sum + size, 0);
    return { files: this.#sent.length, octets, same: this.#same, sent: this.#sent };
  }
}
