/**
 * Fan-out to browsers by bare `ws`: each message sent to every socket, or with the argument `tick` what a tick brought as
 * one, which is the limit of the platform. It stores, checks and remembers nothing. Messages come as lines over a port of
 * their own.
 */
import { createServer } from 'node:http';
import { createServer as createLines, type Server } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { relay } from './relay.ts';

const server = createServer();
const sockets = new Set<WebSocket>();
new WebSocketServer({ server, perMessageDeflate: false }).on('connection', socket => {
  socket.on('error', () => undefined);
  socket.on('close', () => sockets.delete(socket));
  socket.once('message', () => {
    sockets.add(socket);
    socket.send('OK');
  });
});

const isTick = process.argv[2] === 'tick';

function send(message: Buffer): void {
  for (const socket of sockets) socket.send(message, { binary: false });
}

function broadcast(lines: Buffer): void {
  if (isTick) return send(lines);
  for (let at = 0; at < lines.length; ) {
    const end = lines.indexOf('\n', at) + 1;
    send(lines.subarray(at, end));
    at = end;
  }
}

const lines = createLines({ noDelay: true }, socket => {
  socket.on('error', () => undefined);
  socket.on('data', relay(socket, broadcast));
});

const listening = (one: Server) =>
  new Promise<number>(resolve => {
    one.listen(0, '127.0.0.1', () => {
      const bound = one.address();
      resolve(typeof bound === 'object' && bound ? bound.port : 0);
    });
  });

process.stdout.write(`listening ${await listening(server)} ${await listening(lines)}\n`);
