/** Events on their way to one connection: encoded once for all who share a style, dropped and named as a GAP for a slow reader. */
import type { HubEvent } from '../../../shared/events.ts';
import { limits } from '../../../shared/limits.ts';
import { formatFrame, type Style } from '../../../shared/line/grammar.ts';
import { isNumbered } from '../../../shared/numbered.ts';
import type { EventBatch, Sink } from '../../hub/session.ts';
import type { LineConnection } from './line-connection.ts';

/** What LISTEN asks for; what it does not name passes. */
export interface Filter {
  readonly room: string | undefined;
  readonly events: readonly string[] | undefined;
}

interface Gap {
  readonly from: number;
  to: number;
}

export class Outbox implements Sink {
  readonly #line: LineConnection;
  /** Rooms of which events were dropped; there while the output is not drained. */
  #gaps: Map<string, Gap> | undefined;
  filter: Filter | undefined;

  constructor(line: LineConnection) {
    this.#line = line;
  }

  deliver(batch: EventBatch): void {
    const { connection, requests, style } = this.#line;
    if (this.#gaps || connection.pendingOctets + requests.replies.heldOctets > limits.eventOctetsMax) {
      return this.#drop(batch);
    }
    const { filter } = this;
    const octets = batch.encode(keyOf(style, filter), events => encodeEvents(events, style, filter));
    if (octets.length > 0) requests.replies.event(octets);
  }

  revoked(): void {
    this.#line.revoked();
  }

  /** The reader has caught up: it is told what it missed, and goes on live. */
  drained(): void {
    const gaps = this.#gaps;
    if (!gaps) return;
    this.#gaps = undefined;
    const { requests, style } = this.#line;
    for (const [room, { from, to }] of gaps) {
      requests.replies.event(encodeEvent({ event: 'GAP', room, from, to }, style));
    }
  }

  #drop({ events }: EventBatch): void {
    this.#gaps ??= new Map();
    for (const event of events) {
      if (!isNumbered(event) || (this.filter && !passes(event, this.filter))) continue;
      const gap = this.#gaps.get(event.room);
      if (gap) gap.to = event.seq;
      else this.#gaps.set(event.room, { from: event.seq, to: event.seq });
    }
  }
}

function keyOf(style: Style, filter: Filter | undefined): string {
  const key = `line ${style.form} ${style.lineEnd}`;
  return filter ? `${key} ${filter.room ?? ''} ${filter.events?.join() ?? ''}` : key;
}

function passes(event: HubEvent, { room, events }: Filter): boolean {
  if (events && !events.includes(event.event)) return false;
  return room === undefined || !('room' in event) || event.room === room;
}

export function encodeEvent(event: HubEvent, style: Style): string {
  const { event: name, ...fields } = event;
  return formatFrame({ marker: '*', name, fields }, style);
}

function encodeEvents(events: readonly HubEvent[], style: Style, filter: Filter | undefined): Uint8Array {
  let text = '';
  for (const event of events) if (!filter || passes(event, filter)) text += encodeEvent(event, style);
  return Buffer.from(text);
}
