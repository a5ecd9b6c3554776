/**
 * Takes what a data connection brings into large buffers: straight into them where the accepted handle can be taken over,
 * by copying the stream's own pieces otherwise. Holds a bounded amount; knows no protocol.
 */
import { Socket } from 'node:net';
import { KIB, MIB } from '../../shared/limits.ts';

/** Most files are small, and a large buffer costs something even while it is empty. */
const firstBufferOctets = 64 * KIB;
const bufferOctets = MIB;
const heldOctetsMax = 4 * MIB;

const nothing = Buffer.alloc(0);

export class Receiver implements AsyncIterable<Buffer> {
  /** In the place of the one that was given, which is not to be used any more. */
  readonly socket: Socket;
  #buffer: Buffer = Buffer.allocUnsafeSlow(firstBufferOctets);
  #used = 0;
  #full: Buffer[] = [];
  #heldOctets = 0;
  #state: 'open' | 'ended' | 'lost' = 'open';
  #wake: (() => void) | undefined;

  /** The socket must not have been read from: accept with `pauseOnConnect`, or pause before connecting. */
  constructor(socket: Socket, secure: boolean) {
    const taken = secure ? undefined : this.#takeOver(socket);
    this.socket = taken ?? socket;
    if (!taken) this.socket.on('data', octets => this.#copy(octets));
    this.#watchEnd(secure);
    this.socket.resume();
  }

  /**
   * What came, in order, in buffers that are the caller's; each is full but for the last. Ends at the peer's end. Error:
   * the connection broke; all that came before was given.
   */
  async *[Symbol.asyncIterator](): AsyncIterator<Buffer> {
    for (;;) {
      const next = this.#full.shift();
      if (next) {
        const wasFull = this.#isHeldUp;
        this.#heldOctets -= next.length;
        if (wasFull && !this.#isHeldUp) this.socket.resume();
        yield next;
      } else if (this.#state === 'open') {
        await new Promise<void>(resolve => {
          this.#wake = resolve;
        });
      } else if (this.#state === 'lost') throw new Error('the connection broke before its end');
      else return;
    }
  }

  get #isHeldUp(): boolean {
    return this.#heldOctets >= heldOctetsMax;
  }

  /** Node gives buffers of our own only to sockets that it makes with them: this one is made of the accepted one's handle. */
  #takeOver(socket: Socket): Socket | undefined {
    const accepted = socket as Socket & { _handle?: { readonly useUserBuffer?: unknown } | null };
    const handle = accepted._handle;
    if (typeof handle?.useUserBuffer !== 'function') return undefined;
    accepted._handle = null;
    const onread = {
      buffer: () => this.#buffer.subarray(this.#used),
      callback: (octets: number) => this.#came(octets),
    };
    const options = { handle, onread, allowHalfOpen: true, pauseOnCreate: true };
    return new Socket(options as ConstructorParameters<typeof Socket>[0]);
  }

  /** False asks to read no more for now. */
  #came(octets: number): boolean {
    this.#used += octets;
    if (this.#used === this.#buffer.length) this.#handOut(Buffer.allocUnsafeSlow(bufferOctets));
    return !this.#isHeldUp;
  }

  #copy(octets: Buffer): void {
    for (let at = 0; at < octets.length; ) {
      const copied = octets.copy(this.#buffer, this.#used, at);
      at += copied;
      if (!this.#came(copied)) this.socket.pause();
    }
  }

  #handOut(next: Buffer): void {
    this.#full.push(this.#buffer.subarray(0, this.#used));
    this.#heldOctets += this.#used;
    this.#buffer = next;
    this.#used = 0;
    this.#wakeUp();
  }

  #watchEnd(secure: boolean): void {
    const { socket } = this;
    const over = (state: 'ended' | 'lost') => {
      if (this.#state !== 'open') return;
      this.#state = state;
      if (this.#used > 0) this.#handOut(nothing);
      this.#wakeUp();
    };
    socket.on('error', () => over('lost'));
    socket.on('close', () => over('lost'));
    // libuv tells of a reset right behind octets as if it were a FIN; after one, writing nothing fails.
    const end = () => {
      // Over TLS an end is what the peer said, whatever became of the connection behind it.
      if (socket.writable && !secure) socket.write(nothing, error => over(error ? 'lost' : 'ended'));
      else over('ended');
    };
    // Nothing may have come at all, and its end long ago.
    if (socket.readableEnded) end();
    else if (socket.destroyed) over('lost');
    else socket.on('end', end);
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
