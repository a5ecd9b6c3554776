/** Adding and taking away reactions, as SQL: they lie beside the event of their message, whose transcript has only the steps. */
import type { Reactions } from '../../hub/host.ts';
import type { Write } from '../../hub/writes.ts';
import { conflicts } from '../conflicts.ts';
import { reacted } from '../reactions.ts';
import type { Database } from './database.ts';

type React = Extract<Write, { kind: 'react' }>;

export function react(database: Database, { room, seq, by, emoji, isOn }: React): void {
  const row = database
    .prepare("SELECT reactions FROM log WHERE room = ? AND seq = ? AND event ->> '$.event' = 'MSG'")
    .first([room, seq]);
  if (!row) throw conflicts.noMessage(room, seq);
  const before: Reactions = row[0] === null ? {} : JSON.parse(String(row[0]));
  const reactions = reacted(before, emoji, by, isOn);
  if (!reactions) throw conflicts.sameReaction(room, seq);
  const held = Object.keys(reactions).length > 0 ? JSON.stringify(reactions) : null;
  database.prepare('UPDATE log SET reactions = ? WHERE room = ? AND seq = ?').run([held, room, seq]);
}
