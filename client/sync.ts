/** Making a folder of the hub like one of this machine: what differs is sent, what is gone is removed only when asked. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BulkLinks } from './bulk.ts';
import { rfc3339, walk } from './local-tree.ts';
import { type RemoteEntry, remoteTree, statOrNothing } from './remote-tree.ts';
import type { Session } from './session.ts';
import type { TransferOptions } from './transfer-options.ts';
import { put, type Summary } from './tree.ts';

export interface SyncOptions extends TransferOptions {
  /** Remove from the hub what is not here. */
  readonly delete?: boolean | undefined;
  /** A file of patterns in the folder, as `.gitignore` has them. Default `.plignore`. */
  readonly ignore?: string | undefined;
  /** Only tell what would be done. */
  readonly dryRun?: boolean | undefined;
}

export interface SyncSummary extends Summary {
  /** Paths of the hub that were, or with `dryRun` would be, removed. */
  readonly removed: readonly string[];
  /** With `dryRun`: paths that would be sent. */
  readonly planned: readonly string[];
}

export async function sync(
  session: Session,
  bulk: BulkLinks,
  folder: string,
  remote: string,
  options: SyncOptions = {},
): Promise<SyncSummary> {
  const { default: ignore } = await import('ignore');
  const patterns = await readFile(join(folder, options.ignore ?? '.plignore'), 'utf8').catch(() => '');
  const matcher = ignore().add(patterns);
  const isIgnored = (name: string) => matcher.ignores(name) || options.isIgnored?.(name) === true;
  const target = remote.replace(/\/$/, '');
  const there = new Map<string, RemoteEntry>();
  for await (const entry of remoteTreeOrNothing(session, target)) there.set(entry.name, entry);
  const planned: string[] = [];
  const here = new Map<string, 'file' | 'dir'>();
  let same = 0;
  for await (const { name, type, size, modifiedMs } of walk(folder, isIgnored)) {
    const known = there.get(name.normalize('NFC'));
    here.set(name.normalize('NFC'), type);
    const isSame =
      known?.type === type && (type === 'dir' || (known.size === size && known.modified === rfc3339(modifiedMs)));
    if (!isSame) planned.push(`${target}/${name}`);
    else if (type === 'file') same++;
  }
  const isGone = ({ name, type }: RemoteEntry) =>
    here.get(name) !== type && !isIgnored(type === 'dir' ? `${name}/` : name);
  const gone = options.delete ? goneEntries([...there.values()], isGone) : [];
  const removed = gone.map(({ path }) => path);
  if (options.dryRun) return { files: 0, octets: 0, same, kept: 0, sent: [], removed, planned };
  const remove = async ({ path }: RemoteEntry) => {
    await session.request('RM', { path, recursive: true });
  };
  // A file cannot come where a folder stands, nor the other way round; what else is gone goes when all has come.
  const inTheWay = gone.filter(({ name }) => here.has(name));
  for (const entry of inTheWay) await remove(entry);
  const summary = await put(session, bulk, `${folder.replace(/[/\\]$/, '')}/`, `${target}/`, {
    ...options,
    recursive: true,
    isIgnored,
  });
  for (const entry of gone) if (!inTheWay.includes(entry)) await remove(entry);
  return { ...summary, removed, planned };
}

/** What is to be removed, a folder as one where nothing in it stays: an ignored file keeps the folders above it. */
function goneEntries(entries: readonly RemoteEntry[], isGone: (entry: RemoteEntry) => boolean): readonly RemoteEntry[] {
  const kept = new Set<string>();
  for (const entry of entries) {
    if (isGone(entry)) continue;
    for (let name = entry.name; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('/')))) kept.add(name);
  }
  const gone = entries.filter(({ name }) => !kept.has(name));
  const names = new Set(gone.map(({ name }) => name));
  return gone.filter(({ name }) => !names.has(name.slice(0, Math.max(0, name.lastIndexOf('/')))));
}

async function* remoteTreeOrNothing(session: Session, folder: string): AsyncGenerator<RemoteEntry> {
  if (await statOrNothing(session, folder)) yield* remoteTree(session, folder);
}
