/**
 * One webhook as it lives: it reads the logs behind its cursors and posts one event after the other, so it holds no queue,
 * loses nothing over a restart, and slows nobody. Which there are is in `webhooks.ts`.
 */
import { createHmac } from 'node:crypto';
import { delay, formatTime } from '../../shared/clock.ts';
import type { LogEvent } from '../../shared/events.ts';
import { limits } from '../../shared/limits.ts';
import { auditRoom } from './audit.ts';
import type { Domain } from './handlers.ts';
import type { Post } from './host.ts';
import type { LiveRoom } from './live-rooms.ts';

/** The document of kind `webhook` under its id. */
export interface WebhookDocument {
  readonly url: string;
  /** It signs, so it cannot be stored as a hash. */
  readonly secret: string;
  /** Folded names; all but the audit log if left out. */
  readonly rooms?: readonly string[];
  readonly events?: readonly LogEvent['event'][];
  /** Room's key → number of the last event that is done; 0 for rooms that are newer than the hook. */
  readonly cursors: Readonly<Record<string, number>>;
  /** RFC 3339: since when it does not try any more. */
  readonly paused?: string;
}

export class Webhook {
  readonly id: string;
  document: WebhookDocument;
  readonly #domain: Domain;
  readonly #post: Post;
  /** Called once it has failed for so long that it is paused. */
  readonly #given: (hook: Webhook, why: string) => void;
  readonly #end = new AbortController();
  #running: Promise<void> | undefined;
  /** Rooms in which there may be something to post. */
  readonly #due = new Set<LiveRoom>();

  constructor(
    id: string,
    document: WebhookDocument,
    domain: Domain,
    post: Post,
    given: (hook: Webhook, why: string) => void,
  ) {
    this.id = id;
    this.document = document;
    this.#domain = domain;
    this.#post = post;
    this.#given = given;
  }

  #concerns({ key, rights }: LiveRoom): boolean {
    if (rights.pair) return false;
    return this.document.rooms ? this.document.rooms.includes(key) : key !== auditRoom;
  }

  /** There may be something to post of this room, if it is a room of this hook. */
  wake(room: LiveRoom): void {
    if (!this.#concerns(room)) return;
    this.#due.add(room);
    this.#begin();
  }

  wakeAll(): void {
    for (const room of this.#domain.rooms.all()) this.wake(room);
  }

  #begin(): void {
    if (this.#running || this.#due.size === 0 || this.document.paused !== undefined || this.#end.signal.aborted) return;
    this.#running = this.#run()
      .catch(error => this.#failed(error))
      .finally(() => {
        this.#running = undefined;
        this.#begin();
      });
  }

  /** A store that does not answer is not asked again at once: that would leave no time for anybody else. */
  async #failed(error: unknown): Promise<void> {
    const { clock, report } = this.#domain;
    report({ what: `the webhook ${this.id}`, error });
    await delay(clock, limits.webhookRetryMsMax, this.#end.signal).catch(() => undefined);
  }

  /** Resolves when nothing is on its way any more. */
  async stop(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  async save(document: WebhookDocument): Promise<void> {
    this.document = document;
    await this.#domain.store.commit([{ kind: 'put-document', document: 'webhook', key: this.id, value: document }]);
  }

  async #run(): Promise<void> {
    for (const room of this.#due) {
      while ((this.document.cursors[room.key] ?? 0) < room.last) if (!(await this.#page(room))) return;
      this.#due.delete(room);
    }
  }

  /** False once it is stopped or paused. What was done is noted behind each page: a crash repeats it. */
  async #page(room: LiveRoom): Promise<boolean> {
    const after = this.document.cursors[room.key] ?? 0;
    const rows = await this.#domain.store.history(room.name, { after, limit: limits.webhookRowsMax });
    if (rows.length === 0) throw new Error(`nothing stands behind ${after} in the log of ${room.name}`);
    let done = after;
    let isThrough = true;
    for (const { event } of rows) {
      const isWanted = this.document.events?.includes(event.event) ?? true;
      if (isWanted && !(await this.#deliver(room, event))) {
        isThrough = false;
        break;
      }
      done = event.seq;
    }
    if (done !== after) {
      await this.save({ ...this.document, cursors: { ...this.document.cursors, [room.key]: done } });
    }
    return isThrough;
  }

  /** Tries until it is taken; false if it was stopped before, or is paused now. */
  async #deliver(room: LiveRoom, event: LogEvent): Promise<boolean> {
    const { signal } = this.#end;
    const { clock } = this.#domain;
    const key = encodeURIComponent(room.key);
    let triedMs = 0;
    for (
      let waitMs: number = limits.webhookRetryMs;
      !signal.aborted;
      waitMs = Math.min(2 * waitMs, limits.webhookRetryMsMax)
    ) {
      const why = await this.#attempt(`${this.id}.${key}.${event.seq}`, event);
      if (why === undefined) return true;
      if (triedMs >= limits.webhookTriesMs) {
        await this.save({ ...this.document, paused: formatTime(clock.now()) });
        this.#given(this, why);
        return false;
      }
      // Counted by waits: a clock that leaps pauses nothing.
      triedMs += waitMs;
      await delay(clock, waitMs, signal).catch(() => undefined);
    }
    return false;
  }

  /** Why it was not taken; undefined if it was. */
  async #attempt(delivery: string, event: LogEvent): Promise<string | undefined> {
    const body = JSON.stringify(event);
    const timestamp = String(Math.floor(this.#domain.clock.now() / 1000));
    const mac = createHmac('sha256', this.document.secret).update(`${timestamp}.${body}`).digest('hex');
    const headers = {
      'content-type': 'application/json',
      'x-partyline-event': event.event,
      'x-partyline-delivery': delivery,
      'x-partyline-timestamp': timestamp,
      'x-partyline-signature': `sha256=${mac}`,
    };
    const timeout = new AbortController();
    const cancel = this.#domain.clock.after(limits.webhookAnswerMs, () => timeout.abort());
    try {
      const signal = AbortSignal.any([this.#end.signal, timeout.signal]);
      const status = await this.#post({ url: this.document.url, headers, body, signal });
      return status >= 200 && status < 300 ? undefined : `it answers ${status}`;
    } catch {
      return timeout.signal.aborted ? 'it does not answer in time' : 'it cannot be reached';
    } finally {
      cancel();
    }
  }
}
