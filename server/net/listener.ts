/** A listening TCP or TLS port: accepts within bounds, hands connections out, stops accepting when asked. */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Clock } from '../../shared/clock.ts';
import { limits } from '../../shared/limits.ts';
import { Connection } from './connection.ts';

export interface ListenerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly connectionsMax: number;
  readonly clock: Clock;
  accept(connection: Connection): void;
  /** One line for whoever comes when the house is full; the connection ends behind it. */
  refusal(): string;
}

export interface Listener {
  readonly address: string;
  readonly port: number;
  /** No new connections; those that are open go on. */
  stopAccepting(): void;
}

/** Errors: what the system says, such as EADDRINUSE. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const accept = acceptor(options);
  const socketOptions = {
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: limits.keepaliveMs,
  };
  const server: Server = options.tls
    ? createTlsServer(
        { ...options.tls, ...socketOptions, minVersion: 'TLSv1.2', handshakeTimeout: limits.loginMs },
        accept,
      )
    : createServer(socketOptions, accept);
  server.on('tlsClientError', (_error, socket: Socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('a TCP listener has an address');
  return { address: bound.address, port: bound.port, stopAccepting: () => void server.close() };
}

function acceptor({ accept, refusal, clock, connectionsMax, tls }: ListenerOptions): (socket: Socket) => void {
  const perAddress = new Map<string, number>();
  let count = 0;
  return socket => {
    const connection = new Connection(socket, tls !== undefined, clock);
    const { address } = connection;
    const here = perAddress.get(address) ?? 0;
    if (count >= connectionsMax || here >= limits.connectionsPerAddressMax * (connection.isLoopback ? 100 : 1)) {
      socket.on('error', () => undefined);
      connection.write(refusal());
      connection.lingerClose();
      return;
    }
    count++;
    perAddress.set(address, here + 1);
    socket.on('close', () => {
      count--;
      const left = (perAddress.get(address) ?? 1) - 1;
      if (left > 0) perAddress.set(address, left);
      else perAddress.delete(address);
    });
    accept(connection);
  };
}
