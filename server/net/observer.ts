/**
 * The connections that are open, and a place on each where somebody may look on. While nobody does, a connection costs
 * one small object, and a read or write one check. Who may look, and how it is shown, is not decided here.
 */
import type { Socket } from 'node:net';
import { plainAddress } from './proxy-header.ts';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Who looks on. Must not throw; octets are lent, so what is to stay is copied. */
export interface Tap {
  /** As the application got them: over TLS, what was inside. */
  received(octets: Uint8Array): void;
  sent(octets: string | Uint8Array): void;
  /** A whole message, from wires on which octets are not what is said. */
  message(side: 'client' | 'server', text: string): void;
  /** From here on, what is typed is a secret, or no longer. */
  concealed(isHidden: boolean): void;
  /** The peer's FIN. */
  ended(): void;
  /** Our FIN is on its way, behind all that was sent. */
  finished(): void;
  closed(): void;
}

/** A pause for teaching between the peer's FIN and what we do about it, in which states that pass quickly can be seen. */
export interface Hold {
  readonly ms: number;
  /** Nothing is said any more: our FIN is all that follows. */
  readonly isSilent: boolean;
}

export class Observed {
  readonly wire: string;
  readonly sinceMs: number;
  /** The control connection, of a data connection. */
  readonly of: Observed | undefined;
  readonly #number: number;
  socket: Socket;
  secure: boolean;
  /** Of the hub, as soon as there is one. */
  session: string | undefined;
  tap: Tap | undefined;
  hold: Hold | undefined;
  /** What is typed now is a secret. */
  isHidden = false;
  #beside = { received: 0, sent: 0 };
  #ends: { readonly peer: Endpoint; readonly local: Endpoint } | undefined;

  constructor(wire: string, number: number, socket: Socket, secure: boolean, sinceMs: number, of?: Observed) {
    this.wire = wire;
    this.#number = number;
    this.socket = socket;
    this.secure = secure;
    this.sinceMs = sinceMs;
    this.of = of;
  }

  get id(): string {
    return `${this.wire}-${this.#number}`;
  }

  /** Both ends as the kernel has them, whatever a proxy says of the person behind; remembered from the first look on. */
  get ends(): { readonly peer: Endpoint; readonly local: Endpoint } {
    const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = this.socket;
    this.#ends ??= {
      peer: { address: plainAddress(remoteAddress), port: remotePort },
      local: { address: plainAddress(localAddress), port: localPort },
    };
    return this.#ends;
  }

  /** IPv6 to the kernel, be it only in form. */
  get isSix(): boolean {
    return this.socket.remoteFamily === 'IPv6';
  }

  get received(): number {
    return Math.max(this.socket.bytesRead, this.#beside.received);
  }

  get sent(): number {
    return Math.max(this.socket.bytesWritten, this.#beside.sent);
  }

  /** What went past the socket, moved by the kernel or into other buffers: totals. */
  moved(received: number, sent: number): void {
    this.#beside = { received, sent };
  }

  conceal(isHidden: boolean): void {
    this.isHidden = isHidden;
    this.tap?.concealed(isHidden);
  }
}

/** All connections of one server. */
export class Observer {
  readonly #now: () => number;
  readonly #holdMs: number;
  readonly #open = new Set<Observed>();
  readonly #arrivals = new Set<(arrived: Observed) => void>();
  readonly #bySocket = new WeakMap<Socket, Observed>();
  #numbers = 0;

  /** `holdMs`: of every connection that says nothing else; 0 for none. */
  constructor(now: () => number, holdMs = 0) {
    this.#now = now;
    this.#holdMs = holdMs;
  }

  /** A connection is there; it is forgotten when its socket closes. */
  opened(wire: string, socket: Socket, secure: boolean, of?: Observed): Observed {
    const observed = new Observed(wire, ++this.#numbers, socket, secure, this.#now(), of);
    if (this.#holdMs > 0) observed.hold = { ms: this.#holdMs, isSilent: false };
    this.#open.add(observed);
    this.#bySocket.set(socket, observed);
    if (of) this.#follow(observed, socket);
    else socket.on('close', () => this.#closed(observed));
    for (const arrival of this.#arrivals) arrival(observed);
    return observed;
  }

  /** Another socket object stands for the same connection from here on. */
  handedOver(from: Socket, to: Socket): void {
    const observed = this.#bySocket.get(from);
    if (!observed || from === to) return;
    observed.socket = to;
    this.#bySocket.set(to, observed);
    this.#follow(observed, to);
  }

  of(socket: Socket): Observed | undefined {
    return this.#bySocket.get(socket);
  }

  all(): Iterable<Observed> {
    return this.#open;
  }

  /** Called for each connection that opens, until the returned function is. */
  onOpened(arrival: (arrived: Observed) => void): () => void {
    this.#arrivals.add(arrival);
    return () => this.#arrivals.delete(arrival);
  }

  /** For sockets that no `Connection` speaks for. */
  #follow(observed: Observed, socket: Socket): void {
    socket.on('end', () => observed.tap?.ended());
    socket.on('finish', () => observed.tap?.finished());
    socket.on('close', () => {
      if (observed.socket === socket) this.#closed(observed);
    });
  }

  #closed(observed: Observed): void {
    if (this.#open.delete(observed)) observed.tap?.closed();
  }
}
