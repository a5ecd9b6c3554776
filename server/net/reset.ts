/** Ending a TCP connection by a reset, in the one state where Node's own way leaves it open for ever too. */
import type { Socket } from 'node:net';

/**
 * RST at once; what was not delivered is lost. While our FIN is on its way from Node to the kernel, libuv refuses to reset
 * (`uv_tcp_close_reset` returns EINVAL) and Node forgets the descriptor without `close`: then the socket is destroyed.
 */
export function resetSocket(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}
