/** One server for each data folder: SQLite's own lock on a file of its own, which dies with the process. */
import { HubError } from '../../../shared/errors.ts';
import { type Database, isBusy, openDatabase } from './database.ts';
import { lockPath } from './folders.ts';

/** Held until it is closed. Error: `busy`, naming the folder, if another process holds it. */
export function takeLock(dataDir: string): Database {
  const lock = openDatabase(lockPath(dataDir), 0);
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    if (isBusy(error)) throw new HubError('busy', `another partyline serves the data folder ${dataDir}`);
    throw error;
  }
}
