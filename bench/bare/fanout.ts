/**
 * The limit of the platform for fan-out: a bare `net` server that passes what a tick brought to everybody, in one shared
 * buffer and one write each. It stores, checks and remembers nothing. First line of a receiver: JOIN.
 */
import { createServer, type Socket } from 'node:net';
import { relay } from './relay.ts';

const receivers = new Set<Socket>();

function broadcast(octets: Buffer): void {
  for (const receiver of receivers) receiver.write(octets);
}

const server = createServer({ noDelay: true }, socket => {
  socket.on('error', () => receivers.delete(socket));
  socket.on('close', () => receivers.delete(socket));
  socket.once('data', first => {
    if (first.toString('latin1').startsWith('JOIN\n')) {
      receivers.add(socket);
      socket.write('OK\n');
      return;
    }
    const take = relay(socket, broadcast);
    take(first);
    socket.on('data', take);
  });
});
server.listen(0, '127.0.0.1', () => {
  const bound = server.address();
  if (typeof bound === 'object' && bound) process.stdout.write(`listening ${bound.port}\n`);
});
