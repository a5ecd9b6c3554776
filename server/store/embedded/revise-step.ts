/** Changing the text of a message that was said, as SQL; its first text is kept for the transcript, of a deleted one only its shape. */
import { blankText } from '../../../shared/transcript.ts';
import type { Write } from '../../hub/writes.ts';
import { conflicts } from '../conflicts.ts';
import type { Database } from './database.ts';
import { editToken, indexAgain, indexedOf, ROWS_PER_ROOM, type SaidRow, saidRow } from './room-index.ts';

type Revise = Extract<Write, { kind: 'revise' }>;

export function revise(database: Database, { room, seq, text, edited, deleted }: Revise): void {
  const facts = { text: deleted ? '' : text, ...(edited !== undefined && { edited }), ...(deleted && { deleted }) };
  const row = database
    .prepare("SELECT seq, by, event, said FROM log WHERE room = ? AND seq = ? AND event ->> '$.event' = 'MSG'")
    .first([room, seq]);
  if (!row) throw conflicts.noMessage(room, seq);
  const { event, said } = saidRow(row);
  const first = said ?? ('text' in event ? event.text : '');
  const change = database.prepare('UPDATE log SET event = json_patch(event, ?), said = ? WHERE room = ? AND seq = ?');
  change.run([JSON.stringify(facts), deleted ? blankText(first) : first, room, seq]);
  indexAgain(database, { ...event, ...facts } as typeof event);
  if (!deleted || (said === undefined && !('edited' in event))) return;
  for (const edit of editsOf(database, room, seq)) {
    const last = edit.said ?? ('text' in edit.event ? edit.event.text : '');
    change.run(['{"text":""}', blankText(last), room, edit.event.seq]);
  }
}

/** The `EDITED` events of a message: from the index, and those that are not in it yet. */
function editsOf(database: Database, room: string, of: number): readonly SaidRow[] {
  const { id, seq } = indexedOf(database, room) ?? { id: 0, seq: 0 };
  const first = id * ROWS_PER_ROOM;
  const select = 'SELECT log.seq, log.by, log.event, log.said FROM';
  const old = database
    .prepare(
      `${select} search CROSS JOIN log ON log.room = ? AND log.seq = search.rowid - ?
       WHERE search MATCH ? AND search.rowid > ? AND search.rowid < ?`,
    )
    .all([room, first, `"${editToken(of)}"`, first, first + ROWS_PER_ROOM]);
  const fresh = database
    .prepare(`${select} log WHERE room = ? AND seq > ? AND event ->> '$.event' = 'EDITED' AND event ->> '$.of' = ?`)
    .all([room, seq, of]);
  return [...old, ...fresh].map(saidRow);
}
