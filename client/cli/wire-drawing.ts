/** Events of one connection as a drawing for a terminal: two lifelines with their states, and what passes between them. */
import type { WireEvent } from './wire-events.ts';

/** The part of a connection that a lesson is about. */
export type Shown = 'handshake' | 'close' | 'layers' | 'all';

export function drawing(events: readonly WireEvent[], shown: Shown): readonly string[] {
  const firstFin = events.findIndex(({ kind }) => kind === 'half-close');
  const part =
    shown === 'close' ? events.slice(Math.max(0, firstFin - 4)) : shown === 'handshake' ? events.slice(0, 8) : events;
  return part.flatMap(line);
}

const width = 56;

function line(event: WireEvent): readonly string[] {
  const { t, kind, side } = event;
  const time = t.toFixed(2).padStart(9);
  const isClient = side === 'client';
  if (kind === 'state') {
    const state = String(event['state']);
    return [`${time} ${(isClient ? state : '').padEnd(12)}│${' '.repeat(width)}│ ${isClient ? '' : state}`];
  }
  const what =
    kind === 'message'
      ? String(event['text'] ?? `${event['octets']} octets`).replaceAll(/[\r\n]+/g, '⏎')
      : kind === 'half-close'
        ? 'FIN'
        : kind === 'open'
          ? 'connected'
          : kind === 'close'
            ? 'closed'
            : undefined;
  if (what === undefined) return [];
  const label = what.length > width - 8 ? `${what.slice(0, width - 9)}…` : what;
  const arrow = isClient
    ? `── ${label} ${'─'.repeat(Math.max(0, width - label.length - 5))}▶`
    : `◀─ ${label} ${'─'.repeat(Math.max(0, width - label.length - 4))}`;
  return [`${time} ${''.padEnd(12)}│${arrow}│`];
}
