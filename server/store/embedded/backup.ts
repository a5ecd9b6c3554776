/**
 * A copy of a data folder, taken while a server may be writing to it: first the database as it is at one moment, then
 * the contents it refers to. It is a data folder itself, so putting it back is the same copy the other way round.
 */
import { constants } from 'node:fs';
import { chmod, copyFile, link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { HubError } from '../../../shared/errors.ts';
import type { BlobId } from '../../hub/host.ts';
import { type CheckReport, checkEmbedded } from './check.ts';
import { type Database, isFull, openDatabase } from './database.ts';
import { blobFolder, blobPath, databasePath, makeFolders, syncFolder } from './folders.ts';
import { openHubDatabaseAsItIs } from './schema.ts';

export interface CopyOptions {
  /** A data folder, served or not, or a backup. */
  readonly from: string;
  /** Missing or empty. */
  readonly to: string;
  /** Beside the database: small files of the data folder, copied where they are there. */
  readonly secrets: readonly string[];
  /** Reads every content and compares its hash. */
  readonly verify: boolean;
}

/** Where a copy grows; what bears this name was interrupted. */
const PARTIAL = 'partial';
/** A content may be removed behind the moment of the database: then a newer moment is taken, keeping what is copied. */
const MOMENTS_MAX = 20;
const BUSY_TIMEOUT_MS = 10_000;

/**
 * Resolves when the copy is complete and safe on the disk, with what a check of it says: damage of the source is copied
 * and told. Its database comes last to its name, so that a folder without one is no copy. Errors: `no-file` if `from` is
 * no data folder, `exists` if `to` is not empty, `no-space` (nothing is left behind), `busy` if contents vanish faster
 * than they are copied; a plain Error if a newer version of the program wrote `from`.
 */
export async function copyDataFolder({ from, to, secrets, verify }: CopyOptions): Promise<CheckReport> {
  const source = await openSource(from);
  try {
    demandOutside(from, to);
    await demandEmpty(to);
    const partial = join(to, PARTIAL);
    await mkdir(partial, { recursive: true, mode: 0o700 });
    try {
      await makeFolders(partial);
      await copyContents(source, from, partial);
      for (const name of secrets) await copySecret(join(from, name), join(partial, name));
      const report = await checkEmbedded({ dataDir: partial, repair: false, verifyHashes: verify });
      await settle(partial);
      await moveUp(partial, to);
      return report;
    } catch (error) {
      await rm(partial, { recursive: true, force: true });
      throw isNoRoom(error) ? new HubError('no-space', `there is not enough room for a copy in ${to}`) : error;
    }
  } finally {
    source.close();
  }
}

async function openSource(from: string): Promise<Database> {
  const path = databasePath(from);
  if (!(await stat(path).catch(() => undefined))) {
    throw new HubError('no-file', `${from} is neither a data folder nor a backup: it has no hub.db`);
  }
  return openHubDatabaseAsItIs(path);
}

/** A copy within what is copied would be the next copy's. */
function demandOutside(from: string, to: string): void {
  if (!`${resolve(to)}/`.startsWith(`${resolve(from)}/`)) return;
  throw new HubError('bad-argument', `${to} lies in the data folder ${from}: name a folder elsewhere, on another disk`);
}

async function demandEmpty(to: string): Promise<void> {
  const [first] = await readdir(to).catch(error => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (first === undefined) return;
  const hint = first === PARTIAL ? '; an interrupted copy lies there, which may be removed' : '';
  throw new HubError('exists', `${to} is not empty: name a new folder${hint}`);
}

async function copyContents(source: Database, from: string, partial: string): Promise<void> {
  const copied = new Set<BlobId>();
  for (let moment = 0; moment < MOMENTS_MAX; moment++) {
    const blobs = await copyDatabase(source, databasePath(partial));
    let isWhole = true;
    for (const id of blobs) {
      if (copied.has(id)) continue;
      if (await copyBlob(from, partial, id)) copied.add(id);
      else if (isReferred(source, id)) continue;
      else isWhole = false;
    }
    if (!isWhole) continue;
    const wanted = new Set(blobs);
    for (const id of copied) if (!wanted.has(id)) await rm(blobPath(partial, id));
    return;
  }
  throw new HubError('busy', 'files are removed faster than they are copied; try again when less is going on');
}

/** One moment of the database, without what only makes sense beside half-written contents. Gives the blobs of its files. */
async function copyDatabase(source: Database, path: string): Promise<readonly BlobId[]> {
  await rm(path, { force: true });
  source.prepare('VACUUM INTO ?').run([path]);
  const copy = openDatabase(path, 0);
  try {
    copy.exec("DELETE FROM documents WHERE kind = 'upload' AND value ->> '$.done' IS NULL");
    const rows = copy.prepare('SELECT DISTINCT blob FROM entries WHERE blob IS NOT NULL').all([]);
    return rows.map(([id]) => String(id));
  } finally {
    copy.close();
  }
}

/** The content is gone although a file has it: damage, of which the check of the copy tells. */
function isReferred(source: Database, id: BlobId): boolean {
  return source.prepare('SELECT 1 FROM entries WHERE blob = ? LIMIT 1').first([id]) !== undefined;
}

/** False if it is not there. Contents never change, so a second name for the same octets is a copy. */
async function copyBlob(from: string, partial: string, id: BlobId): Promise<boolean> {
  const [source, target] = [blobPath(from, id), blobPath(partial, id)];
  await mkdir(blobFolder(partial, id), { recursive: true });
  try {
    await link(source, target).catch(async error => {
      if (error.code === 'ENOENT' || error.code === 'ENOSPC') throw error;
      await copyFile(source, target, constants.COPYFILE_FICLONE);
      await syncFile(target);
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function copySecret(source: string, target: string): Promise<void> {
  if (!(await stat(source).catch(() => undefined))) return;
  await copyFile(source, target);
  await chmod(target, 0o600);
  await syncFile(target);
}

async function settle(partial: string): Promise<void> {
  // Written anew without a log ahead of it: one file, that can be read from where nothing can be written.
  const [path, final] = [databasePath(partial), `${databasePath(partial)}.final`];
  const database = openDatabase(path, BUSY_TIMEOUT_MS);
  try {
    database.prepare('VACUUM INTO ?').run([final]);
  } finally {
    database.close();
  }
  for (const left of [`${path}-wal`, `${path}-shm`]) await rm(left, { force: true });
  await rename(final, path);
  await chmod(databasePath(partial), 0o600);
  await syncFile(databasePath(partial));
  for (const entry of await readdir(partial, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) await syncFolder(join(entry.parentPath, entry.name));
  }
  await syncFolder(partial);
}

/** Into the folder itself, which may be a mount point and have no neighbour. */
async function moveUp(partial: string, to: string): Promise<void> {
  const last = 'hub.db';
  const names = (await readdir(partial)).filter(name => name !== last);
  for (const name of [...names, last]) await rename(join(partial, name), join(to, name));
  await rm(partial, { recursive: true });
  await syncFolder(to);
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function isNoRoom(error: unknown): boolean {
  return isFull(error) || (error instanceof Error && 'code' in error && error.code === 'ENOSPC');
}
