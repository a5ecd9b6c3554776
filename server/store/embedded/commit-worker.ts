/**
 * The thread that owns the database: a batch of transactions is one commit, and so one fsync, which may wait behind a
 * big upload without stopping the event loop.
 */
import { existsSync, renameSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { HubError } from '../../../shared/errors.ts';
import { serveRequests } from '../worker-link.ts';
import { type Database, isBroken, isBusy, isFull } from './database.ts';
import { armFaultPoint } from './fault-point.ts';
import { blobPath, databasePath, incomingPath } from './folders.ts';
import { Ledger } from './ledger.ts';
import { takeLock } from './lock.ts';
import { read } from './reads.ts';
import type { BatchOutcome, StoreRequest, StoreWorkerData, Transaction } from './requests.ts';
import { indexAll } from './room-index.ts';
import { openHubDatabase } from './schema.ts';

const { dataDir, isShared, faultPoint } = workerData as StoreWorkerData;
const reach = armFaultPoint(faultPoint);
let opened: { readonly database: Database; readonly ledger: Ledger; readonly lock: Database | undefined } | undefined;

function open(): void {
  const lock = isShared ? undefined : takeLock(dataDir);
  const database = openHubDatabase(databasePath(dataDir));
  if (!isShared) {
    unsealForUploads(database);
    indexAll(database);
  }
  opened = { database, ledger: new Ledger(database, reach), lock };
}

/** Between sealing a blob and the transaction that gives it a file the process may die: the upload then goes on. */
function unsealForUploads(database: Database): void {
  const unfinished = database.prepare(`
    SELECT value ->> '$.blob' AS id FROM documents
    WHERE kind = 'upload' AND value ->> '$.done' IS NULL AND id IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM entries WHERE blob = id)`);
  for (const [id] of unfinished.all([])) {
    const sealed = blobPath(dataDir, String(id));
    if (existsSync(sealed)) renameSync(sealed, incomingPath(dataDir, String(id)));
  }
}

function ready(): NonNullable<typeof opened> {
  if (!opened) throw new Error('the store is closed');
  return opened;
}

function commit(batch: readonly Transaction[], isTight: boolean): BatchOutcome {
  const { database, ledger } = ready();
  try {
    reach('commit-begun');
    if (isTight) database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all([]);
    database.prepare('BEGIN IMMEDIATE').run([]);
    const outcomes = ledger.apply(batch);
    reach('commit-written');
    database.prepare('COMMIT').run([]);
    reach('commit-done');
    if (ledger.isBehind && !isTight) setImmediate(index);
    return outcomes;
  } catch (error) {
    ledger.forget();
    database.rollback();
    if (isFull(error)) return 'full';
    if (isBroken(error)) return { failed: String(error) };
    if (isBusy(error)) throw new HubError('busy', 'another program holds the data folder for too long');
    throw error;
  }
}

/** After the answer, so that nobody waits for it unless he is fast. It syncs nothing: what is lost is made again. */
function index(): void {
  if (!opened?.ledger.isBehind) return;
  const { database, ledger } = opened;
  try {
    database.exec('PRAGMA synchronous = NORMAL');
    database.exec('BEGIN IMMEDIATE');
    ledger.index();
    database.exec('COMMIT');
  } catch {
    // A full or failing disk is told by the next commit; until then readers look through the rows themselves.
    database.rollback();
  }
  database.exec('PRAGMA synchronous = FULL');
}

function close(): void {
  const { database, lock } = ready();
  opened = undefined;
  database.close();
  lock?.close();
}

serveRequests<StoreRequest>(request => {
  switch (request.do) {
    case 'open':
      return open();
    case 'commit':
      return commit(request.batch, request.isTight);
    case 'read':
      return read(ready().database, request.read);
    case 'close':
      return close();
  }
});
