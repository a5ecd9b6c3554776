/** Whether the rows and the blobs of a data folder agree; what nothing refers to can be removed. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { MIB } from '../../../shared/limits.ts';
import type { Hash } from '../../../shared/model.ts';
import type { Database } from './database.ts';
import { blobPath, blobsFolder, databasePath, incomingFolder, isBlobId } from './folders.ts';
import { takeLock } from './lock.ts';
import { openHubDatabase } from './schema.ts';

export interface CheckOptions {
  readonly dataDir: string;
  /** Removes blobs and half-written blobs that nothing refers to; refused while a server runs. */
  readonly repair: boolean;
  /** Reads every file. */
  readonly verifyHashes?: boolean;
}

export type ProblemKind =
  | 'database'
  | 'numbers'
  | 'parent'
  | 'blob-missing'
  | 'blob-size'
  | 'blob-hash'
  | 'orphan-blob'
  | 'orphan-incoming';

export interface Problem {
  readonly kind: ProblemKind;
  /** A sentence for the administrator. */
  readonly detail: string;
  readonly repaired: boolean;
}

export interface CheckReport {
  readonly problems: readonly Problem[];
  readonly counts: Readonly<Record<'rooms' | 'events' | 'files' | 'folders' | 'blobs' | 'documents', number>>;
}

/** Uploads that are not files yet, by their blobs. */
const UPLOADING = `SELECT value ->> '$.blob' FROM documents WHERE kind = 'upload' AND value ->> '$.done' IS NULL`;

/** Errors: a plain Error if there is no database, or if a repair is asked while a server runs. */
export async function checkEmbedded({ dataDir, repair, verifyHashes = false }: CheckOptions): Promise<CheckReport> {
  await stat(databasePath(dataDir));
  const lock = repair ? takeLock(dataDir) : undefined;
  const database = openHubDatabase(databasePath(dataDir));
  try {
    const problems = [
      ...rowProblems(database),
      ...(await contentProblems(database, dataDir, verifyHashes)),
      ...(await orphanProblems(database, dataDir, repair)),
    ];
    return { problems, counts: countRows(database) };
  } finally {
    database.close();
    lock?.close();
  }
}

function countRows(database: Database): CheckReport['counts'] {
  const count = (sql: string) => Number(database.prepare(`SELECT count(*) FROM ${sql}`).first([])?.[0]);
  return {
    rooms: count("documents WHERE kind = 'room'"),
    events: count('log'),
    files: count('entries WHERE size IS NOT NULL'),
    folders: count('entries WHERE size IS NULL'),
    blobs: count('(SELECT DISTINCT blob FROM entries WHERE blob IS NOT NULL)'),
    documents: count('documents'),
  };
}

function rowProblems(database: Database): readonly Problem[] {
  const found = (kind: ProblemKind, sql: string, say: (value: string) => string): readonly Problem[] =>
    database
      .prepare(sql)
      .all([])
      .map(([value]) => ({ kind, detail: say(String(value)), repaired: false }));
  return [
    ...found('database', 'PRAGMA integrity_check', said => said).filter(({ detail }) => detail !== 'ok'),
    ...found(
      'numbers',
      `SELECT room FROM log GROUP BY room HAVING count(*) <> max(seq) - min(seq) + 1 OR min(seq) <> 1 + coalesce(
         (SELECT min(seq) FROM marks WHERE marks.room = log.room AND file = 'all.jsonl'), 0)`,
      room => `the numbers of ${room} have holes`,
    ),
    ...found(
      'parent',
      `SELECT path FROM entries AS child WHERE instr(substr(parent, 2), '/') > 0
       AND NOT EXISTS (SELECT 1 FROM entries WHERE path = child.parent AND size IS NULL)`,
      path => `${path} lies in no folder`,
    ),
  ];
}

async function contentProblems(database: Database, dataDir: string, verify: boolean): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  const add = (kind: ProblemKind, detail: string) => problems.push({ kind, detail, repaired: false });
  const rows = database.prepare('SELECT path, size, hash, blob, inline FROM entries WHERE size IS NOT NULL').all([]);
  for (const [path, size, hash, blob, inline] of rows) {
    if (inline instanceof Uint8Array) {
      if (inline.length !== size) add('blob-size', `${path} has ${inline.length} octets and not ${size}`);
      if (verify && hashOf(inline) !== hash) add('blob-hash', `${path} does not have its hash`);
      continue;
    }
    const file = blobPath(dataDir, String(blob));
    const held = await stat(file).catch(() => undefined);
    if (!held) add('blob-missing', `the content of ${path} is gone (blob ${blob})`);
    else if (held.size !== size) add('blob-size', `${path} has ${held.size} octets and not ${size}`);
    else if (verify && (await hashOfFile(file)) !== hash) add('blob-hash', `${path} does not have its hash`);
  }
  return problems;
}

async function orphanProblems(database: Database, dataDir: string, repair: boolean): Promise<readonly Problem[]> {
  const uploading = new Set(database.prepare(UPLOADING).all([]).flat());
  const inUse = database.prepare('SELECT 1 FROM entries WHERE blob = ? LIMIT 1');
  const problems: Problem[] = [];
  const orphan = async (kind: ProblemKind, file: string, detail: string) => {
    if (repair) await rm(file);
    problems.push({ kind, detail, repaired: repair });
  };
  for (const { file, name } of await filesIn(blobsFolder(dataDir))) {
    if (uploading.has(name) || (isBlobId(name) && inUse.first([name]))) continue;
    await orphan('orphan-blob', file, `no file refers to the blob ${name}`);
  }
  for (const { file, name } of await filesIn(incomingFolder(dataDir))) {
    if (uploading.has(name)) continue;
    await orphan('orphan-incoming', file, `no upload refers to the half-written blob ${name}`);
  }
  return problems;
}

async function filesIn(folder: string): Promise<readonly { file: string; name: string }[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .filter(entry => entry.isFile())
    .map(entry => ({ file: join(entry.parentPath, entry.name), name: entry.name }));
}

function hashOf(octets: Uint8Array): Hash {
  return `sha256:${createHash('sha256').update(octets).digest('hex')}`;
}

async function hashOfFile(file: string): Promise<Hash> {
  const sum = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: MIB }), sum);
  return `sha256:${sum.digest('hex')}`;
}
