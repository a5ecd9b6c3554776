/** A WebSocket to a hub from Node, on a connection that was opened and whose certificate was looked at before. */
import { WebSocket } from 'ws';
import { openSocket, type TcpTarget } from './tcp.ts';
import type { SocketLike } from './web-way.ts';

export async function openWebSocket(target: TcpTarget, signal?: AbortSignal): Promise<SocketLike> {
  const socket = await openSocket(target, signal);
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  return new WebSocket(`ws://${host}:${target.port}/ws`, {
    createConnection: () => socket,
    perMessageDeflate: false,
  }) as unknown as SocketLike;
}
