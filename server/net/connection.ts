/**
 * One accepted TCP or TLS connection: gathers what is written in a turn into one write, knows how much is unsent, resets
 * a peer that takes nothing for too long, half-closes, and lingers so that the last words are heard. Knows no protocol.
 */
import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { Clock } from '../../shared/clock.ts';
import { limits } from '../../shared/limits.ts';
import type { Observed } from './observer.ts';
import { addressOf } from './proxies.ts';
import { resetSocket } from './reset.ts';
import { secureSocket } from './secure.ts';

export interface ConnectionEvents {
  data(octets: Buffer): void;
  /** The peer sent FIN, and it was not a reset that looks like one. */
  end(): void;
  /** Much was unsent, and the kernel has taken all of it. */
  drain(): void;
  /** Gone, for whatever reason; called once. */
  close(): void;
}

const nothing = Buffer.alloc(0);
const ignore = () => undefined;

export class Connection {
  readonly address: string;
  readonly secure: boolean;
  readonly #isProxied: boolean;
  readonly #socket: Socket;
  readonly #clock: Clock;
  /** Neighbouring strings are one, so that a turn's replies are encoded at once. */
  #queue: (string | Uint8Array)[] = [];
  #queuedOctets = 0;
  #lingering = false;
  #lingerOctetsLeft: number = limits.lingerOctetsMax;
  #cancelStall: (() => void) | undefined;
  #events: ConnectionEvents | undefined;
  #isSilenced = false;
  /** Where the wire view looks on. */
  observed: Observed | undefined;

  /** `through`: a proxy, and whom it names, or itself. */
  constructor(socket: Socket, secure: boolean, clock: Clock, through?: { readonly address: string }) {
    this.#socket = socket;
    this.#clock = clock;
    this.secure = secure;
    this.address = through?.address ?? addressOf(socket);
    this.#isProxied = through !== undefined;
    // What `close` does not tell is of no use to anybody: the peer is gone.
    socket.on('error', ignore);
  }

  /** Somebody on this machine; never somebody behind a proxy, which would vouch for the whole world. */
  get isLoopback(): boolean {
    if (this.#isProxied) return false;
    return this.address.startsWith('127.') || this.address === '::1';
  }

  /** Under which the peer reached this machine. */
  get localAddress(): string {
    return (this.#socket.localAddress ?? '').replace(/^::ffff:/, '');
  }

  /** Gone, or our FIN is sent or on its way: what is written now is thrown away. */
  get isEnded(): boolean {
    return this.#socket.destroyed || this.#socket.writableEnded || this.#isSilenced;
  }

  /** Octets that were written and that the kernel has not taken. */
  get pendingOctets(): number {
    return this.#queuedOctets + this.#socket.writableLength;
  }

  listen(events: ConnectionEvents): void {
    const socket = this.#socket;
    this.#events = events;
    socket.on('data', octets => {
      this.observed?.tap?.received(octets);
      if (!this.#lingering) events.data(octets);
    });
    socket.on('end', () => this.#ended(socket, events));
    socket.on('drain', () => {
      this.#cancelStall?.();
      this.#cancelStall = undefined;
      events.drain();
    });
    socket.on('close', this.#closed);
  }

  #ended(socket: Socket, events: ConnectionEvents): void {
    const hold = this.observed?.hold;
    const end = () => {
      if (!socket.writable) return events.end();
      // libuv tells of a reset right behind octets as if it were a FIN; after one, writing nothing fails.
      socket.write(nothing, error => {
        if (!error) events.end();
      });
    };
    this.observed?.tap?.ended();
    if (!hold) return end();
    this.#isSilenced = hold.isSilent;
    this.#clock.after(hold.ms, end);
  }

  readonly #closed = () => {
    this.#cancelStall?.();
    this.#events?.close();
  };

  /** Queues octets; all that is queued in one turn leaves together. A buffer must not change until it has left. */
  write(octets: string | Uint8Array): void {
    if (this.isEnded) return;
    this.observed?.tap?.sent(octets);
    const queue = this.#queue;
    if (queue.length === 0) this.#clock.soon(() => this.#flush());
    const last = queue.at(-1);
    if (typeof octets === 'string' && typeof last === 'string') queue[queue.length - 1] = last + octets;
    else queue.push(octets);
    this.#queuedOctets += typeof octets === 'string' ? Buffer.byteLength(octets) : octets.length;
  }

  #flush(taken?: () => void): void {
    const parts = this.#queue;
    if (parts.length === 0) return;
    const octets = this.#queuedOctets;
    this.#queue = [];
    this.#queuedOctets = 0;
    const socket = this.#socket;
    if (this.isEnded) return;
    const end = parts.length - 1;
    if (end > 0) socket.cork();
    for (let i = 0; i < end; i++) socket.write(parts[i]!);
    socket.write(parts[end]!, taken);
    if (end > 0) socket.uncork();
    if (socket.writableLength > 0) this.#watchStall();
    // What the kernel takes at once makes no `drain` of the socket's own.
    else if (octets >= limits.outputOctetsHigh) this.#events?.drain();
  }

  /** Resolves when the kernel has taken all that was written, or the connection is gone. */
  drained(): Promise<void> {
    const socket = this.#socket;
    if (this.isEnded || this.pendingOctets === 0) return Promise.resolve();
    return new Promise(resolve => {
      const done = () => {
        socket.off('close', done);
        resolve();
      };
      socket.once('close', done);
      if (this.#queue.length > 0) this.#flush(done);
      else socket.write(nothing, done);
    });
  }

  /**
   * The same connection over TLS, from here on, for the same events; this object is not to be used any more. What was
   * written leaves before the handshake. Rejects when that fails.
   */
  async secured(context: SecureContext): Promise<Connection> {
    const socket = this.#socket;
    const events = this.#events;
    for (const name of ['data', 'end', 'drain'] as const) socket.removeAllListeners(name);
    // In the same turn where that is possible: what was read already must not flow past the handshake.
    if (this.pendingOctets > 0) await this.drained();
    const secured = await secureSocket(socket, context, this.#clock);
    socket.off('close', this.#closed);
    const connection = new Connection(
      secured,
      true,
      this.#clock,
      this.#isProxied ? { address: this.address } : undefined,
    );
    connection.observed = this.observed;
    if (this.observed) Object.assign(this.observed, { socket: secured, secure: true });
    if (events) connection.listen(events);
    return connection;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /**
   * The end of a connection that the peer may still be writing to: FIN after the last words, then input is read and
   * thrown away until the peer's FIN, for a bounded time and number of octets. A `destroy` here would turn into a reset
   * that overtakes the last words; the time runs from the moment the kernel has them.
   */
  lingerClose(): void {
    const socket = this.#socket;
    if (this.#lingering || socket.destroyed) return;
    this.#flush();
    this.observed?.tap?.finished();
    this.#lingering = true;
    socket.on('data', octets => {
      this.#lingerOctetsLeft -= octets.length;
      if (this.#lingerOctetsLeft < 0) socket.destroy();
    });
    socket.end(() => {
      if (socket.destroyed) return;
      const cancel = this.#clock.after(limits.lingerMs, () => socket.destroy());
      socket.once('close', cancel);
    });
    socket.resume();
  }

  /** Ends at once; what was not delivered is lost. */
  reset(): void {
    if (this.secure) this.#socket.destroy();
    else resetSocket(this.#socket);
  }

  #watchStall(): void {
    if (this.#cancelStall) return;
    const before = this.#taken();
    this.#cancelStall = this.#clock.after(limits.stallMs, () => {
      this.#cancelStall = undefined;
      if (this.#taken() === before) this.reset();
      else if (this.#socket.writableLength > 0) this.#watchStall();
    });
  }

  /** Octets that the kernel has taken so far, within a write that is under way too: that is what the handle counts. */
  #taken(): number {
    const socket = this.#socket as Socket & { readonly _handle?: { readonly writeQueueSize?: number } | null };
    return socket.bytesWritten - socket.writableLength - (socket._handle?.writeQueueSize ?? 0);
  }
}
