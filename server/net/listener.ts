/** A listening TCP or TLS port: accepts within bounds, hands connections out, stops accepting when asked. */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Clock } from '../../shared/clock.ts';
import { limits } from '../../shared/limits.ts';
import { Connection } from './connection.ts';
import type { Places } from './places.ts';

export interface ListenerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Shared by all listeners. */
  readonly places: Places;
  readonly clock: Clock;
  accept(connection: Connection): void;
  /** What whoever comes when the house is full is told; the connection ends behind it. */
  refusal(): string;
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
  const server = serverOf(options, acceptor(options));
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

function serverOf({ tls }: ListenerOptions, accept: (socket: Socket) => void): Server {
  const options = {
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: limits.keepaliveMs,
  };
  if (!tls) return createServer(options, accept);
  const server = createTlsServer(
    { ...tls, ...options, minVersion: 'TLSv1.2', handshakeTimeout: limits.loginMs },
    accept,
  );
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

function acceptor({ accept, refusal, clock, places, tls }: ListenerOptions): (socket: Socket) => void {
  const perAddress = new Map<string, number>();
  return socket => {
    const connection = new Connection(socket, tls !== undefined, clock);
    const { address } = connection;
    const here = perAddress.get(address) ?? 0;
    const isCrowded = here >= limits.connectionsPerAddressMax && !connection.isLoopback;
    if (places.isFull || isCrowded) return refuse(socket, connection, places, refusal());
    places.taken++;
    perAddress.set(address, here + 1);
    // `on` although it comes once: the wrapper of `once` would stay as long as the connection.
    socket.on('close', () => {
      places.taken--;
      const left = (perAddress.get(address) ?? 1) - 1;
      if (left === 0) perAddress.delete(address);
      else perAddress.set(address, left);
    });
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
