/** A listening TCP or TLS port: accepts within bounds, hands connections out, stops accepting when asked. */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Clock } from '../../shared/clock.ts';
import { limits } from '../../shared/limits.ts';
import { Connection } from './connection.ts';
import type { Observer } from './observer.ts';
import type { Places } from './places.ts';
import { addressOf, awaitHeader, type Proxies } from './proxies.ts';

export interface ListenerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Shared by all listeners. */
  readonly places: Places;
  readonly clock: Clock;
  /** What it is told of every connection that is served, and under which name. */
  readonly observer?: Observer;
  readonly wire: string;
  /** Their connections begin with a header that names the peer, before TLS too; none if left out. */
  readonly proxies?: Proxies;
  accept(connection: Connection): void;
  /** What whoever comes when the house is full, or without the header of a proxy, is told; the connection ends behind it. */
  refusal(why: 'full' | 'no-header'): string;
  /** A proxy at this address sent no header that can be read. */
  misled?(address: string, reason: string): void;
  /** Accepting failed once; the port goes on. */
  failed(error: Error): void;
}

export interface Listener {
  readonly address: string;
  readonly port: number;
  /** No new connections; those that are open go on. */
  stopAccepting(): void;
}

/** Errors: what the system says, such as EADDRINUSE. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const server = serverOf(options);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      server.on('error', options.failed);
      resolve();
    });
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('a TCP listener has an address');
  return { address: bound.address, port: bound.port, stopAccepting: () => void server.close() };
}

const ignore = () => undefined;

const socketOptions = {
  allowHalfOpen: true,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: limits.keepaliveMs,
};

function serverOf(options: ListenerOptions): Server {
  const { tls, proxies, places } = options;
  const named: Named = new Map();
  const accept = acceptor(options, named);
  const pass = tls ? handshaker(tls, places, accept) : accept;
  return createServer(socketOptions, proxies ? gate(options, proxies, named, pass) : pass);
}

/** A handshake takes a place too: whoever begins one and never ends it holds a descriptor as anybody does. */
function handshaker(
  tls: { readonly key: string; readonly cert: string },
  places: Places,
  accept: (socket: Socket) => void,
): (socket: Socket) => void {
  /** By the connections' own ends: how each gives its place back. */
  const shaking = new Map<string, () => void>();
  const secured = createTlsServer(
    { ...tls, ...socketOptions, minVersion: 'TLSv1.2', handshakeTimeout: limits.loginMs },
    socket => {
      shaking.get(ends(socket))?.();
      accept(socket);
    },
  );
  secured.on('tlsClientError', (_error, socket) => socket.destroy());
  return socket => {
    // Nothing can be said before the handshake.
    if (places.isFull) return void socket.destroy();
    places.taken++;
    const end = ends(socket);
    const over = () => {
      if (shaking.delete(end)) places.taken--;
    };
    shaking.set(end, over);
    socket.on('close', over);
    secured.emit('connection', socket);
  };
}

/** Whom the proxies of open connections named, by the connections' own ends: a TLS socket does not know what it stands on. */
type Named = Map<string, { readonly address: string }>;

function ends(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

/** Lets connections through, those of proxies behind their headers. */
function gate(
  options: ListenerOptions,
  proxies: Proxies,
  named: Named,
  pass: (socket: Socket) => void,
): (socket: Socket) => void {
  const { clock, places, tls } = options;
  return socket => {
    const own = addressOf(socket);
    if (!proxies.includes(own)) return pass(socket);
    // Over TLS nothing can be said before the handshake.
    const refuseIt = (why: 'full' | 'no-header') =>
      refuse(socket, new Connection(socket, false, clock), places, tls ? '' : options.refusal(why));
    if (places.isFull) return refuseIt('full');
    places.taken++;
    const end = ends(socket);
    socket.on('error', ignore);
    socket.on('close', () => named.delete(end));
    awaitHeader(socket, {
      clock,
      gone: () => void places.taken--,
      named(address) {
        named.set(end, { address: address ?? own });
        pass(socket);
        if (!tls) socket.resume();
      },
      refused(reason) {
        options.misled?.(own, reason);
        refuseIt('no-header');
      },
    });
  };
}

function acceptor(options: ListenerOptions, named: Named): (socket: Socket) => void {
  const { accept, refusal, clock, places, tls, observer, wire } = options;
  const perAddress = new Map<string, number>();
  return socket => {
    const connection = new Connection(socket, tls !== undefined, clock, named.get(ends(socket)));
    const { address } = connection;
    const here = perAddress.get(address) ?? 0;
    const isCrowded = here >= limits.connectionsPerAddressMax && !connection.isLoopback;
    if (places.isFull || isCrowded) return refuse(socket, connection, places, refusal('full'));
    places.taken++;
    perAddress.set(address, here + 1);
    // `on` although it comes once: the wrapper of `once` would stay as long as the connection.
    socket.on('close', () => {
      places.taken--;
      const left = (perAddress.get(address) ?? 1) - 1;
      if (left === 0) perAddress.delete(address);
      else perAddress.set(address, left);
    });
    connection.observed = observer?.opened(wire, socket, connection.secure);
    accept(connection);
  };
}

function refuse(socket: Socket, connection: Connection, places: Places, words: string): void {
  // Without lingering the words may be lost by whoever speaks first; with it a flood would hold all descriptors.
  if (places.isFlooded) return void socket.end(words, () => socket.destroy());
  places.refused++;
  socket.on('close', () => {
    places.refused--;
  });
  connection.write(words);
  connection.lingerClose();
}
