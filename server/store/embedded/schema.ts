/** The tables of `hub.db`, and opening the file with the settings on which durability rests. */
import { type Database, openDatabase } from './database.ts';

const BUSY_TIMEOUT_MS = 10_000;

/**
 * Version 1. `log.event` is the event as JSON without its number. In `entries`, a folder has no size, and a file whose content lies
 * in the row has no blob; names compare by octets. `repeats` forgets what is older than any request may repeat.
 */
const FIRST_TABLES = `
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
`;

/**
 * `log.said` is the first text of an event whose text is another by now; of a deleted one, blanks. `search` and `marks`
 * hold what `room-index.ts` says, of each room up to the number in `indexed`; all of them are made from the log, so a step
 * that empties the three has them made anew; but of a log that was trimmed the first marks, and nothing else, say where its
 * files begin, so they must stay. The tokens of `search` come ready: its
 * tokenizer splits at what in ASCII is no letter and no digit, and nowhere else.
 */
const ROOM_INDEX = `
ALTER TABLE log ADD COLUMN said TEXT;
CREATE TABLE indexed (room TEXT PRIMARY KEY, id INTEGER NOT NULL UNIQUE, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE search USING fts5 (text, content = '', contentless_delete = 1, tokenize = 'ascii');
INSERT INTO search (search, rank) VALUES ('automerge', 8);
CREATE TABLE marks (
  room TEXT NOT NULL, file TEXT NOT NULL, octets INTEGER NOT NULL, seq INTEGER NOT NULL, time TEXT NOT NULL,
  PRIMARY KEY (room, file, octets)
) WITHOUT ROWID;
`;

/** `log.reactions`: of a message, emoji → who reacted with it, as JSON. Beside the event, since transcripts are made of that. */
const REACTIONS = `
ALTER TABLE log ADD COLUMN reactions TEXT;
`;

/**
 * `entries.seq`: the number of the event that announced the entry last, in its room. Contents are found by their hash.
 * Lines of replies say to what, so the sizes of transcripts are made anew.
 */
const ANNOUNCED_ENTRIES = `
DELETE FROM marks;
DELETE FROM indexed;
INSERT INTO search (search) VALUES ('delete-all');
ALTER TABLE entries ADD COLUMN seq INTEGER;
CREATE INDEX entries_by_hash ON entries (hash) WHERE hash IS NOT NULL;
`;

/** `entries.added`: when a file came here; of those that are here already, now. Who owns how much is asked of the index alone. */
const OWNED = `
ALTER TABLE entries ADD COLUMN added TEXT;
UPDATE entries SET added = strftime('%Y-%m-%dT%H:%M:%SZ', 'now') WHERE size IS NOT NULL;
CREATE INDEX entries_by_owner ON entries (owner, size) WHERE size IS NOT NULL;
`;

/** The step at index n makes version n + 1 of version n. Steps that were published stay as they are; new ones go behind. */
const STEPS: readonly string[] = [FIRST_TABLES, ROOM_INDEX, REACTIONS, ANNOUNCED_ENTRIES, OWNED];

/** Creates the tables, or brings them up to date. Error: a plain Error if a newer version of the program made them. */
export function openHubDatabase(path: string): Database {
  const database = openDatabase(path, BUSY_TIMEOUT_MS);
  try {
    database.exec('PRAGMA journal_mode = WAL');
    // Every commit is on the disk before it is answered.
    database.exec('PRAGMA synchronous = FULL');
    database.exec('PRAGMA cache_size = -32000');
    database.exec('PRAGMA journal_size_limit = 67108864');
    upgrade(database, path);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * All the steps that are missing, or none. A later `steps` is a longer list. Error: a plain Error if a newer version of
 * the program wrote the file.
 */
export function upgrade(database: Database, path: string, steps: readonly string[] = STEPS): void {
  try {
    database.exec('BEGIN IMMEDIATE');
    const version = schemaVersion(database);
    demandKnown(version, path, steps.length);
    for (const step of steps.slice(version)) database.exec(step);
    if (version < steps.length) {
      database.prepare("INSERT OR REPLACE INTO meta VALUES ('schema', ?)").run([String(steps.length)]);
    }
    database.exec('COMMIT');
  } catch (error) {
    database.rollback();
    throw error;
  }
}

/** 0 where there are no tables. */
function schemaVersion(database: Database): number {
  const tables = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").first([]);
  return tables ? Number(database.prepare("SELECT value FROM meta WHERE key = 'schema'").first([])?.[0]) : 0;
}

function demandKnown(version: number, path: string, known: number): void {
  if (version <= known) return;
  throw new Error(
    `${path} was written by a newer partyline (schema ${version}, this one knows ${known}): install that version`,
  );
}

/** Opens a file as it is, changing nothing. Errors: a plain Error if it is of a newer version, or not a hub's. */
export function openHubDatabaseAsItIs(path: string): Database {
  const database = openDatabase(path, BUSY_TIMEOUT_MS);
  try {
    const version = schemaVersion(database);
    demandKnown(version, path, STEPS.length);
    if (version === 0) throw new Error(`${path} is not the database of a hub`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
