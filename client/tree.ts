/** Files and folders to and from a hub: which go where, which are there already, and several at once. */
import { mkdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { limits } from '../shared/limits.ts';
import type { BulkLinks } from './bulk.ts';
import { isUnchanged, type Received, receive } from './download.ts';
import { PartylineError } from './errors.ts';
import { type LocalEntry, localName, rfc3339, walk } from './local-tree.ts';
import { Pacer, Window } from './pacing.ts';
import { metered, type OnStep } from './progress.ts';
import { isRemoteFolder, makeFolder, type RemoteFile, remoteTree, Standing } from './remote-tree.ts';
import type { Session } from './session.ts';
import type { FileOptions, TransferOptions } from './transfer-options.ts';
import { type Sent, sendLarge, sendSmall } from './upload.ts';

export interface Summary {
  readonly files: number;
  readonly octets: number;
  /** Files that were there already, with the same size and date. */
  readonly same: number;
  /** Octets that needed not be sent, since the hub had them. */
  readonly kept: number;
  readonly sent: readonly (Sent | Received)[];
}

/** Small files on their way at once; large ones wait for a connection. */
const sentSmallAtOnce = 32;
const fetchedAtOnce = 4;
const largeAtOnce = 2;

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
  const small = new Window(sentSmallAtOnce);
  const large = new Window(options.transfers ?? largeAtOnce);
  const each = fileOptions(options);
  const tally = new Tally(each.onStep);
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
      small.add(sendSmall(session, entry, path, each).then(sent => tally.done(sent)));
    } else {
      await large.room();
      large.add(sendLarge(session, bulk, entry, path, each).then(sent => tally.done(sent)));
    }
  }
  await small.empty();
  await large.empty();
  return tally.summary();
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
  const each = { ...fileOptions(options), force: options.force };
  const tally = new Tally(each.onStep);
  if (facts.type === 'file') {
    const file = { path: source, size: facts.size ?? 0, hash: facts.hash ?? '', modified: facts.modified };
    await fetchOne(bulk, file, isFolder ? join(local, name) : local, tally, each);
    return tally.summary();
  }
  if (!options.recursive)
    throw new PartylineError('bad-argument', `${source} is a folder; say -r to fetch what is in it`);
  const target = remote.endsWith('/') ? local : join(local, name);
  await mkdir(target, { recursive: true });
  const window = new Window(options.transfers ?? fetchedAtOnce);
  for await (const entry of remoteTree(session, source, options)) {
    options.signal?.throwIfAborted();
    const place = join(target, ...entry.name.split('/').map(localName));
    if (entry.type === 'dir') await mkdir(place, { recursive: true });
    else {
      await window.room();
      window.add(fetchOne(bulk, entry, place, tally, each));
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
  options: FileOptions & { readonly force: boolean | undefined },
): Promise<void> {
  if (!options.force && (await isUnchanged(local, file))) return tally.same(file.path, file.size);
  tally.done(await receive(bulk, file, local, options));
}

/** The rate is one for all files of a call. */
function fileOptions({ signal, timeoutMs, parallel, delta, bytesPerSecond, onProgress }: TransferOptions): FileOptions {
  const pacer = bytesPerSecond === undefined ? undefined : new Pacer(bytesPerSecond);
  return { signal, timeoutMs, parallel, delta, pacer, onStep: metered(onProgress) };
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
    const kept = this.#sent.reduce((sum, one) => sum + ('kept' in one ? (one.kept ?? 0) : 0), 0);
    return { files: this.#sent.length, octets, same: this.#same, kept, sent: this.#sent };
  }
}
