/** The audit log: what was done to people, rooms and rights, as messages of a room that only administrators read and nobody writes. */
import type { Domain } from './handlers.ts';
import type { LiveSession } from './live-session.ts';
import { appendEvent } from './log.ts';

export const auditRoom = 'audit';

/** `BAN room=lobby user=eve for=3600000`: the fields of the table entry, and no other. Never rejects. */
export async function audit(
  domain: Domain,
  { person }: LiveSession,
  name: string,
  fields: readonly string[],
  input: object,
): Promise<void> {
  const room = domain.rooms.find(auditRoom);
  if (!room?.rights.isRecord || !person) return;
  const given = (field: string): unknown => input[field.replace('!', '') as never];
  const marked = fields.filter(field => field.endsWith('!'));
  if (marked.length > 0 && marked.every(field => given(field) === undefined)) return;
  const words: string[] = [];
  for (const field of fields) {
    const value = given(field);
    if (value !== undefined) words.push(`${field.replace('!', '')}=${Array.isArray(value) ? value.join() : value}`);
  }
  const draft = { event: 'MSG', text: [name, ...words].join(' ') } as const;
  await appendEvent(domain, room, person, draft).catch(error =>
    domain.report({ what: 'writing the audit log', error }),
  );
}
