/** Files to sockets and sockets to buffers: every way of moving octets brings the same octets, and tells of every end. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type FileHandle, open, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { ownCertificate } from '../../server/certificate.ts';
import { type KernelCopy, loadKernelCopy } from '../../server/net/kernel-copy.ts';
import { Receiver } from '../../server/net/receiver.ts';
import { resetSocket } from '../../server/net/reset.ts';
import { sendFile } from '../../server/net/send-file.ts';
import { MIB } from '../../shared/limits.ts';
import { openStore } from '../support/embedded.ts';
import { testHub } from '../support/hub.ts';
import { tempDir } from '../support/temp-dir.ts';

const content = randomBytes(9 * MIB + 12_345);

interface Pair {
  readonly server: Socket;
  readonly client: Socket;
}

/** The accepted side has not been read from, as `Receiver` wants it. */
async function pair(t: Test, secure = false): Promise<Pair> {
  const { key, cert } = await ownCertificate(undefined);
  const options = { allowHalfOpen: true, pauseOnConnect: true };
  const listener = secure ? createTlsServer({ key, cert, allowHalfOpen: true }) : createServer(options);
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const accepted = once(listener, secure ? 'secureConnection' : 'connection');
  const client = secure
    ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, allowHalfOpen: true } as object as {
        port: number;
      })
    : connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const [server] = (await accepted) as [Socket | TLSSocket];
  for (const socket of [client, server]) socket.on('error', () => undefined);
  t.teardown(() => {
    client.destroy();
    server.destroy();
    listener.close();
  });
  return { server, client };
}

async function source(t: Test): Promise<FileHandle> {
  const path = `${await tempDir(t)}/source`;
  await writeFile(path, content);
  const file = await open(path);
  t.teardown(() => file.close());
  return file;
}

async function readAll(socket: Socket): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of socket) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Kernels that are in the way: whoever uses them has to find another. */
const broken: KernelCopy = { sendfile: () => 'failed' };
const alwaysFull: KernelCopy = { sendfile: () => 'full' };

t.test('a part of a file is sent octet by octet, whoever moves it', async t => {
  const kernel = await loadKernelCopy();
  t.ok(kernel, 'koffi is installed', { skip: process.platform !== 'linux' });
  const ways: readonly (readonly [name: string, secure: boolean, kernel: KernelCopy | undefined])[] = [
    ['by the kernel', false, kernel],
    ['by buffers', false, undefined],
    ['by buffers over TLS', true, kernel],
    ['where the kernel refuses', false, broken],
    ['where the kernel never has room', false, alwaysFull],
  ];
  const { fd } = await source(t);
  for (const [name, secure, mover] of ways) {
    for (const [start, end] of [
      [0, content.length],
      [MIB + 7, content.length - 3],
      [5, 5],
    ] as const) {
      const { server, client } = await pair(t, secure);
      const received = readAll(client);
      let told = 0;
      await sendFile(server, { fd, start, end }, { secure, kernel: mover, sent: octets => void (told += octets) });
      server.end();
      t.ok((await received).equals(content.subarray(start, end)), `${name}: ${start} to ${end}`);
      t.equal(told, end - start, 'all of it was told');
    }
  }
});

t.test('a transfer that cannot go on rejects, and leaves the descriptor alone', async t => {
  const kernel = await loadKernelCopy();
  const { fd } = await source(t);
  for (const mover of [kernel, undefined]) {
    const short = await pair(t);
    short.client.resume();
    const range = { fd, start: 0, end: content.length + 1 };
    await t.rejects(sendFile(short.server, range, { secure: false, kernel: mover }), { message: /shorter/ });
    for (const end of [(peer: Pair) => resetSocket(peer.client), (peer: Pair) => peer.server.destroy()]) {
      const stopped = await pair(t);
      // Nobody reads, so it waits for room.
      const sent = sendFile(stopped.server, { fd, start: 0, end: content.length }, { secure: false, kernel: mover });
      const refused = t.rejects(sent);
      await once(stopped.client, 'readable');
      end(stopped);
      await refused;
    }
  }
});

t.test('what is received comes in large buffers, however it was sent', async t => {
  for (const secure of [false, true]) {
    const { server, client } = await pair(t, secure);
    const receiver = new Receiver(server, secure);
    client.write(content.subarray(0, 100));
    client.end(content.subarray(100));
    const pieces: Buffer[] = [];
    for await (const piece of receiver) pieces.push(piece);
    t.ok(Buffer.concat(pieces).equals(content), secure ? 'over TLS' : 'plain');
    t.equal(pieces.length, 10, 'a small one first, then a MiB each');
    receiver.socket.end('heard');
    t.equal(String(await readAll(client)), 'heard', 'the other direction is open');
  }
});

t.test('a receiver that nobody empties stops reading, and goes on later', async t => {
  const { server, client } = await pair(t);
  const receiver = new Receiver(server, false);
  const big = Buffer.alloc(64 * MIB, 'x');
  const written = new Promise<void>(resolve => client.end(big, () => resolve()));
  await new Promise<void>(resolve => {
    const look = () => (receiver.socket.bytesRead >= 4 * MIB ? resolve() : void setImmediate(look));
    look();
  });
  t.ok(receiver.socket.bytesRead < 6 * MIB, 'a bounded amount is held');
  let octets = 0;
  for await (const piece of receiver) octets += piece.length;
  t.equal(octets, big.length);
  await written;
});

t.test('a reset is no end: all that came before it is given, then it is told', async t => {
  const { server, client } = await pair(t);
  const receiver = new Receiver(server, false);
  let octets = 0;
  const all = (async () => {
    for await (const piece of receiver) octets += piece.length;
  })();
  const refused = t.rejects(all, { message: /broke/ });
  client.write(content.subarray(0, 1000), () => {
    const look = () => (receiver.socket.bytesRead === 1000 ? resetSocket(client) : void setImmediate(look));
    look();
  });
  await refused;
  t.equal(octets, 1000);
});

t.test('GET gives what lies in a file as a file, and small contents in rows', async t => {
  const { store, blobs } = await openStore(t);
  const { account } = await testHub({ store, blobs });
  const ada = await account('ada');
  await ada.put('/lobby/big', Buffer.from(content));
  await ada.put('/lobby/small', 'few words');
  const got: Buffer[] = [];
  const row = (_fields: unknown, _name?: string, blob?: Uint8Array) => void got.push(Buffer.from(blob!));
  const file = async (fd: number, start: number, end: number) => {
    const { server, client } = await pair(t);
    const received = readAll(client);
    await sendFile(server, { fd, start, end }, { secure: false });
    server.end();
    got.push(await received);
  };
  for (const asks of [{ row, file }, { row }]) {
    await ada.do('GET', { path: '/lobby/big', offset: MIB, length: 2 * MIB }, asks);
    t.ok(Buffer.concat(got.splice(0)).equals(content.subarray(MIB, 3 * MIB)));
  }
  await ada.do('GET', { path: '/lobby/small', offset: 4 }, { row, file });
  t.equal(String(Buffer.concat(got)), 'words');
});
