/** The step that refuses a transaction unless an event is there, as SQL. */
import type { Write } from '../../hub/writes.ts';
import { conflicts } from '../conflicts.ts';
import type { Database } from './database.ts';

export function expectEvent(database: Database, { room, seq, events }: Extract<Write, { kind: 'expect-event' }>): void {
  const row = database.prepare("SELECT event ->> '$.event' FROM log WHERE room = ? AND seq = ?").first([room, seq]);
  if (!events.some(name => name === row?.[0])) throw conflicts.noEvent(room, seq);
}
