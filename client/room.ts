/** A room one has joined: every numbered event exactly once and in order, whatever the connection did; gaps come from history. */
import type { HubEvent, LogEvent } from '../shared/events.ts';
import { isNumbered } from '../shared/numbered.ts';
import { OfflineError } from './errors.ts';
import type { Row } from './request.ts';
import type { Session } from './session.ts';

type RoomEvent = Exclude<HubEvent, { event: 'GAP' }>;
/** Numbers that were named but not sent; asked from history when their turn comes. */
interface Hole {
  readonly from: number;
  readonly to: number;
}

interface RoomHooks {
  left(): void;
  slow(): void;
}

/** Behind this many unread events, numbered ones are only remembered by number: history has them. */
const unreadMax = 10_000;

export class Room implements AsyncIterable<RoomEvent> {
  readonly name: string;
  readonly #session: Session;
  readonly #hooks: RoomHooks;
  #queue: (RoomEvent | Hole)[] = [];
  /** Number of the newest event that was taken into the queue; undefined before the room was entered. */
  #known: number | undefined;
  #closed: { readonly error: Error | undefined } | undefined;
  #wake: (() => void) | undefined;

  /** `after`: the number behind which to begin; undefined is from now on. */
  constructor(name: string, session: Session, after: number | undefined, hooks: RoomHooks) {
    this.name = name;
    this.#session = session;
    this.#known = after;
    this.#hooks = hooks;
  }

  /** Where to go on after a new connection. */
  get cursor(): number | undefined {
    return this.#known;
  }

  replay({ name, fields }: Row): void {
    const event = this.#session.eventOf(name, fields);
    if (!event) return;
    if (isNumbered(event)) this.#known ??= event.seq - 1;
    if (event.event === 'GAP') this.#known ??= event.from - 1;
    this.receive(event);
  }

  /** `last` is the hub's newest number, `after` what was asked for: more than there is means a hub that began anew. */
  entered(last: number, after: number | undefined): void {
    this.#known ??= last;
    if (after !== undefined && after > last) this.#known = last;
  }

  receive(event: HubEvent): void {
    if (event.event === 'GAP') this.#missed(event.to);
    else if (!isNumbered(event)) {
      // Of the moment: nobody misses it later.
      if (this.#queue.length < unreadMax) this.#push(event);
    } else if (this.#known === undefined) {
      this.#known = event.seq;
      this.#push(event);
    } else if (event.seq > this.#known) {
      if (event.seq > this.#known + 1) this.#missed(event.seq - 1);
      if (this.#queue.length >= unreadMax) {
        if (this.#queue.length === unreadMax) this.#hooks.slow();
        this.#missed(event.seq);
      } else {
        this.#known = event.seq;
        this.#push(event);
      }
    }
  }

  #missed(to: number): void {
    const from = (this.#known ?? 0) + 1;
    if (to < from) return;
    this.#known = to;
    const last = this.#queue.at(-1);
    if (last && !('event' in last) && last.to === from - 1)
      this.#queue[this.#queue.length - 1] = { from: last.from, to };
    else this.#queue.push({ from, to });
    this.#wake?.();
  }

  #push(event: RoomEvent): void {
    this.#queue.push(event);
    this.#wake?.();
  }

  /** Posts; safe to repeat, since it carries an id. */
  async say(text: string, { reply }: { readonly reply?: number } = {}): Promise<{ readonly seq: number }> {
    const input = { room: this.name, id: this.#session.nextId(), text, ...(reply !== undefined && { reply }) };
    return this.#session.request('SAY', input);
  }

  /** Leaves; the iteration ends. */
  async part(): Promise<void> {
    this.close();
    this.#hooks.left();
    await this.#session.request('PART', { room: this.name });
  }

  /** The iteration ends with what was heard, or throws behind it. */
  close(error?: Error): void {
    this.#closed ??= { error };
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RoomEvent> {
    for (;;) {
      const next = this.#queue.shift();
      if (next === undefined) {
        if (this.#closed?.error) throw this.#closed.error;
        if (this.#closed) return;
        await new Promise<void>(resolve => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      } else if ('event' in next) yield next;
      else yield* this.#fill(next);
    }
  }

  async *#fill({ from, to }: Hole): AsyncGenerator<LogEvent> {
    for (let after = from - 1; after < to; ) {
      const rows = await this.#history(after, Math.min(500, to - after));
      if (rows.length === 0) return;
      for (const { name, fields } of rows) {
        const event = this.#session.eventOf(name, fields);
        if (!event || !isNumbered(event)) continue;
        // Old events may be gone from the room: then what is live already would come again.
        if (event.seq > to) return;
        after = event.seq;
        yield event;
      }
    }
  }

  /** A reader of a room has the patience of the session, not that of a request. */
  async #history(after: number, limit: number): Promise<readonly Row[]> {
    for (;;) {
      try {
        return await this.#session.list('HISTORY', { room: this.name, after, limit });
      } catch (error) {
        if (!(error instanceof OfflineError) || this.#session.state !== 'reconnecting') throw error;
      }
    }
  }
}
