/** The steps that change files and folders, as SQL. A subtree is a range of paths: `0` is the character behind `/`. */
import type { FilePath } from '../../../shared/names.ts';
import { baseName, isWithin, parentPath, pathComponents } from '../../../shared/paths.ts';
import type { BlobId, PrincipalId } from '../../hub/host.ts';
import type { Write } from '../../hub/writes.ts';
import { conflicts } from '../conflicts.ts';
import type { Database } from './database.ts';

type StepOf<K extends Write['kind']> = Extract<Write, { kind: K }>;

const WITHIN = "(path = ? OR (path > ? || '/' AND path < ? || '0'))";

/** Blobs that lose an entry are added to `dropped`. `seq`: of the event that announces it. */
export function putEntry(
  database: Database,
  { entry, expect, contentOf }: StepOf<'put-entry'>,
  dropped: Set<BlobId>,
  seq: number | undefined,
): void {
  const { path, owner, ownerName, modified, added = null } = entry;
  const old = database.prepare('SELECT size, hash, blob FROM entries WHERE path = ?').first([path]);
  if (expect === 'absent' && old) throw conflicts.taken(path);
  if (typeof expect === 'object' && old?.[1] !== expect.hash) throw conflicts.otherContent(path);
  if (old && (old[0] === null) !== (entry.type === 'dir')) throw conflicts.otherType(path);
  needFolder(database, path);
  const { size = null, hash = null, blob = null, inline = null } = contentColumns(entry);
  if (contentOf !== undefined) {
    const same = database.prepare('SELECT 1 FROM entries WHERE path = ? AND hash = ? AND blob IS ?');
    if (!same.first([contentOf, hash, blob])) throw conflicts.otherContent(contentOf);
  }
  if (typeof old?.[2] === 'string') dropped.add(old[2]);
  database
    .prepare('INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    .run([
      path,
      parentPath(path),
      baseName(path),
      owner,
      ownerName,
      modified,
      size,
      hash,
      blob,
      inline,
      seq ?? null,
      added,
    ]);
}

function contentColumns(entry: StepOf<'put-entry'>['entry']) {
  if (entry.type === 'dir') return {};
  const { size, hash, content } = entry;
  return content.kind === 'blob' ? { size, hash, blob: content.id } : { size, hash, inline: content.octets };
}

/** `seq`: of the event that announces it. */
export function moveEntry(
  database: Database,
  { from, to, onlyOf }: StepOf<'move-entry'>,
  seq: number | undefined,
): void {
  if (!exists(database, from)) throw conflicts.missing(from);
  if (exists(database, to)) throw conflicts.taken(to);
  if (isWithin(to, from)) throw conflicts.noFolder(to);
  needOwner(database, from, onlyOf);
  needFolder(database, to);
  database
    .prepare(
      `UPDATE entries SET parent = ? || substr(parent, length(?) + 1), path = ? || substr(path, length(?) + 1),
         seq = CASE WHEN ? THEN seq END
       WHERE path > ? || '/' AND path < ? || '0'`,
    )
    .run([to, from, to, from, pathComponents(from)[0] === pathComponents(to)[0] ? 1 : 0, from, from]);
  database
    .prepare('UPDATE entries SET path = ?, parent = ?, name = ?, seq = ? WHERE path = ?')
    .run([to, parentPath(to), baseName(to), seq ?? null, from]);
}

/** Blobs that lose an entry are added to `dropped`. */
export function removeEntry(
  database: Database,
  { path, recursive, match, onlyOf }: StepOf<'remove-entry'>,
  dropped: Set<BlobId>,
): void {
  const [hash] = database.prepare('SELECT hash FROM entries WHERE path = ?').first([path]) ?? [];
  if (hash === undefined) throw conflicts.missing(path);
  if (match !== undefined && hash !== match) throw conflicts.otherContent(path);
  const child = () => database.prepare('SELECT 1 FROM entries WHERE parent = ? LIMIT 1').first([path]);
  if (!recursive && child()) throw conflicts.notEmpty(path);
  needOwner(database, path, onlyOf);
  const blobs = database.prepare(`SELECT blob FROM entries WHERE blob IS NOT NULL AND ${WITHIN}`);
  for (const [blob] of blobs.all([path, path, path])) dropped.add(String(blob));
  database.prepare(`DELETE FROM entries WHERE ${WITHIN}`).run([path, path, path]);
}

export function dateEntry(database: Database, { path, modified, onlyOf }: StepOf<'date-entry'>): void {
  const owner = database.prepare('SELECT owner FROM entries WHERE path = ?').first([path])?.[0];
  if (owner === undefined) throw conflicts.missing(path);
  if (onlyOf !== undefined && owner !== onlyOf) throw conflicts.others(path);
  database.prepare('UPDATE entries SET modified = ? WHERE path = ?').run([modified, path]);
}

function exists(database: Database, path: FilePath): boolean {
  return database.prepare('SELECT 1 FROM entries WHERE path = ?').first([path]) !== undefined;
}

function needOwner(database: Database, path: FilePath, onlyOf: PrincipalId | undefined): void {
  if (onlyOf === undefined) return;
  const others = database.prepare(`SELECT 1 FROM entries WHERE ${WITHIN} AND owner <> ? LIMIT 1`);
  if (others.first([path, path, path, onlyOf])) throw conflicts.others(path);
}

function needFolder(database: Database, path: FilePath): void {
  const parent = parentPath(path);
  if (pathComponents(parent).length === 1) return;
  const row = database.prepare('SELECT size FROM entries WHERE path = ?').first([parent]);
  if (row?.[0] !== null) throw conflicts.noFolder(path);
}
