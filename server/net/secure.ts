/** TLS on a connection that is there already, as its server: for protocols that switch to it in the middle (RFC 4217). */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type SecureContext, TLSSocket } from 'node:tls';
import type { Clock } from '../../shared/clock.ts';
import { limits } from '../../shared/limits.ts';

/** Resolves when the handshake is done; rejects, and the socket is gone, when it fails or takes longer than a login may. */
export function secureSocket(socket: Duplex, secureContext: SecureContext, clock: Clock): Promise<TLSSocket> {
  const secured = new TLSSocket(
    socket as Socket,
    { isServer: true, secureContext, allowHalfOpen: true } as ConstructorParameters<typeof TLSSocket>[1],
  );
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      cancel();
      socket.destroy();
      secured.destroy();
      reject(error);
    };
    const cancel = clock.after(limits.loginMs, () => fail(new Error('the handshake took too long')));
    const ended = () => fail(new Error('the connection ended in the handshake'));
    secured.once('error', fail);
    secured.once('close', ended);
    secured.once('end', ended);
    secured.once('secure', () => {
      cancel();
      secured.off('error', fail);
      secured.off('close', ended);
      secured.off('end', ended);
      secured.on('error', () => undefined);
      resolve(secured);
    });
  });
}
