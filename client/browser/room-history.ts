/** One room's log as the page follows it: what is loaded, what is asked for at its ends, what happens meanwhile. */
import { signal } from '@preact/signals';
import type { LogEvent } from '../../shared/events.ts';
import type { Fields, Link } from './link.ts';
import { logOf, type RoomLog, withEvent, withNewer, withOlder } from './room-log.ts';

const pageRows = 100;

export class RoomHistory {
  readonly log = signal<RoomLog | undefined>(undefined);
  /** A message that is to be shown and marked, by a link or a search. */
  readonly wanted = signal<number | undefined>(undefined);
  readonly #room: string;
  readonly #link: Link;
  #isAsking = false;
  /** What happened while the first part was asked for. */
  #meanwhile: LogEvent[] = [];

  constructor(room: string, link: Link) {
    this.#room = room;
    this.#link = link;
  }

  /** The newest messages; `last` is the room's newest number. */
  newest(last: number): Promise<void> {
    return this.#begin({ limit: pageRows }, more => ({ atStart: !more, atEnd: true }), last);
  }

  /** Shows one message: from what is there, or with what is around it. */
  async show(seq: number): Promise<void> {
    const log = this.log.value;
    const isThere = log?.entries.some(entry => entry.seq === seq);
    if (!isThere) await this.#begin({ around: seq, limit: pageRows }, () => ({ atStart: seq <= 1, atEnd: false }));
    this.wanted.value = seq;
  }

  older(): Promise<void> {
    const { log } = this;
    if (!log.value || log.value.atStart) return Promise.resolve();
    return this.#ask({ before: log.value.from, limit: pageRows }, (events, more) => {
      if (log.value) log.value = withOlder(log.value, events, !more);
    });
  }

  newer(): Promise<void> {
    const { log } = this;
    if (!log.value || log.value.atEnd) return Promise.resolve();
    return this.#ask({ after: log.value.to, limit: pageRows }, (events, more) => {
      if (log.value) log.value = withNewer(log.value, events, !more);
    });
  }

  happened(event: LogEvent): void {
    if (this.#isAsking) this.#meanwhile.push(event);
    if (this.log.value) this.log.value = withEvent(this.log.value, event);
  }

  async #begin(
    range: { readonly around?: number; readonly limit: number },
    ends: (more: boolean) => Pick<RoomLog, 'atStart' | 'atEnd'>,
    last = 0,
  ): Promise<void> {
    await this.#ask(range, (events, more) => {
      this.log.value = logOf(events, ends(more), last);
    });
  }

  async #ask(range: Fields, take: (events: readonly LogEvent[], more: boolean) => void): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      const { rows, output } = await this.#link.rows('HISTORY', { room: this.#room, ...range });
      take(rows as unknown as LogEvent[], output.more === 'yes');
      for (const event of this.#meanwhile) if (this.log.value) this.log.value = withEvent(this.log.value, event);
    } finally {
      this.#meanwhile = [];
      this.#isAsking = false;
    }
  }
}
