/** What one watcher gets: events of the connections that they may see, as much of each as they may, in a queue that is bounded. */
import type { Clock } from '../../shared/clock.ts';
import { limits } from '../../shared/limits.ts';
import type { OpenConnection, Sight, WireWatch } from '../hub/host.ts';
import type { Conversation, Happening } from './conversation.ts';
import { OrderedRows, type Row } from './ordered-rows.ts';

/** A conversation as it is seen by one watcher. */
interface Seen {
  sight: Sight;
  /** What came before it was known whose the connection is. */
  waiting: Happening[];
  missed: number;
}

export interface ViewHost {
  readonly clock: Clock;
  nowMs(): number;
  describe(conversation: Conversation): OpenConnection;
  release(conversation: Conversation, view: View): void;
}

export class View {
  readonly #watch: WireWatch;
  readonly #host: ViewHost;
  readonly #startMs: number;
  readonly #seen = new Map<Conversation, Seen>();
  readonly #queue = new OrderedRows();
  /** Of the connection on which it was asked. */
  readonly #kept = new OrderedRows();
  /** Where one connection is asked for, the first that may be seen. */
  #chosen: Conversation | undefined;
  #count = 0;
  #wake: (() => void) | undefined;
  readonly over: Promise<void>;
  #end: () => void = () => undefined;

  constructor(watch: WireWatch, host: ViewHost, startMs: number) {
    this.#watch = watch;
    this.#host = host;
    this.#startMs = startMs;
    this.over = new Promise(resolve => {
      this.#end = resolve;
    });
    if (watch.signal.aborted) this.#end();
    else watch.signal.addEventListener('abort', () => this.#end(), { once: true });
  }

  /** True if it is of interest, now or when it is known whose it is. */
  wants(connection: OpenConnection, isNew: boolean): boolean {
    if (this.#watch.once && (!isNew || this.#chosen) && connection.of !== this.#chosen?.id) return false;
    return this.#watch.sight(connection) !== 'nothing';
  }

  get asking(): string | undefined {
    return this.#watch.asking;
  }

  /** This connection is not shown any more. */
  drop(id: string | undefined): void {
    for (const conversation of [...this.#seen.keys()]) if (conversation.id === id) this.#forget(conversation);
  }

  take(conversation: Conversation): void {
    this.#seen.set(conversation, { sight: 'later', waiting: [], missed: 0 });
    this.tell(conversation, conversation.opening());
  }

  readonly tell = (conversation: Conversation, happening: Happening): void => {
    const seen = this.#seen.get(conversation);
    if (!seen || (this.#chosen && this.#chosen !== conversation && conversation.of !== this.#chosen.id)) return;
    const sight = this.#watch.sight(this.#host.describe(conversation));
    // Its person has left before it ends: it stays what it was.
    if (sight !== 'later' || seen.sight === 'later') seen.sight = sight;
    if (seen.sight === 'nothing') return this.#forget(conversation);
    if (seen.sight === 'later') {
      if (seen.waiting.length < limits.wireUnknownMax) seen.waiting.push(happening);
      else seen.missed++;
      return;
    }
    if (this.#watch.once) this.#chosen ??= conversation;
    const earlier = seen.waiting;
    seen.waiting = [];
    for (const one of [...earlier, happening]) this.#show(conversation, seen, one);
    this.#queue.missed(seen.missed);
    seen.missed = 0;
  };

  /** It has ended and nothing more is to be learnt of it. */
  settled(conversation: Conversation): void {
    this.#forget(conversation);
    if (conversation === this.#chosen) this.#end();
  }

  /** Sends until it is over; gives how many events there were. Error: whatever the watcher's row says. */
  async run(): Promise<number> {
    let isOver = false;
    void this.over.then(() => {
      isOver = true;
      this.#wake?.();
    });
    for (;;) {
      const row = this.#queue.take(isOver ? Number.POSITIVE_INFINITY : this.#host.nowMs());
      if (row) await this.#send(row);
      else if (isOver) break;
      else await this.#more();
    }
    this.close();
    for (let row = this.#kept.take(Number.POSITIVE_INFINITY); row; row = this.#kept.take(Number.POSITIVE_INFINITY)) {
      await this.#send(row);
    }
    return this.#count;
  }

  /** Resolves when there may be something to send. */
  async #more(): Promise<void> {
    const waitMs = this.#queue.waitMs(this.#host.nowMs());
    await new Promise<void>(resolve => {
      const cancel = waitMs === undefined ? undefined : this.#host.clock.after(waitMs, resolve);
      this.#wake = () => {
        cancel?.();
        resolve();
      };
    });
  }

  /** What was seen is still sent. */
  end(): void {
    this.#end();
  }

  /** Lets go of everything. */
  close(): void {
    for (const conversation of [...this.#seen.keys()]) this.#forget(conversation);
  }

  #send(row: Row): void | Promise<void> {
    this.#count++;
    return this.#watch.row(row);
  }

  #forget(conversation: Conversation): void {
    if (this.#seen.delete(conversation)) this.#host.release(conversation, this);
  }

  #show(conversation: Conversation, { sight }: Seen, happening: Happening): void {
    const { atMs, ...fields } = happening;
    const { packet, ...rest } = fields;
    const shown =
      sight === 'contents'
        ? this.#watch.packets
          ? { ...rest, ...inText(atMs, packet) }
          : rest
        : withoutContents(rest);
    const row = { conn: conversation.id, t: Math.round((atMs - this.#startMs) * 1000) / 1000, ...shown };
    if (conversation.id === this.#watch.asking) return this.#kept.put(atMs, row);
    this.#queue.put(atMs, row);
    this.#wake?.();
  }
}

/** What is said is not for everybody; that something was said, is. */
function withoutContents({ text, ...fields }: Row): Row {
  return typeof text === 'string' ? { ...fields, octets: Buffer.byteLength(text) } : fields;
}

function inText(atMs: number, packet: unknown): Row {
  return packet instanceof Uint8Array ? { at: atMs, packet: Buffer.from(packet).toString('base64') } : {};
}
