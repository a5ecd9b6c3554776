/** Appending to a room's log: the event gets its number in the transaction that makes it true, then everybody hears it. */
import { eventSchemas, type LogEvent } from '../../shared/events.ts';
import type { Domain } from './handlers.ts';
import type { LogRow } from './host.ts';
import type { LiveRoom } from './live-rooms.ts';
import type { Person } from './session.ts';
import type { Receipt, Write } from './writes.ts';

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
  return commitEvents(domain, person, [{ room, draft }], { before: writes, repeat });
}

interface Around {
  readonly before?: readonly Write[];
  readonly behind?: readonly Write[];
  readonly repeat?: { readonly key: string; readonly sinceMs: number } | undefined;
}

/** `seq` is the first event's. */
async function commitEvents(
  domain: Domain,
  person: Person,
  appends: readonly Append[],
  { before = [], behind = [], repeat }: Around,
): Promise<{ seq: number; receipt: Receipt }> {
  const timeMs = domain.clock.now();
  const time = domain.stamp(timeMs);
  const events = appends.map(({ room, draft }) => eventOf(draft, room, time, person));
  const steps = events.map((event): Write => {
    const step = { kind: 'append', by: person.principal, timeMs, event } as const;
    return repeat ? { ...step, repeat } : step;
  });
  const receipt = await domain.store.commit([...before, ...steps, ...behind]);
  if (receipt.repeated !== undefined) return { seq: receipt.repeated, receipt };
  for (const [i, event] of events.entries()) {
    event.seq = receipt.seqs[i]!;
    const { room } = appends[i]!;
    room.publish(event, person.principal);
    for (const tellOf of domain.published) tellOf(room);
  }
  for (const id of receipt.unreferenced) {
    domain.blobs.remove(id).catch(error => domain.report({ what: `removing the blob ${id}`, error }));
  }
  return { seq: receipt.seqs[0]!, receipt };
}

/**
 * Commits what happens to files, with the events of it. What is put or moved bears the number of its event. `seq` is that
 * of the first one, left out where it is in a home, since homes have no log.
 */
export async function changeFiles(
  domain: Domain,
  person: Person,
  appends: readonly Append[],
  writes: readonly Write[],
): Promise<{ readonly seq?: number }> {
  const told = appends.filter(({ room }) => !room.rights.isHome);
  const { seq } = await commitEvents(domain, person, told, { behind: writes.map(write => announced(write, told)) });
  return appends[0]?.room.rights.isHome ? {} : { seq };
}

function announced(write: Write, appends: readonly Append[]): Write {
  if (write.kind !== 'put-entry' && write.kind !== 'move-entry') return write;
  const place = write.kind === 'put-entry' ? write.entry.path : write.to;
  const isOf = ({ draft }: Append) =>
    draft.event === 'FILE' && draft.op !== 'remove' && (draft.to ?? draft.path) === place;
  const announcedBy = appends.findIndex(isOf);
  return announcedBy < 0 ? write : { ...write, announcedBy };
}

/**
 * The fields in the order in which the schemas and so the lines show them; `seq` is 0 until the store gave one. Built by
 * assignment: this runs for every message, and spreading costs five times as much.
 */
function eventOf(draft: EventDraft, room: LiveRoom, time: string, person: Person): LogEvent {
  const head = { event: draft.event, room: room.name, seq: 0, time, from: person.name };
  if (person.isGuest) Object.assign(head, { guest: true });
  return Object.assign(head, draft) as LogEvent;
}

/** Field names of every event in the order in which lines show them; a store may give them in another. */
const orders = new Map(Object.entries(eventSchemas).map(([name, { shape }]) => [name, Object.keys(shape).slice(1)]));

/** The arguments of `Exchange.row` for a row of the log. */
export function rowOf({ event: bare, reactions }: LogRow): [fields: Record<string, unknown>, name: string] {
  const fields: Record<string, unknown> = {};
  const event = reactions && bare.event === 'MSG' && !bare.deleted ? { ...bare, reactions: shown(reactions) } : bare;
  for (const name of orders.get(event.event)!) {
    const value = event[name as keyof LogEvent];
    if (value !== undefined) fields[name] = value;
  }
  return [fields, event.event];
}

function shown(reactions: NonNullable<LogRow['reactions']>): string {
  return Object.entries(reactions)
    .map(([emoji, people]) => `${emoji}:${people.length}`)
    .join(',');
}
