/** Rows of WIRE as events, and one event as lines on two lifelines, for terminals that show them as they come. Pure. */

/** A row of WIRE WATCH, as far as everybody looks into it; the other fields are those of its kind. */
export interface WireEvent {
  readonly conn: string;
  /** Milliseconds since the view began. */
  readonly t: number;
  readonly kind: string;
  readonly side: string;
  readonly source: string;
  readonly [field: string]: unknown;
}

/** Undefined for a row that is no event of a connection. */
export function wireEventOf(fields: Readonly<Record<string, unknown>>): WireEvent | undefined {
  const { conn, kind, side, source, t } = fields;
  if (kind === undefined) return undefined;
  return {
    ...fields,
    conn: String(conn ?? ''),
    t: Number(t ?? 0),
    kind: String(kind),
    side: String(side),
    source: String(source),
  };
}

const width = 56;

export function wireLines(event: WireEvent): readonly string[] {
  const { t, kind, side } = event;
  const time = t.toFixed(2).padStart(9);
  const isClient = side === 'client';
  if (kind === 'state') {
    const state = String(event['state']);
    return [`${time} ${(isClient ? state : '').padEnd(12)}│${' '.repeat(width)}│ ${isClient ? '' : state}`.trimEnd()];
  }
  const what = wordsOf(event);
  if (what === undefined) return [];
  const label = what.length > width - 8 ? `${what.slice(0, width - 9)}…` : what;
  const arrow = isClient
    ? `── ${label} ${'─'.repeat(Math.max(0, width - label.length - 5))}▶`
    : `◀─ ${label} ${'─'.repeat(Math.max(0, width - label.length - 4))}`;
  return [`${time} ${''.padEnd(12)}│${arrow}│`];
}

function wordsOf(event: WireEvent): string | undefined {
  switch (event.kind) {
    case 'message':
      return shown(event['text'] ?? `${event['octets']} octets`);
    case 'half-close':
      return 'FIN';
    case 'open':
      return event['since'] === undefined ? 'connected' : 'was there before';
    case 'close':
      return 'closed';
    case 'gap':
      return `${event['missed']} events were not kept`;
    default:
      return undefined;
  }
}

function shown(text: unknown): string {
  return String(text)
    .replaceAll(/\r?\n|\r/g, '⏎')
    .replaceAll(/[\u0000-\u001f]/g, control => String.fromCharCode(0x2400 + control.charCodeAt(0)))
    .replaceAll(/[\u007f-\u009f]/g, '·');
}
