/** The transport over TCP and TLS, half-open so that replies are heard behind our own FIN. Certificates are pinned on first use. */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { PartylineError } from './errors.ts';
import type { OpenTransport } from './transport.ts';

export interface TcpTarget {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** Asked with the sha256 of the server's certificate; false refuses. */
  readonly trust?: (fingerprint: string) => boolean | Promise<boolean>;
}

const keepaliveMs = 60_000;

export function openTcp({ host, port, secure, trust }: TcpTarget): OpenTransport {
  return async (events, signal) => {
    signal?.throwIfAborted();
    const raw = connectTcp({
      host,
      port,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepaliveMs,
    });
    const socket = secure
      ? connectTls({ socket: raw, rejectUnauthorized: false, ...(isName(host) && { servername: host }) })
      : raw;
    await opened(socket, secure ? 'secureConnect' : 'connect', signal);
    if (secure && trust && !(await trust((socket as TLSSocket).getPeerCertificate().fingerprint256))) {
      socket.destroy();
      throw new PartylineError(
        'tls-required',
        `the certificate of ${host}:${port} has changed; remove it from the known hubs if that is right`,
      );
    }
    let failure: Error | undefined;
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      events.end(failure);
    };
    socket.on('data', octets => events.data(octets));
    socket.on('drain', () => events.drain());
    socket.on('error', error => {
      failure = error;
    });
    socket.on('end', over);
    socket.on('close', over);
    return {
      write(parts) {
        socket.cork();
        let isTaken = true;
        for (const part of parts) isTaken = socket.write(part);
        socket.uncork();
        return isTaken;
      },
      pause: () => void socket.pause(),
      resume: () => void socket.resume(),
      end: () => void socket.end(),
      destroy: () => void socket.destroy(),
    };
  };
}

function isName(host: string): boolean {
  return !/^[\d.]+$|:/.test(host);
}

function opened(socket: Socket, event: 'connect' | 'secureConnect', signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      socket.off('error', settle);
      socket.off(event, done);
      signal?.removeEventListener('abort', abort);
      if (!error) return resolve();
      socket.destroy();
      reject(error);
    };
    const done = () => settle();
    const abort = () => settle(signal?.reason as Error);
    socket.once('error', settle);
    socket.once(event, done);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
