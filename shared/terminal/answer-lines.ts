/** Answers of the hub's commands as lines: events as they look in a room, other rows and results by their fields. */
import type { HubEvent } from '../events.ts';
import type { AnswerRow } from './chat-host.ts';
import { eventLines, formatOctets } from './event-lines.ts';
import { type Line, line, span } from './line.ts';

/** Rows, then what the result says beyond what was asked. */
export function rowLines(rows: readonly AnswerRow[], isSpoken: boolean, room: string | undefined): readonly Line[] {
  return rows.flatMap(({ name, fields }) => {
    if (name === undefined) return [fieldLine(fields)];
    return eventLines({ ...fields, event: name } as HubEvent, { isSpoken, room });
  });
}

export function fieldLine(fields: Readonly<Record<string, unknown>>): Line {
  const shown = Object.entries(fields).filter(([, value]) => value !== undefined && value !== '');
  return shown.flatMap(([key, value], i) => [
    ...(i > 0 ? [span('text', '  ')] : []),
    span('quiet', `${key} `),
    span(/^(user|owner|from|by)$/.test(key) ? 'person' : 'text', formatValue(key, value)),
  ]);
}

function formatValue(key: string, value: unknown): string {
  if (value === true) return 'yes';
  if (typeof value === 'number' && /^(octets|used|size|held)$/.test(key))
    return value === 0 ? '0' : formatOctets(value);
  return String(value);
}

/** A folder's entries, numbered so that a number names one. */
export function entryLines(rows: readonly AnswerRow[]): readonly Line[] {
  const width = String(rows.length).length;
  return rows.map(({ fields }, i) => {
    const { name, type, size, modified, owner } = fields;
    const about = type === 'dir' ? 'folder' : formatOctets(Number(size ?? 0));
    const when = typeof modified === 'string' ? modified.slice(0, 16).replace('T', ' ') : '';
    return line`${span('quiet', String(i + 1).padStart(width))} ${span('file', `${name}${type === 'dir' ? '/' : ''}`)}  ${about}  ${span('quiet', when)}  ${span('person', String(owner ?? ''))}`;
  });
}

const hexColumns = 16;

/** Text as it is; anything else as hexadecimal numbers beside what could be read of it. */
export function contentLines(octets: Uint8Array): readonly Line[] {
  const isText = !octets.includes(0);
  const text = isText ? decode(octets) : undefined;
  if (text !== undefined)
    return text
      .replace(/\n$/, '')
      .split('\n')
      .map(row => [span('text', row)]);
  const lines: Line[] = [];
  for (let at = 0; at < octets.length; at += hexColumns) {
    const part = octets.subarray(at, at + hexColumns);
    const hex = [...part].map(octet => octet.toString(16).padStart(2, '0')).join(' ');
    const read = [...part].map(octet => (octet >= 32 && octet < 127 ? String.fromCharCode(octet) : '.')).join('');
    lines.push(
      line`${span('quiet', at.toString(16).padStart(8, '0'))}  ${hex.padEnd(3 * hexColumns)} ${span('quiet', read)}`,
    );
  }
  return lines;
}

/** Undefined for what is not UTF-8; a character that was cut at the end is left out. */
function decode(octets: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets, { stream: true });
  } catch {
    return undefined;
  }
}
