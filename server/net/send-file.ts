/**
 * Sends a part of an open file over a connection: by the kernel where that is possible, in bounded slices a turn, else
 * through a few large buffers that are read while others are written. Knows no protocol, and closes nothing.
 */
import { read, readSync } from 'node:fs';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import { KIB, MIB } from '../../shared/limits.ts';
import type { KernelCopy } from './kernel-copy.ts';

const readAt = promisify(read);

/** Octets of a file: from `start` to `end`, exclusive. */
export interface FileRange {
  readonly fd: number;
  readonly start: number;
  readonly end: number;
}

export interface SendOptions {
  /** The connection is encrypted, so the kernel cannot do it. */
  readonly secure: boolean;
  /** What moves octets without copying them, if there is such a thing. */
  readonly kernel?: KernelCopy | undefined;
  /** Told how many were taken since it was told last; a promise makes the transfer wait (bandwidth). */
  sent?(octets: number): void | Promise<void>;
}

/** Four of these a turn leave the others a reply within a millisecond. */
const sliceOctets = 256 * KIB;
const slicesPerTurn = 4;
/**
 * What is written as anybody writes, when the kernel's buffer is full: that it was taken says that there is room again. Small,
 * and read at once: a third of a transfer's processor time went into 64 KiB by a thread of the pool.
 */
const signalOctets = 16 * KIB;

/**
 * Resolves when the kernel has taken the last octet, and after that touches the descriptor no more; the same holds when
 * it rejects, which it does if the file is shorter or the socket fails. To give up, destroy the socket. What the peer
 * sends meanwhile is thrown away, so that its end is seen.
 */
export async function sendFile(socket: Socket, range: FileRange, options: SendOptions): Promise<void> {
  socket.resume();
  const { kernel, secure } = options;
  const start = kernel && !secure ? await sendByKernel(kernel, socket, range, options) : range.start;
  await sendByBuffers(socket, { ...range, start }, options);
}

/** Resolves with how far it came: not to the end where the kernel does not want to. */
async function sendByKernel(
  kernel: KernelCopy,
  socket: Socket,
  range: FileRange,
  { sent }: SendOptions,
): Promise<number> {
  const { fd, end } = range;
  let at = range.start;
  while (at < end) {
    // Looked up in every turn: a closed descriptor may be somebody else's in the next.
    const descriptor = descriptorOf(socket);
    if (descriptor === undefined) return at;
    const turnEnd = Math.min(end, at + slicesPerTurn * sliceOctets);
    const turnStart = at;
    let outcome: ReturnType<KernelCopy['sendfile']> = socket.writableLength > 0 ? 'full' : 1;
    while (typeof outcome === 'number' && outcome > 0 && at < turnEnd) {
      outcome = kernel.sendfile(descriptor, fd, at, Math.min(sliceOctets, turnEnd - at));
      if (typeof outcome === 'number') at += outcome;
    }
    if (at > turnStart) await sent?.(at - turnStart);
    // Ordinary reads and writes find out what is wrong, and say it.
    if (outcome === 'failed' || outcome === 0) return at;
    if (outcome !== 'full') await nextTurn();
    else {
      const signal = Buffer.allocUnsafe(Math.min(signalOctets, end - at));
      const octets = readSync(fd, signal, 0, signal.length, at);
      if (octets === 0) return at;
      await writeTo(socket, signal.subarray(0, octets));
      at += octets;
      await sent?.(octets);
    }
  }
  return at;
}

/** Undefined for what is not an open TCP connection. */
function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly fd?: number } | null };
  return !socket.destroyed && handle?.fd !== undefined && handle.fd >= 0 ? handle.fd : undefined;
}

function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}

async function sendByBuffers(socket: Socket, range: FileRange, { secure, sent }: SendOptions): Promise<void> {
  const { fd, start, end } = range;
  if (start >= end) return;
  const octetsEach = Math.min(secure ? 256 * KIB : MIB, end - start);
  const count = Math.min(secure ? 2 : 3, Math.ceil((end - start) / octetsEach));
  // Allocated per transfer: a page costs less than a pool that would save it.
  const buffers = Array.from({ length: count }, () => Buffer.allocUnsafeSlow(octetsEach));
  const written: Promise<void>[] = buffers.map(() => Promise.resolve());
  const readInto = (turn: number, at: number) =>
    readAt(fd, buffers[turn % count]!, 0, Math.min(octetsEach, end - at), at);
  let reading = readInto(0, start);
  try {
    for (let at = start, turn = 0; at < end; turn++) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) throw new Error('the file is shorter than it was');
      const wrote = writeTo(socket, buffers[turn % count]!.subarray(0, bytesRead));
      wrote.catch(() => undefined);
      written[turn % count] = wrote;
      at += bytesRead;
      await sent?.(bytesRead);
      await written[(turn + 1) % count];
      if (at < end) reading = readInto(turn + 1, at);
    }
    await Promise.all(written);
  } finally {
    await reading.catch(() => undefined);
  }
}

/** Resolves when the kernel has the octets. */
function writeTo(socket: Socket, octets: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(octets, error => (error ? reject(error) : resolve()));
  });
}
