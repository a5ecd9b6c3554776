/**
 * What is remembered of a room's log, so that neither a search nor a look into its transcript reads all of it: the tokens
 * of its texts, and how far the files of its transcript had grown at some numbers (marks). It lags behind the log by a few
 * hundred rows, which readers look through themselves; it is written in the transactions of commits, so a crash costs nothing.
 */
import type { LogEvent } from '../../../shared/events.ts';
import { searchedText, tokenText } from '../../../shared/search.ts';
import { foldName } from '../../../shared/text.ts';
import { dayOf, type TranscriptForm, transcriptLine, transcriptsOf } from '../../../shared/transcript.ts';
import { insertMany } from './bulk-insert.ts';
import { type Database, isFull, type Row, type Value } from './database.ts';
import { logRow } from './rows.ts';

/** Rows between two marks of a transcript, and of one transaction while an old log is indexed. */
export const INDEX_ROWS = 512;
/** The row of a room's event in `search` is the room's `id` times this, and the event's number. */
export const ROWS_PER_ROOM = 2 ** 32;
/** What marks an event of a file. No text has this token, nor the one of an author: neither begins with a letter or digit. */
export const FILE_TOKEN = '＠＠';

/** What marks the edits of a message. They have no other token, so no search finds them. */
export function editToken(of: number): string {
  return `${FILE_TOKEN}${of}`;
}

/** A name as one token: its `-`, `_` and `.` in their wide forms, which no folded name holds. */
export function authorToken(folded: string): string {
  return `＠${folded.replace(/[-_.]/g, mark => String.fromCharCode(mark.charCodeAt(0) + 0xfee0))}`;
}

export interface Indexed {
  readonly id: number;
  /** Up to this number all is in the index, above it nothing. */
  readonly seq: number;
}

/** Undefined for a room of which nothing is indexed. */
export function indexedOf(database: Database, room: string): Indexed | undefined {
  const row = database.prepare('SELECT id, seq FROM indexed WHERE room = ?').first([room]);
  return row && { id: Number(row[0]), seq: Number(row[1]) };
}

/** A row of the log with the event's first text, where that is another by now. */
export interface SaidRow {
  readonly event: LogEvent;
  readonly said: string | undefined;
}

/** seq, by, event, said */
export function saidRow(row: Row): SaidRow {
  return { event: logRow(row).event, said: typeof row[3] === 'string' ? row[3] : undefined };
}

/** Indexes the next rows of a room, at most `INDEX_ROWS`, within a transaction; gives their number. */
export function indexMore(database: Database, room: string): number {
  const { id, seq } = indexedOf(database, room) ?? newRoom(database);
  const rows = rowsBehind(database, room, seq);
  if (rows.length === 0) return 0;
  addTokens(database, id, rows);
  addMarks(database, room, rows);
  database.prepare('INSERT OR REPLACE INTO indexed VALUES (?, ?, ?)').run([room, id, seq + rows.length]);
  return rows.length;
}

/** All events in one value: each crossing into SQLite costs more than a row. Numbers are dense, so they need not be read. */
function rowsBehind(database: Database, room: string, seq: number): readonly SaidRow[] {
  const [all] = database
    .prepare(
      "SELECT '[' || group_concat(event) || ']' FROM (SELECT event FROM log WHERE room = ? AND seq > ? ORDER BY seq LIMIT ?)",
    )
    .first([room, seq, INDEX_ROWS])!;
  if (typeof all !== 'string') return [];
  const said = new Map(
    database
      .prepare('SELECT seq, said FROM log WHERE room = ? AND seq > ? AND seq <= ? AND said IS NOT NULL')
      .all([room, seq, seq + INDEX_ROWS])
      .map(([number, text]) => [number, String(text)] as const),
  );
  return (JSON.parse(all) as LogEvent[]).map((event, i) => {
    event.seq = seq + 1 + i;
    return { event, said: said.get(event.seq) };
  });
}

function newRoom(database: Database): Indexed {
  return { id: Number(database.prepare('SELECT coalesce(max(id), 0) + 1 FROM indexed').first([])?.[0]), seq: 0 };
}

function addTokens(database: Database, id: number, rows: readonly SaidRow[]): void {
  const values: Value[] = [];
  for (const { event } of rows) {
    const tokens = tokensOfEvent(event);
    if (tokens !== undefined) values.push(id * ROWS_PER_ROOM + event.seq, tokens);
  }
  insertMany(database, 'INSERT INTO search (rowid, text) VALUES', 2, values);
}

function tokensOfEvent(event: LogEvent): string | undefined {
  if (event.event === 'EDITED') return editToken(event.of);
  const text = searchedText(event);
  if (text === undefined) return undefined;
  const author = authorToken(foldName(event.from));
  return `${tokenText(text)} ${author}${event.event === 'FILE' ? ` ${FILE_TOKEN}` : ''}`;
}

interface Growing {
  readonly name: string;
  readonly form: TranscriptForm;
  octets: number;
  seq: number;
  time: string;
}

/** For every file that grows: where it begins, if it is new, and its size behind the last of the rows. */
function addMarks(database: Database, room: string, rows: readonly SaidRow[]): void {
  const files = new Map<string, Growing>();
  const days = new Map<string, readonly Growing[]>();
  const values: Value[] = [];
  const open = (name: string, form: TranscriptForm, { seq, time }: LogEvent): Growing => {
    const octets = lastMark(database, room, name)?.octets;
    if (octets === undefined) values.push(room, name, 0, seq - 1, time);
    const file = { name, form, octets: octets ?? 0, seq, time };
    files.set(name, file);
    return file;
  };
  for (const { event, said } of rows) {
    const day = dayOf(event.time);
    let growing = days.get(day);
    if (!growing) {
      growing = transcriptsOf(event.time).map(([name, form]) => files.get(name) ?? open(name, form, event));
      days.set(day, growing);
    }
    for (const file of growing) {
      file.octets += Buffer.byteLength(transcriptLine(file.form, event, said));
      file.seq = event.seq;
      file.time = event.time;
    }
  }
  for (const { name, octets, seq, time } of files.values()) values.push(room, name, octets, seq, time);
  insertMany(database, 'INSERT INTO marks VALUES', 5, values);
}

export interface Mark {
  /** Size of the file up to and with the event `seq`. */
  readonly octets: number;
  readonly seq: number;
}

/** The last mark of a file that is not behind the offset. */
export function lastMark(
  database: Database,
  room: string,
  name: string,
  offset = Number.MAX_SAFE_INTEGER,
): Mark | undefined {
  const row = database
    .prepare('SELECT octets, seq FROM marks WHERE room = ? AND file = ? AND octets <= ? ORDER BY octets DESC LIMIT 1')
    .first([room, name, offset]);
  return row && { octets: Number(row[0]), seq: Number(row[1]) };
}

/** After the text of an event changed: what is in the index of it is true again. */
export function indexAgain(database: Database, event: LogEvent): void {
  const indexed = indexedOf(database, event.room);
  if (!indexed || event.seq > indexed.seq) return;
  database.prepare('DELETE FROM search WHERE rowid = ?').run([indexed.id * ROWS_PER_ROOM + event.seq]);
  addTokens(database, indexed.id, [{ event, said: undefined }]);
}

/** Forgets all of a room's log. */
export function removeIndex(database: Database, room: string): void {
  const indexed = indexedOf(database, room);
  if (!indexed) return;
  const first = indexed.id * ROWS_PER_ROOM;
  database.prepare('DELETE FROM search WHERE rowid > ? AND rowid <= ?').run([first, first + indexed.seq]);
  database.prepare('DELETE FROM marks WHERE room = ?').run([room]);
  database.prepare('DELETE FROM indexed WHERE room = ?').run([room]);
}

/** Brings every room up to date, a transaction for each few hundred rows; on a full disk as far as it goes. */
export function indexAll(database: Database): void {
  const behind = database.prepare(`
    WITH RECURSIVE rooms (room) AS (
      SELECT min(room) FROM log
      UNION ALL SELECT (SELECT min(room) FROM log WHERE log.room > rooms.room) FROM rooms WHERE room IS NOT NULL
    )
    SELECT room FROM rooms
    WHERE (SELECT max(seq) FROM log WHERE log.room = rooms.room)
      > coalesce((SELECT seq FROM indexed WHERE indexed.room = rooms.room), 0)`);
  try {
    for (const [room] of behind.all([])) {
      for (let rows = INDEX_ROWS; rows === INDEX_ROWS; ) {
        database.exec('BEGIN IMMEDIATE');
        rows = indexMore(database, String(room));
        database.exec('COMMIT');
      }
    }
  } catch (error) {
    database.rollback();
    if (!isFull(error)) throw error;
  }
}
