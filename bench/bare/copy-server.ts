/**
 * The limit of the platform for files: a bare `net` server. `PUT` and a line end: the rest up to FIN goes into the file in
 * writes of 1 MiB, is synced and answered with the number of octets. `GET`: the file in reads of 1 MiB. `PING`: `PONG`.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';

const MIB = 1024 * 1024;
const heldOctetsMax = 4 * MIB;
const path = process.argv[2] ?? '';

async function receive(socket: Socket, first: Buffer): Promise<void> {
  socket.pause();
  const file = await open(path, 'w');
  let pieces: Buffer[] = first.length > 0 ? [first] : [];
  let held = first.length;
  let written = 0;
  let writing: Promise<void> | undefined;
  const write = async () => {
    while (held >= MIB) {
      const batch = pieces;
      pieces = [];
      held = 0;
      written += (await file.writev(batch)).bytesWritten;
      if (socket.isPaused()) socket.resume();
    }
    writing = undefined;
  };
  socket.on('data', (octets: Buffer) => {
    pieces.push(octets);
    held += octets.length;
    if (held >= MIB) writing ??= write();
    if (held >= heldOctetsMax) socket.pause();
  });
  const ended = new Promise(resolve => socket.once('end', resolve));
  socket.resume();
  await ended;
  await writing;
  if (held > 0) written += (await file.writev(pieces)).bytesWritten;
  await file.datasync();
  await file.close();
  socket.end(`${written}\n`);
}

async function send(socket: Socket): Promise<void> {
  const file = await open(path, 'r');
  let [current, next] = [Buffer.allocUnsafeSlow(MIB), Buffer.allocUnsafeSlow(MIB)];
  let octets = await readInto(file, current);
  while (octets > 0) {
    const taken = new Promise<void>(resolve => socket.write(current.subarray(0, octets), () => resolve()));
    octets = await readInto(file, next);
    await taken;
    [current, next] = [next, current];
  }
  await file.close();
  socket.end();
}

async function readInto(file: FileHandle, buffer: Buffer): Promise<number> {
  return (await file.read(buffer, 0, buffer.length)).bytesRead;
}

const server = createServer({ noDelay: true, allowHalfOpen: true }, socket => {
  const fail = () => socket.destroy();
  socket.on('error', fail);
  socket.once('data', first => {
    const verb = first.toString('latin1', 0, 4);
    if (verb === 'PUT\n') void receive(socket, first.subarray(4)).catch(fail);
    else if (verb === 'GET\n') void send(socket).catch(fail);
    else {
      socket.write('PONG\n');
      socket.on('data', () => socket.write('PONG\n')).on('end', () => socket.end());
    }
  });
});
server.listen(0, '127.0.0.1', () => {
  const bound = server.address();
  if (typeof bound === 'object' && bound) process.stdout.write(`listening ${bound.port}\n`);
});
