/**
 * The part of a room's log that the page holds: a run without holes, which grows at both ends and is cut at the far one.
 * Pure: every change gives a new log, and entries that did not change stay the same objects.
 */
import type { EventOf, LogEvent } from '../../shared/events.ts';

export type Said = EventOf<'MSG'>;
export type Entry = Said | EventOf<'FILE'> | EventOf<'TOPIC'>;

export interface RoomLog {
  readonly entries: readonly Entry[];
  /** Numbers of the first and last event of the run, also of those that are no entries. */
  readonly from: number;
  readonly to: number;
  readonly atStart: boolean;
  readonly atEnd: boolean;
}

/** More are not kept in the document: older or newer ones are asked for again. */
const entriesMax = 500;
const trimmedTo = 400;

const isEntry = (event: LogEvent): event is Entry => ['MSG', 'FILE', 'TOPIC'].includes(event.event);

/** What HISTORY gave: the newest, or the surroundings of a number. */
export function logOf(events: readonly LogEvent[], ends: Pick<RoomLog, 'atStart' | 'atEnd'>, last = 0): RoomLog {
  const numbers = events.map(({ seq }) => seq);
  return {
    entries: events.filter(isEntry),
    from: numbers[0] ?? last + 1,
    to: Math.max(numbers.at(-1) ?? 0, ends.atEnd ? last : 0),
    ...ends,
  };
}

/** In front of what is held. */
export function withOlder(log: RoomLog, events: readonly LogEvent[], atStart: boolean): RoomLog {
  const older = events.filter(({ seq }) => seq < log.from);
  const entries = [...older.filter(isEntry), ...log.entries];
  const grown = { ...log, entries, from: older[0]?.seq ?? log.from, atStart };
  if (entries.length <= entriesMax) return grown;
  const kept = entries.slice(0, trimmedTo);
  return { ...grown, entries: kept, to: kept.at(-1)!.seq, atEnd: false };
}

/** Behind what is held. */
export function withNewer(log: RoomLog, events: readonly LogEvent[], atEnd: boolean): RoomLog {
  const newer = events.filter(({ seq }) => seq > log.to);
  const entries = [...log.entries, ...newer.filter(isEntry)];
  return cutFront({ ...log, entries, to: newer.at(-1)?.seq ?? log.to, atEnd });
}

function cutFront(log: RoomLog): RoomLog {
  if (log.entries.length <= entriesMax) return log;
  const entries = log.entries.slice(-trimmedTo);
  return { ...log, entries, from: entries[0]!.seq, atStart: false };
}

/** What has just happened; nothing is done twice. */
export function withEvent(log: RoomLog, event: LogEvent): RoomLog {
  if (event.seq <= log.to && log.atEnd) return log;
  const changed = withChange(log, event);
  if (!log.atEnd) return changed;
  if (!isEntry(event)) return { ...changed, to: event.seq };
  return cutFront({ ...changed, entries: [...changed.entries, event], to: event.seq });
}

function withChange(log: RoomLog, event: LogEvent): RoomLog {
  if (event.event !== 'EDITED' && event.event !== 'DELETED' && event.event !== 'REACTED') return log;
  const at = log.entries.findIndex(({ seq }) => seq === event.of);
  const said = log.entries[at];
  if (said?.event !== 'MSG') return log;
  return { ...log, entries: log.entries.with(at, changedBy(said, event)) };
}

function changedBy(said: Said, event: Exclude<LogEvent, Entry>): Said {
  if (event.event === 'EDITED') return { ...said, text: event.text, edited: event.time };
  if (event.event === 'DELETED') return { ...said, text: '', deleted: true };
  const reactions = withReaction(reactionsOf(said), event.emoji, event.removed ? -1 : 1);
  return { ...said, reactions: reactions.map(([emoji, count]) => `${emoji}:${count}`).join(',') };
}

export type Reactions = readonly (readonly [emoji: string, count: number])[];

/** Inverse of the form in history, `👍:3,🎉:1`. */
export function reactionsOf({ reactions = '' }: Said): Reactions {
  return reactions
    .split(',')
    .filter(one => one !== '')
    .map(one => {
      const colon = one.lastIndexOf(':');
      return [one.slice(0, colon), Number(one.slice(colon + 1))] as const;
    });
}

function withReaction(reactions: Reactions, emoji: string, by: number): Reactions {
  const isThere = reactions.some(([one]) => one === emoji);
  const all = isThere ? reactions : [...reactions, [emoji, 0] as const];
  return all.map(([one, count]) => [one, one === emoji ? count + by : count] as const).filter(([, count]) => count > 0);
}

export type Line =
  | { readonly kind: 'day'; readonly key: string; readonly time: string }
  | { readonly kind: 'unread'; readonly key: string }
  | { readonly kind: 'entry'; readonly key: string; readonly entry: Entry; readonly isFollowUp: boolean };

const followUpMs = 5 * 60_000;

/** What stands below each other: a line for each local day, one in front of what is unread, and the entries. */
export function linesOf(log: RoomLog, readTo: number | undefined, me: string): readonly Line[] {
  const lines: Line[] = [];
  let before: Entry | undefined;
  let isMarked = readTo === undefined || log.from > readTo + 1;
  for (const entry of log.entries) {
    const isNewDay = !before || new Date(before.time).toDateString() !== new Date(entry.time).toDateString();
    if (isNewDay) lines.push({ kind: 'day', key: `d${entry.seq}`, time: entry.time });
    const isFirstUnread = !isMarked && entry.seq > readTo!;
    if (isFirstUnread) isMarked = true;
    const shows = isFirstUnread && entry.from !== me;
    if (shows) lines.push({ kind: 'unread', key: 'unread' });
    const isFollowUp = !isNewDay && !shows && before !== undefined && follows(entry, before);
    lines.push({ kind: 'entry', key: `e${entry.seq}`, entry, isFollowUp });
    before = entry;
  }
  return lines;
}

function follows(entry: Entry, before: Entry): boolean {
  const isAnswer = entry.event === 'MSG' && entry.reply !== undefined;
  return !isAnswer && entry.from === before.from && Date.parse(entry.time) - Date.parse(before.time) < followUpMs;
}
