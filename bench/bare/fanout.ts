/**
 * The limit of the platform for fan-out: a bare `net` server that passes what a tick brought to everybody, in one shared
 * buffer and one write each. It stores, checks and remembers nothing. First line of a receiver: JOIN.
 */
import { createServer, type Socket } from 'node:net';

const LF = 10;
const receivers = new Set<Socket>();

function broadcast(octets: Buffer): void {
  for (const receiver of receivers) receiver.write(octets);
}

/** Passes on whole lines of one turn and answers each with a line of its own. */
function relay(socket: Socket): (octets: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let gathered: Buffer[] = [];
  const flush = () => {
    const all = Buffer.concat([rest, ...gathered]);
    gathered = [];
    const end = all.lastIndexOf(LF) + 1;
    rest = all.subarray(end);
    if (end === 0) return;
    let lines = 0;
    for (let at = all.indexOf(LF); at >= 0 && at < end; at = all.indexOf(LF, at + 1)) lines++;
    broadcast(all.subarray(0, end));
    socket.write('+\n'.repeat(lines));
  };
  return octets => {
    gathered.push(octets);
    if (gathered.length === 1) setImmediate(flush);
  };
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
    const take = relay(socket);
    take(first);
    socket.on('data', take);
  });
});
server.listen(0, '127.0.0.1', () => {
  const bound = server.address();
  if (typeof bound === 'object' && bound) process.stdout.write(`listening ${bound.port}\n`);
});
