/** Events on their way to one connection: encoded once for all who share a style, dropped and named as a GAP for a slow reader. */
import { type HubEvent, isNumbered } from '../../../shared/events.ts';
import { limits } from '../../../shared/limits.ts';
import { formatFrame, type Style } from '../../../shared/line/grammar.ts';
import type { EventBatch } from '../../hub/session.ts';

/** What LISTEN asks for; undefined is everything. */
export interface Filter {
  readonly room?: string;
  readonly events?: ReadonlySet<string>;
}

export interface OutboxOptions {
  write(octets: string | Uint8Array): void;
  pendingOctets(): number;
  style(): Style;
}

interface Gap {
  readonly from: number;
  to: number;
}

export class Outbox {
  readonly #options: OutboxOptions;
  #gaps: Map<string, Gap> | undefined;
  filter: Filter | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  deliver(batch: EventBatch): void {
    if (this.#gaps || this.#options.pendingOctets() > limits.eventOctetsMax) {
      this.#drop(batch);
      return;
    }
    const style = this.#options.style();
    const { filter } = this;
    if (filter) {
      const events = batch.events.filter(event => passes(event, filter));
      if (events.length > 0) this.#options.write(encodeEvents(events, style));
      return;
    }
    const octets = batch.encode(`line ${style.form} ${style.lineEnd.length}`, events => encodeEvents(events, style));
    this.#options.write(octets);
  }

  /** The reader has caught up: it is told what it missed, and goes on live. */
  drained(): void {
    const gaps = this.#gaps;
    if (!gaps) return;
    this.#gaps = undefined;
    const events = [...gaps].map(([room, { from, to }]): HubEvent => ({ event: 'GAP', room, from, to }));
    if (events.length > 0) this.#options.write(encodeEvents(events, this.#options.style()));
  }

  #drop(batch: EventBatch): void {
    this.#gaps ??= new Map();
    for (const event of batch.events) {
      if (!isNumbered(event) || (this.filter && !passes(event, this.filter))) continue;
      const gap = this.#gaps.get(event.room);
      if (gap) gap.to = event.seq;
      else this.#gaps.set(event.room, { from: event.seq, to: event.seq });
    }
  }
}

function passes(event: HubEvent, filter: Filter): boolean {
  if (filter.events && !filter.events.has(event.event)) return false;
  return filter.room === undefined || !('room' in event) || event.room === filter.room;
}

export function encodeEvent(event: HubEvent, style: Style): string {
  const { event: name, ...fields } = event;
  return formatFrame({ marker: '*', name, fields }, style);
}

function encodeEvents(events: readonly HubEvent[], style: Style): Uint8Array {
  let text = '';
  for (const event of events) text += encodeEvent(event, style);
  return Buffer.from(text);
}
