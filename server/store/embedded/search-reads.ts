/** Searching as SQL, in the worker: the index up to where it goes, then the few rows above it one by one. */
import { matchesQuery, type SearchQuery } from '../../../shared/search.ts';
import type { Search } from '../../hub/host.ts';
import { newestOf } from '../newest-of.ts';
import type { Database, Row } from './database.ts';
import { authorToken, FILE_TOKEN, type Indexed, indexedOf, ROWS_PER_ROOM } from './room-index.ts';
import { logRow } from './rows.ts';

/** Rows of seq, by, event. */
export function search(database: Database, { rooms, query, before, limit }: Search): readonly Row[] {
  const end = before ?? ROWS_PER_ROOM;
  const found = rooms.map(room => {
    const indexed = indexedOf(database, room);
    const fresh = freshRows(database, room, query, indexed?.seq ?? 0, end).slice(-limit);
    const wanted = limit - fresh.length;
    const old = indexed && wanted > 0 ? indexedRows(database, room, query, indexed, end, wanted) : [];
    return [...old, ...fresh].map(row => ({ row, event: logRow(row).event }));
  });
  return newestOf(found, limit).map(({ row }) => row);
}

function freshRows(database: Database, room: string, query: SearchQuery, after: number, before: number) {
  return database
    .prepare('SELECT seq, by, event FROM log WHERE room = ? AND seq > ? AND seq < ? ORDER BY seq')
    .all([room, after, before])
    .filter(row => matchesQuery(query, logRow(row).event));
}

function indexedRows(
  database: Database,
  room: string,
  query: SearchQuery,
  { id }: Indexed,
  before: number,
  limit: number,
): readonly Row[] {
  const first = id * ROWS_PER_ROOM;
  const after = query.after === undefined ? 0 : beginOf(database, room, query.after);
  const end = query.before === undefined ? before : Math.min(before, endBefore(database, room, query.before) + 1);
  // The order of the tables is held by CROSS JOIN: newest first from the index, each row looked up, enough is enough.
  return database
    .prepare(
      `SELECT log.seq, log.by, log.event FROM search CROSS JOIN log ON log.room = ? AND log.seq = search.rowid - ?
       WHERE search MATCH ? AND search.rowid > ? AND search.rowid < ?
         AND log.event ->> '$.time' >= ? AND log.event ->> '$.time' < ?
       ORDER BY search.rowid DESC LIMIT ?`,
    )
    .all([
      room,
      first,
      matchExpression(query),
      first + after,
      first + end,
      query.after ?? '',
      query.before ?? ':',
      limit,
    ])
    .toReversed();
}

/** The files of a transcript know where days begin and end; their names begin with the day, and `all.jsonl` is behind them. */
function beginOf(database: Database, room: string, day: string): number {
  const select = "SELECT coalesce(min(seq), ?) FROM marks WHERE room = ? AND file > ? AND file < 'a'";
  return Number(database.prepare(select).first([ROWS_PER_ROOM - 1, room, day])![0]);
}

function endBefore(database: Database, room: string, day: string): number {
  const select = 'SELECT coalesce(max(seq), 0) FROM marks WHERE room = ? AND file < ?';
  return Number(database.prepare(select).first([room, day])![0]);
}

/** The query in the words of FTS5. Tokens and names stand in quotes, so nothing in them is an operator. */
function matchExpression({ phrases, from, hasFile }: SearchQuery): string {
  return [
    ...phrases.map(({ tokens, isPrefix }) => `${quoted(tokens.join(' '))}${isPrefix ? ' *' : ''}`),
    ...(from.length > 0 ? [`(${from.map(name => quoted(authorToken(name))).join(' OR ')})`] : []),
    ...(hasFile ? [quoted(FILE_TOKEN)] : []),
  ].join(' AND ');
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
