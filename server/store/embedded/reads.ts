/** The store's reads as SQL, in the worker; the main side makes rows of them. */
import type { Database, Row } from './database.ts';
import type { Read } from './requests.ts';
import { search } from './search-reads.ts';
import { transcriptFiles, transcriptOctets } from './transcript-reads.ts';

const ENTRY = 'path, owner, owner_name, modified, size, hash, blob, seq, added';

export function read(database: Database, query: Read): readonly Row[] {
  switch (query[0]) {
    case 'head':
      return database.prepare('SELECT coalesce(max(seq), 0) FROM log WHERE room = ?').all([query[1]]);
    case 'history':
      return history(database, query);
    case 'search':
      return search(database, query[1]);
    case 'transcripts':
      return transcriptFiles(database, query[1]);
    case 'transcript':
      return transcriptOctets(database, query[1], query[2], query[3], query[4]);
    case 'entry':
      return database.prepare(`SELECT ${ENTRY}, inline FROM entries WHERE path = ?`).all([query[1]]);
    case 'children':
      return database
        .prepare(`SELECT ${ENTRY}, NULL FROM entries WHERE parent = ? AND name > ? ORDER BY name LIMIT ?`)
        .all([query[1], query[2], query[3]]);
    case 'files-with':
      return database.prepare(`SELECT ${ENTRY}, inline FROM entries WHERE hash = ? LIMIT ?`).all([query[1], query[2]]);
    case 'usage':
      // What begins with the folder and a slash: 0 is the character behind it.
      return database
        .prepare('SELECT count(size), coalesce(sum(size), 0) FROM entries WHERE path > ? AND path < ?')
        .all([`${query[1]}/`, `${query[1]}0`]);
    case 'owned':
      return database
        .prepare('SELECT count(size), coalesce(sum(size), 0) FROM entries WHERE owner = ? AND size IS NOT NULL')
        .all([query[1]]);
    case 'document':
      return database
        .prepare('SELECT key, version, value FROM documents WHERE kind = ? AND key = ?')
        .all([query[1], query[2]]);
    case 'documents':
      return database
        .prepare('SELECT key, version, value FROM documents WHERE kind = ? AND key > ? ORDER BY key LIMIT ?')
        .all([query[1], query[2], query[3]]);
  }
}

function history(
  database: Database,
  [, room, before, after, limit]: Extract<Read, readonly ['history', ...unknown[]]>,
) {
  const range = 'SELECT seq, by, event, reactions FROM log WHERE room = ? AND seq > ? AND seq < ? ORDER BY seq';
  const end = before ?? Number.MAX_SAFE_INTEGER;
  if (after !== undefined) return database.prepare(`${range} LIMIT ?`).all([room, after, end, limit]);
  return database.prepare(`${range} DESC LIMIT ?`).all([room, 0, end, limit]).toReversed();
}
