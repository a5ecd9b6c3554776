/**
 * Opens a TCP or TLS connection the way tests want it: half-open stays open, small writes leave at once, certificates
 * are not checked. It is not the product's way to connect.
 */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface Target {
  readonly port: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  readonly tls?: boolean;
  /** Our own address, to come from another place of 127.0.0.0/8. */
  readonly localAddress?: string;
}

/**
 * Resolves when connected, over TLS after its handshake; rejects with the system's or OpenSSL's error. The socket's
 * `resetAndDestroy` works over TLS too, where Node refuses it.
 */
export const dial = async ({ port, host = '127.0.0.1', tls = false, localAddress }: Target): Promise<Socket> => {
  const raw = connectTcp({ port, host, allowHalfOpen: true, noDelay: true, ...(localAddress && { localAddress }) });
  await once(raw, 'connect');
  if (!tls) return raw;
  const secure = connectTls({ socket: raw, rejectUnauthorized: false });
  secure.resetAndDestroy = () => {
    raw.resetAndDestroy();
    return secure;
  };
  await once(secure, 'secureConnect');
  return secure;
};
