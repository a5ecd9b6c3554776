/** The transport over TCP and TLS, half-open so that replies are heard behind our own FIN. Who is trusted, the caller says. */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { limits } from '../shared/limits.ts';
import { PartylineError } from './errors.ts';
import type { OpenTransport, Transport, TransportEvents } from './transport.ts';

export interface TcpTarget {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** Asked with the sha256 of the server's certificate; false refuses. */
  readonly trust: (fingerprint: string) => boolean | Promise<boolean>;
}

export function openTcp(target: TcpTarget): OpenTransport {
  return async (events, signal) => transportOf(await openSocket(target, signal), events);
}

/** Connected, and trusted where it is TLS. Errors: what the network says; `auth-failed`; the signal's reason. */
export async function openSocket(target: TcpTarget, signal?: AbortSignal): Promise<Socket> {
  signal?.throwIfAborted();
  const socket = dial(target);
  try {
    await opened(socket, target.secure ? 'secureConnect' : 'connect', signal);
    if (socket instanceof TLSSocket) await verify(socket, target);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function dial({ host, port, secure }: TcpTarget): Socket {
  const options = { host, port, allowHalfOpen: true, noDelay: true, keepAlive: true } as const;
  const raw = connectTcp({ ...options, keepAliveInitialDelay: limits.keepaliveMs });
  if (!secure) return raw;
  const socket = connectTls({ socket: raw, rejectUnauthorized: false, ...(isName(host) && { servername: host }) });
  raw.on('error', error => socket.destroy(error));
  return socket;
}

function isName(host: string): boolean {
  return !/^[\d.]+$|:/.test(host);
}

async function verify(socket: TLSSocket, { host, port, trust }: TcpTarget): Promise<void> {
  if (await trust(socket.getPeerCertificate().fingerprint256)) return;
  throw new PartylineError(
    'tls-required',
    `the certificate of ${host}:${port} is not the one that was seen first; remove it from the known hubs if that is right`,
  );
}

function opened(socket: Socket, event: 'connect' | 'secureConnect', signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      signal?.removeEventListener('abort', abort);
      if (error) reject(error);
      else resolve();
    };
    const abort = () => settle(signal?.reason as Error);
    // Stays for good: an error between opening and listening must not end the process.
    socket.on('error', settle);
    socket.once(event, () => settle());
    signal?.addEventListener('abort', abort, { once: true });
  });
}

function transportOf(socket: Socket, events: TransportEvents): Transport {
  let failure: Error | undefined;
  let isOver = false;
  const over = () => {
    if (isOver) return;
    isOver = true;
    events.end(failure);
  };
  socket.on('data', octets => events.data(octets));
  socket.on('error', error => {
    failure = error;
  });
  socket.on('end', over);
  socket.on('close', over);
  if (socket.destroyed) setImmediate(over);
  return {
    write(parts) {
      socket.cork();
      for (const part of parts) socket.write(part);
      socket.uncork();
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  };
}
