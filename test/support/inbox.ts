/**
 * What arrives on one connection, kept until a test takes it, and waits with a deadline for it.
 * It knows octets, FIN and reset; lines and protocols are the callers' affair.
 */
import type { Duplex } from 'node:stream';
import { showOctets } from './octets.ts';

const SHOWN_OCTETS_MAX = 400;

/** How long a wait may take when the caller does not say. */
export const DEADLINE_MS = 5000;

/** The value of a promise, or a rejection once `deadlineMs` have passed; the work itself goes on. */
export const withDeadline = async <T>(what: string, work: Promise<T>, deadlineMs: number = DEADLINE_MS): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited for ${what}, but not within ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};

/** The peer ended its side (FIN), the connection failed (reset), or it is gone on our side. */
export type InboxState = 'open' | 'ended' | 'failed' | 'closed';

/** Collects everything a stream delivers. Reading never stops by itself: `stream.pause()` does that. */
export class Inbox {
  readonly #deadlineMs: number;
  readonly #watchers = new Set<() => void>();
  #chunks: Buffer[] = [];
  #length = 0;
  #ended = false;
  #closed = false;
  #error: NodeJS.ErrnoException | undefined;

  constructor(stream: Duplex, deadlineMs: number = DEADLINE_MS) {
    this.#deadlineMs = deadlineMs;
    stream.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      this.#notify();
    });
    stream.on('end', () => this.#probe(stream));
    stream.on('error', error => {
      this.#error = error;
      this.#notify();
    });
    stream.on('close', () => {
      this.#closed = true;
      this.#notify();
    });
  }

  /** Octets that arrived and were not taken. */
  get length(): number {
    return this.#length;
  }

  /** The peer's FIN came; octets may still be held. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Both sides are done with, or the connection was torn down. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Why the connection failed, if it did. */
  get error(): NodeJS.ErrnoException | undefined {
    return this.#error;
  }

  get wasReset(): boolean {
    return this.#error?.code === 'ECONNRESET' || this.#error?.code === 'EPIPE';
  }

  get state(): InboxState {
    if (this.#error !== undefined) return 'failed';
    if (this.#ended) return 'ended';
    return this.#closed ? 'closed' : 'open';
  }

  /** All that is held, left in place. */
  peek(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  /** Removes and returns the first `count` octets; fewer when fewer are held. */
  take(count: number): Buffer {
    const held = this.peek();
    const taken = held.subarray(0, count);
    this.#chunks = taken.length < held.length ? [held.subarray(taken.length)] : [];
    this.#length -= taken.length;
    return taken;
  }

  /** Removes and returns the octets up to and including the next LF, if one is held. */
  takeLine(): Buffer | undefined {
    const at = this.peek().indexOf(0x0a);
    return at < 0 ? undefined : this.take(at + 1);
  }

  /**
   * Waits until `ready` gives a value; it is asked again after every change. Rejects at the deadline, and at once when
   * the connection is over and `ready` still has nothing to give.
   */
  when<T>(what: string, ready: () => T | undefined): Promise<T> {
    return this.#wait(what, ready, () => this.state !== 'open');
  }

  /** Resolves when the peer's FIN has been read; rejects on a reset and at the deadline. */
  async whenEnded(): Promise<void> {
    await this.#wait(
      'FIN',
      () => this.#ended || undefined,
      () => this.#error !== undefined || this.#closed,
    );
  }

  /** Resolves when the connection is gone, in whatever way; rejects at the deadline. */
  async whenClosed(): Promise<void> {
    await this.#wait(
      'the end of the connection',
      () => this.#closed || undefined,
      () => false,
    );
  }

  #wait<T>(what: string, ready: () => T | undefined, isHopeless: () => boolean): Promise<T> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
      };
      const fail = (why: string): void => {
        stop();
        reject(new Error(`waited for ${what}, but ${why}${this.#describe()}`));
      };
      const look = (): void => {
        const value = ready();
        if (value !== undefined) {
          stop();
          resolve(value);
        } else if (isHopeless()) {
          fail(`the connection is ${this.state}${this.#error === undefined ? '' : ` (${this.#error.code})`}`);
        }
      };
      const timer = setTimeout(() => fail(`nothing came within ${this.#deadlineMs} ms`), this.#deadlineMs);
      this.#watchers.add(look);
      look();
    });
  }

  /**
   * libuv tells of a reset that comes right behind octets as if it were a FIN. Writing nothing fails after a reset, with
   * the error that was held back, and sends nothing after a FIN.
   */
  #probe(stream: Duplex): void {
    const end = (error?: Error | null): void => {
      if (error) return;
      this.#ended = true;
      this.#notify();
    };
    if (stream.writable) stream.write(Buffer.alloc(0), end);
    else end();
  }

  #describe(): string {
    if (this.#length === 0) return '';
    const shown = showOctets(this.peek().subarray(0, SHOWN_OCTETS_MAX));
    return `; held are ${this.#length} octets: ${shown}`;
  }

  #notify(): void {
    for (const look of [...this.#watchers]) look();
  }
}
