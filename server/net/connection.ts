/**
 * One accepted TCP or TLS connection: gathers what is written in a turn into one write, knows how much is unsent, resets
 * a peer that takes nothing for too long, half-closes, and lingers so that the last words are heard. Knows no protocol.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../../shared/clock.ts';
import { limits } from '../../shared/limits.ts';

export interface ConnectionEvents {
  data(octets: Buffer): void;
  /** The peer sent FIN. */
  end(): void;
  /** Everything written has been taken by the kernel. */
  drain(): void;
  /** Gone, for whatever reason; called once. */
  close(): void;
}

export class Connection {
  readonly address: string;
  readonly secure: boolean;
  readonly #socket: Socket;
  readonly #clock: Clock;
  #queue: (string | Uint8Array)[] = [];
  #queuedOctets = 0;
  #flushing = false;
  #lingering = false;
  #cancelStall: (() => void) | undefined;

  constructor(socket: Socket, secure: boolean, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    this.secure = secure;
    this.address = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  }

  get isLoopback(): boolean {
    return this.address.startsWith('127.') || this.address === '::1';
  }

  /** Octets that were written and that the kernel has not taken. */
  get pendingOctets(): number {
    return this.#queuedOctets + this.#socket.writableLength;
  }

  listen(events: ConnectionEvents): void {
    const socket = this.#socket;
    socket.on('data', octets => {
      if (!this.#lingering) events.data(octets);
    });
    socket.on('end', () => events.end());
    socket.on('drain', () => {
      this.#cancelStall?.();
      this.#cancelStall = undefined;
      events.drain();
    });
    // A reset peer is told by `close`; the reason is of no use to anybody.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#cancelStall?.();
      events.close();
    });
  }

  /** Queues octets; all that is queued in one turn leaves together. A buffer must not change until it has left. */
  write(octets: string | Uint8Array): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    this.#queue.push(octets);
    this.#queuedOctets += typeof octets === 'string' ? Buffer.byteLength(octets) : octets.length;
    if (this.#flushing) return;
    this.#flushing = true;
    this.#clock.soon(() => this.flush());
  }

  flush(): void {
    this.#flushing = false;
    if (this.#queue.length === 0 || this.#socket.destroyed || this.#socket.writableEnded) return;
    const parts = joinStrings(this.#queue);
    this.#queue = [];
    this.#queuedOctets = 0;
    const socket = this.#socket;
    if (parts.length > 1) socket.cork();
    let taken = true;
    for (const part of parts) taken = socket.write(part);
    if (parts.length > 1) socket.uncork();
    if (!taken) this.#watchStall();
  }

  /** Resolves when the kernel has taken all that was written, or the connection is gone. */
  drained(): Promise<void> {
    this.flush();
    return new Promise(resolve => {
      if (this.#socket.destroyed) return resolve();
      const done = () => {
        this.#socket.off('close', done);
        resolve();
      };
      this.#socket.once('close', done);
      this.#socket.write('', done);
    });
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Sends what is queued and FIN; input goes on. */
  end(): void {
    this.flush();
    this.#socket.end();
  }

  /**
   * The end of a connection that the peer may still be writing to: FIN after the last words, then input is read and
   * thrown away until the peer's FIN, for a bounded time and number of octets. A `destroy` here would turn into a reset
   * that overtakes the last words.
   */
  lingerClose(): void {
    this.#lingering = true;
    this.end();
    let left: number = limits.lingerOctetsMax;
    this.#socket.on('data', octets => {
      left -= octets.length;
      if (left < 0) this.#socket.destroy();
    });
    this.#socket.on('end', () => this.#socket.destroySoon());
    this.#socket.resume();
    const cancel = this.#clock.after(limits.lingerMs, () => this.#socket.destroy());
    this.#socket.on('close', cancel);
  }

  reset(): void {
    if (this.secure) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  #watchStall(): void {
    if (this.#cancelStall) return;
    const before = this.#socket.bytesWritten - this.#socket.writableLength;
    this.#cancelStall = this.#clock.after(limits.stallMs, () => {
      this.#cancelStall = undefined;
      if (this.#socket.bytesWritten - this.#socket.writableLength === before) this.reset();
      else if (this.#socket.writableLength > 0) this.#watchStall();
    });
  }
}

/** Neighbouring strings become one, so that a turn's replies are encoded at once. */
function joinStrings(parts: readonly (string | Uint8Array)[]): (string | Uint8Array)[] {
  const joined: (string | Uint8Array)[] = [];
  let text = '';
  for (const part of parts) {
    if (typeof part === 'string') {
      text += part;
      continue;
    }
    if (text !== '') joined.push(text);
    text = '';
    joined.push(part);
  }
  if (text !== '') joined.push(text);
  return joined;
}
