/** Changing the text of a message that was said, as SQL; its first text is kept for the transcript, of a deleted one only its shape. */
import { blankText } from '../../../shared/transcript.ts';
import type { Write } from '../../hub/host.ts';
import { conflicts } from '../conflicts.ts';
import type { Database } from './database.ts';
import { indexAgain, saidRow } from './room-index.ts';

type Revise = Extract<Write, { kind: 'revise' }>;

/** Without an index, which each message would pay for: few messages are edited and then deleted. */
const EDITS = `seq > ? AND instr(event, '"event":"EDITED"') > 0 AND event ->> '$.of' = ?`;

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
  const edits = database
    .prepare(`SELECT seq, by, event, said FROM log WHERE room = ? AND ${EDITS}`)
    .all([room, seq, seq]);
  for (const edit of edits.map(saidRow)) {
    const last = edit.said ?? ('text' in edit.event ? edit.event.text : '');
    change.run(['{"text":""}', blankText(last), room, edit.event.seq]);
  }
}
