/** Making a folder of the hub like one of this machine: what differs is sent, what is gone is removed only when asked. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import ignore from 'ignore';
import { rfc3339, walk } from './local-tree.ts';
import type { Session } from './session.ts';
import { type BulkLinks, put, type RemoteEntry, remoteTree, type Summary, type TransferOptions } from './tree.ts';

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
  const patterns = await readFile(join(folder, options.ignore ?? '.plignore'), 'utf8').catch(() => '');
  const matcher = ignore().add(patterns);
  const isIgnored = (name: string) => matcher.ignores(name);
  const target = remote.replace(/\/$/, '');
  const there = new Map<string, RemoteEntry>();
  for await (const entry of remoteTreeOrNothing(session, target)) there.set(entry.name, entry);
  const planned: string[] = [];
  const here = new Set<string>();
  for await (const { name, type, size, modifiedMs } of walk(folder, isIgnored)) {
    const known = there.get(name.normalize('NFC'));
    here.add(name.normalize('NFC'));
    const isSame =
      known?.type === type && (type === 'dir' || (known.size === size && known.modified === rfc3339(modifiedMs)));
    if (!isSame) planned.push(`${target}/${name}`);
  }
  const gone = [...there.values()].filter(({ name }) => options.delete && !here.has(name) && !isIgnored(name));
  const removed = gone
    .filter(({ name }) => !gone.some(other => name.startsWith(`${other.name}/`)))
    .map(({ path }) => path);
  if (options.dryRun) return { files: 0, octets: 0, same: there.size, sent: [], removed, planned };
  const summary = await put(session, bulk, `${folder.replace(/[/\\]$/, '')}/`, `${target}/`, {
    ...options,
    recursive: true,
    isIgnored,
  });
  for (const path of removed) await session.request('RM', { path, recursive: true });
  return { ...summary, removed, planned };
}

async function* remoteTreeOrNothing(session: Session, folder: string): AsyncGenerator<RemoteEntry> {
  const exists = await session.request('STAT', { path: folder }).then(
    () => true,
    () => false,
  );
  if (exists) yield* remoteTree(session, folder);
}
