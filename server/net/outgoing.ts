/** A connection that this end opens: with a deadline, half-open, not flowing yet. */
import { connect, type Socket } from 'node:net';
import type { Clock } from '../../shared/clock.ts';

/** Rejects with what the system says, or when nothing answers in time. */
export function openConnection(address: string, port: number, timeoutMs: number, clock: Clock): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true });
    const cancel = clock.after(timeoutMs, () => fail(new Error('nothing answers')));
    const fail = (error: Error) => {
      cancel();
      socket.destroy();
      reject(error);
    };
    socket.once('error', fail);
    socket.once('connect', () => {
      cancel();
      socket.off('error', fail);
      socket.on('error', () => undefined);
      socket.pause();
      resolve(socket);
    });
  });
}
