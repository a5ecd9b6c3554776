/** Removing the oldest rows of a log, as SQL. What is left of its transcript stays at its octets: the first mark of a file says where. */
import { isInTranscript, transcriptForm, transcriptLine } from '../../../shared/transcript.ts';
import type { Write } from '../../hub/writes.ts';
import type { Database } from './database.ts';
import { INDEX_ROWS, indexedOf, indexMore, ROWS_PER_ROOM, saidRow } from './room-index.ts';

type Trim = Extract<Write, { kind: 'trim-log' }>;

export function trim(database: Database, { room, before }: Trim): void {
  const [first, head] = database.prepare('SELECT min(seq), max(seq) FROM log WHERE room = ?').first([room])!;
  const end = Math.min(before, Number(head));
  if (first === null || end <= Number(first)) return;
  while (indexMore(database, room) === INDEX_ROWS);
  for (const [file, last] of database
    .prepare('SELECT file, max(seq) FROM marks WHERE room = ? GROUP BY file HAVING min(seq) < ? - 1')
    .all([room, end])) {
    trimFile(database, room, String(file), Number(last), end);
  }
  const start = indexedOf(database, room)!.id * ROWS_PER_ROOM;
  database.prepare('DELETE FROM search WHERE rowid >= ? AND rowid < ?').run([start + Number(first), start + end]);
  database.prepare('DELETE FROM log WHERE room = ? AND seq < ?').run([room, end]);
}

/** `last` is the number of the newest event in the file. */
function trimFile(database: Database, room: string, file: string, last: number, end: number): void {
  if (last < end) {
    database.prepare('DELETE FROM marks WHERE room = ? AND file = ?').run([room, file]);
    return;
  }
  const [octets, seq, time] = database
    .prepare('SELECT octets, seq, time FROM marks WHERE room = ? AND file = ? AND seq < ? ORDER BY octets DESC LIMIT 1')
    .first([room, file, end])!;
  const form = transcriptForm(file)!;
  let base = Number(octets);
  const gone = database.prepare(
    'SELECT seq, by, event, said FROM log WHERE room = ? AND seq > ? AND seq < ? ORDER BY seq',
  );
  for (const { event, said } of gone.all([room, Number(seq), end]).map(saidRow)) {
    if (isInTranscript(file, event.time)) base += Buffer.byteLength(transcriptLine(form, event, said));
  }
  database.prepare('DELETE FROM marks WHERE room = ? AND file = ? AND octets <= ?').run([room, file, base]);
  database.prepare('INSERT INTO marks VALUES (?, ?, ?, ?, ?)').run([room, file, base, end - 1, String(time)]);
}
