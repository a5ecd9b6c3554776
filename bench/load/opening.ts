/** A connection of the load generator: reads into one buffer that all share, and takes the opening steps of a wire. */
import { connect, type Socket } from 'node:net';
import type { Step } from './wires.ts';

export interface Target {
  readonly port: number;
  /** Loopback has many addresses, each with ports of its own. */
  readonly localAddress?: string;
}

/** Who takes what arrives; replaced as the connection's work changes. The octets are overwritten after the call. */
export interface Tap {
  take: (octets: Buffer) => void;
  ended: (reason: string) => void;
}

export const sharedBuffer = (): Uint8Array => Buffer.allocUnsafeSlow(256 * 1024);

/** Resolves when connected. */
export function open(target: Target, buffer: Uint8Array, tap: Tap): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: '127.0.0.1',
      ...target,
      noDelay: true,
      allowHalfOpen: true,
      onread: {
        buffer,
        callback: (octets, from) => {
          tap.take(Buffer.from(from.buffer, from.byteOffset, octets));
          return true;
        },
      },
    });
    socket.once('connect', () => resolve(socket));
    socket.once('error', error => {
      tap.ended(error.message);
      reject(error);
    });
    socket.once('end', () => tap.ended('the server ended the connection'));
  });
}

/** Sends each step and waits for its answer. */
export async function take(steps: readonly Step[], socket: Socket, tap: Tap): Promise<void> {
  for (const { send, until } of steps) {
    await new Promise<void>((resolve, reject) => {
      let text = '';
      tap.ended = reason => reject(new Error(`${reason} while ${JSON.stringify(until)} was awaited`));
      tap.take = octets => {
        text += octets.toString('latin1');
        if (text.includes(until)) resolve();
        text = text.slice(-until.length);
      };
      socket.write(send);
    });
  }
}
