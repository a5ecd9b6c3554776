/** Appending to a room's log: the event gets its number in the transaction that makes it true, then everybody hears it. */
import { formatTime } from '../../shared/clock.ts';
import type { LogEvent } from '../../shared/events.ts';
import type { Domain } from './handlers.ts';
import type { Receipt, Write } from './host.ts';
import type { LiveRoom } from './live-rooms.ts';
import type { Person } from './session.ts';

type Given = 'room' | 'seq' | 'time' | 'from' | 'guest';
type DistributiveOmit<E, K extends PropertyKey> = E extends unknown ? Omit<E, K> : never;
/** What of an event the caller says; room, number, time and author are added. */
export type EventDraft = DistributiveOmit<LogEvent, Given>;

export interface Append {
  readonly room: LiveRoom;
  readonly draft: EventDraft;
}

/**
 * Commits the writes and the event in one transaction and publishes the event. `repeatKey` makes a repetition harmless:
 * then the receipt says `repeated`, nothing is written and nobody is told.
 */
export function appendEvent(
  domain: Domain,
  room: LiveRoom,
  person: Person,
  draft: EventDraft,
  writes: readonly Write[] = [],
  repeat?: { readonly key: string; readonly sinceMs: number },
): Promise<{ seq: number; receipt: Receipt }> {
  return appendEvents(domain, person, [{ room, draft }], writes, repeat);
}

/** As `appendEvent` for several rooms at once; `seq` is the first event's. */
export async function appendEvents(
  domain: Domain,
  person: Person,
  appends: readonly Append[],
  writes: readonly Write[],
  repeat?: { readonly key: string; readonly sinceMs: number },
): Promise<{ seq: number; receipt: Receipt }> {
  const timeMs = domain.clock.now();
  const time = formatTime(timeMs);
  const guest = person.isGuest ? { guest: true } : {};
  const events = appends.map(({ room, draft }) => ({
    ...draft,
    room: room.name,
    time,
    from: person.name,
    ...guest,
  }));
  const steps = events.map(
    event => ({ kind: 'append', by: person.principal, timeMs, event, ...(repeat && { repeat }) }) as Write,
  );
  const receipt = await domain.store.commit([...writes, ...steps]);
  if (receipt.repeated !== undefined) return { seq: receipt.repeated, receipt };
  for (const [i, event] of events.entries()) appends[i]!.room.publish(inOrder(event, receipt.seqs[i]!));
  for (const id of receipt.unreferenced) {
    domain.blobs.remove(id).catch(error => domain.report({ what: `removing the blob ${id}`, error }));
  }
  return { seq: receipt.seqs[0]!, receipt };
}

/** The fields in the order in which the schemas and so the lines show them. */
function inOrder(event: Record<string, unknown>, seq: number): LogEvent {
  const { event: name, room, time, from, guest, ...rest } = event;
  return { event: name, room, seq, time, from, ...(guest === true && { guest }), ...rest } as LogEvent;
}

/** The arguments of `Exchange.row` for an event. */
export function rowOf(event: LogEvent): [fields: Record<string, unknown>, name: string] {
  const { event: name, ...fields } = event;
  return [fields, name];
}
