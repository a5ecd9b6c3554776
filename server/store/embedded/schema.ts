/** The tables of `hub.db`, and opening the file with the settings on which durability rests. */
import { type Database, openDatabase } from './database.ts';

const SCHEMA_VERSION = 1;
const BUSY_TIMEOUT_MS = 10_000;

/**
 * `log.event` is the event as JSON without its number. In `entries`, a folder has no size, and a file whose content lies
 * in the row has no blob; names compare by octets. `repeats` forgets what is older than any request may repeat.
 */
const TABLES = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE log (
  room TEXT NOT NULL, seq INTEGER NOT NULL, by TEXT NOT NULL, event TEXT NOT NULL,
  PRIMARY KEY (room, seq)
) WITHOUT ROWID;
CREATE TABLE repeats (key TEXT PRIMARY KEY, seq INTEGER NOT NULL, time INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE entries (
  path TEXT PRIMARY KEY, parent TEXT NOT NULL, name TEXT NOT NULL, owner TEXT NOT NULL, owner_name TEXT NOT NULL,
  modified TEXT NOT NULL, size INTEGER, hash TEXT, blob TEXT, inline BLOB
);
CREATE INDEX entries_by_parent ON entries (parent, name);
CREATE INDEX entries_by_blob ON entries (blob) WHERE blob IS NOT NULL;
CREATE TABLE documents (
  kind TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (kind, key)
) WITHOUT ROWID;
INSERT INTO meta VALUES ('schema', '${SCHEMA_VERSION}');
`;

/** Creates the tables where they are missing. Error: a plain Error if a newer version of the program made them. */
export function openHubDatabase(path: string): Database {
  const database = openDatabase(path, BUSY_TIMEOUT_MS);
  try {
    database.exec('PRAGMA journal_mode = WAL');
    // Every commit is on the disk before it is answered.
    database.exec('PRAGMA synchronous = FULL');
    database.exec('PRAGMA cache_size = -32000');
    database.exec('PRAGMA journal_size_limit = 67108864');
    migrate(database, path);
    return database;
  } catch (error) {
    database.rollback();
    database.close();
    throw error;
  }
}

function migrate(database: Database, path: string): void {
  database.exec('BEGIN IMMEDIATE');
  const tables = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").first([]);
  if (!tables) database.exec(TABLES);
  const version = Number(database.prepare("SELECT value FROM meta WHERE key = 'schema'").first([])?.[0]);
  database.exec('COMMIT');
  if (version > SCHEMA_VERSION) {
    throw new Error(
      `${path} was written by a newer partyline (schema ${version}, this one knows ${SCHEMA_VERSION}): install that version`,
    );
  }
}
