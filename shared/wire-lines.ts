/** Rows of WIRE as events, and events as lines between two lifelines, for terminals that show them as they come. Pure. */

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

/** A line has words only. */
const numbers: ReadonlySet<string> = new Set([
  ...['t', 'at', 'since', 'octets', 'missed', 'received', 'sent', 'retransmits'],
  ...['seq', 'ack', 'len', 'window', 'link', 'network', 'transport'],
  ...['rtt', 'cwnd', 'acknowledged', 'segments-in', 'segments-out', 'retransmissions'],
]);

/** Undefined for a row that is no event of a connection. */
export function wireEventOf(fields: Readonly<Record<string, unknown>>): WireEvent | undefined {
  if (fields['kind'] === undefined) return undefined;
  const values = Object.entries(fields).map(([name, value]) => [name, numbers.has(name) ? Number(value) : value]);
  return { t: 0, conn: '', side: '', source: '', ...Object.fromEntries(values) } as WireEvent;
}

/** Between the lifelines. */
const width = 66;
const stateWidth = 12;

/** Remembers what is known of each connection: where its segments are seen, the application's own view says nothing new. */
export class WireDrawing {
  readonly #captured = new Set<string>();
  readonly #secure = new Set<string>();

  /** Which side is which. */
  get head(): string {
    return `${'ms'.padStart(9)} ${'client'.padEnd(stateWidth)}│${' '.repeat(width)}│ server`;
  }

  /** Of several at once; what both ends were in at one look is one line. */
  all(events: readonly WireEvent[]): readonly string[] {
    return this.named(events).flatMap(([, lines]) => lines);
  }

  /** The same, with whose they are. */
  named(events: readonly WireEvent[]): readonly (readonly [conn: string, lines: readonly string[]])[] {
    return events.map((event, i) => {
      const [before, after] = [events[i - 1], events[i + 1]];
      if (before && areOneLook(before, event)) return [event.conn, []];
      return [event.conn, after && areOneLook(event, after) ? [stateLine(event, after)] : this.lines(event)];
    });
  }

  /** What an event other than a state says; undefined for what is known already or says nothing. */
  words(event: WireEvent): string | undefined {
    const { conn, kind } = event;
    if (kind === 'segment') this.#captured.add(conn);
    if (kind === 'open' && event['secure'] !== undefined) this.#secure.add(conn);
    const isKnown = this.#captured.has(conn) && (kind !== 'message' || !this.#secure.has(conn));
    return isKnown && event.source === 'app' && kind !== 'open' ? undefined : wordsOf(event);
  }

  lines(event: WireEvent): readonly string[] {
    const { kind, t, side } = event;
    if (kind === 'state') return [stateLine(event)];
    const time = t.toFixed(2).padStart(9);
    const words = this.words(event);
    if (words === undefined) return [];
    if (kind === 'open' || kind === 'close' || kind === 'stats' || kind === 'gap') {
      return [`${time} ${''.padEnd(stateWidth)}│${` ${cut(words, width - 2)}`.padEnd(width)}│`];
    }
    return [`${time} ${''.padEnd(stateWidth)}│${arrow(words, side === 'client')}│`];
  }
}

function areOneLook(one: WireEvent, other: WireEvent): boolean {
  const areStates = one.kind === 'state' && other.kind === 'state';
  return areStates && one.t === other.t && one.conn === other.conn && one.side !== other.side;
}

function stateLine(...events: readonly WireEvent[]): string {
  const of = (side: string) => String(events.find(event => event.side === side)?.['state'] ?? '');
  const time = events[0]!.t.toFixed(2).padStart(9);
  return `${time} ${of('client').padEnd(stateWidth)}│${' '.repeat(width)}│ ${of('server')}`.trimEnd();
}

function arrow(words: string, isClient: boolean): string {
  const label = cut(words, width - 8);
  const rest = '─'.repeat(Math.max(0, width - columnsOf(label) - (isClient ? 5 : 4)));
  return isClient ? `── ${label} ${rest}▶` : `◀─ ${label} ${rest}`;
}

/** Characters of Chinese and the like take two columns. */
function columnsOf(text: string): number {
  return [...text].reduce(
    (sum, character) => sum + (/[\u1100-\u115f\u2e80-\uffdc]|\p{Extended_Pictographic}/u.test(character) ? 2 : 1),
    0,
  );
}

function cut(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  let shown = '';
  for (const character of text) {
    if (columnsOf(shown + character) >= columns) break;
    shown += character;
  }
  return `${shown}…`;
}

function wordsOf(event: WireEvent): string | undefined {
  const { kind } = event;
  switch (kind) {
    case 'segment': {
      const ack = event['ack'] === undefined ? '' : ` ack=${event['ack']}`;
      const options = String(event['flags']).includes('SYN') && event['options'] ? ` [${event['options']}]` : '';
      const text = event['text'] === undefined ? '' : `  ${visible(event['text'])}`;
      return `${event['flags']} seq=${event['seq']}${ack} len=${event['len']}${options}${text}`;
    }
    case 'message':
      return visible(event['text'] ?? `(${event['octets']} octets)`);
    case 'half-close':
      return 'FIN';
    case 'open':
      return openWords(event);
    case 'close':
      return `closed; the server received ${event['received']} octets and sent ${event['sent']}`;
    case 'stats':
      return `${event.side}’s kernel: ${event['segments-out']} segments out, ${event['segments-in']} in, rtt ${event['rtt']} ms`;
    case 'gap':
      return `${event['missed']} events were not kept`;
    default:
      return undefined;
  }
}

function openWords(event: WireEvent): string {
  const of = event['of'] === undefined ? '' : `, data connection of ${event['of']}`;
  const tls = event['secure'] === undefined ? '' : ' over TLS';
  const since = event['since'] === undefined ? '' : ', open since before';
  return `${event['client']} → ${event['server']}${tls}${of}${since}`;
}

/** One line, without what would steer a terminal. */
function visible(text: unknown): string {
  return String(text)
    .replaceAll(/\r\n|\r|\n/g, '⏎')
    .replaceAll(/[\u0000-\u001f]/g, control => String.fromCharCode(0x2400 + control.charCodeAt(0)))
    .replaceAll(/[\u007f-\u009f]/g, '·');
}
