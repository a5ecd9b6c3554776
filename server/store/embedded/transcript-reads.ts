/** Transcripts as ranges, in the worker: rendered from the log from the nearest mark on, so that the end of a long one is near. */
import { isInTranscript, transcriptForm, transcriptLine, transcriptsOf } from '../../../shared/transcript.ts';
import type { Database, Row } from './database.ts';
import { indexedOf, lastMark, type SaidRow, saidRow } from './room-index.ts';

const PAGE_ROWS = 64;

/** Rows of name, size, modified, in the order of names. */
export function transcriptFiles(database: Database, room: string): readonly Row[] {
  const marked = database
    .prepare('SELECT file, max(octets), time FROM marks WHERE room = ? GROUP BY file')
    .all([room])
    .map(([name, size, time]) => [String(name), { size: Number(size), time: String(time) }] as const);
  const files = new Map(marked);
  for (const { event, said } of rowsBetween(database, room, indexedOf(database, room)?.seq ?? 0)) {
    for (const [name, form] of transcriptsOf(event.time)) {
      const size = (files.get(name)?.size ?? 0) + Buffer.byteLength(transcriptLine(form, event, said));
      files.set(name, { size, time: event.time });
    }
  }
  return [...files].map(([name, { size, time }]) => [name, size, time] as const).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** One row with the octets. */
export function transcriptOctets(
  database: Database,
  room: string,
  name: string,
  offset: number,
  length: number,
): readonly Row[] {
  const form = transcriptForm(name);
  if (!form) return [[new Uint8Array()]];
  const base = baseOf(database, room, name);
  const blanks = Math.max(0, Math.min(length, base - offset));
  const from = offset + blanks;
  const mark = lastMark(database, room, name, from);
  const lines: string[] = [];
  let at = mark?.octets ?? 0;
  const start = from - at;
  for (const { event, said } of rowsOf(database, room, name, mark?.seq)) {
    if (at >= offset + length) break;
    const line = transcriptLine(form, event, said);
    at += Buffer.byteLength(line);
    lines.push(line);
  }
  const kept = Buffer.from(lines.join('')).subarray(start, start + length - blanks);
  return [[Uint8Array.from(Buffer.concat([Buffer.alloc(blanks, '\n'), kept]))]];
}

/** Octets in front of the first line that is left. */
function baseOf(database: Database, room: string, name: string): number {
  const row = database.prepare('SELECT min(octets) FROM marks WHERE room = ? AND file = ?').first([room, name]);
  return Number(row?.[0] ?? 0);
}

/** The rows that have a line in the file, behind its mark: those up to its last mark, and those that are not indexed yet. */
function* rowsOf(database: Database, room: string, name: string, after: number | undefined): Generator<SaidRow> {
  const isOf = ({ event }: SaidRow) => isInTranscript(name, event.time);
  const last = lastMark(database, room, name);
  if (last && after !== undefined)
    for (const row of rowsBetween(database, room, after, last.seq)) if (isOf(row)) yield row;
  for (const row of rowsBetween(database, room, indexedOf(database, room)?.seq ?? 0)) if (isOf(row)) yield row;
}

function* rowsBetween(database: Database, room: string, after: number, through?: number): Generator<SaidRow> {
  const statement = database.prepare(
    'SELECT seq, by, event, said FROM log WHERE room = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?',
  );
  for (let last = after; ; ) {
    const page = statement.all([room, last, through ?? Number.MAX_SAFE_INTEGER, PAGE_ROWS]);
    yield* page.map(saidRow);
    if (page.length < PAGE_ROWS) return;
    last = Number(page.at(-1)![0]);
  }
}
