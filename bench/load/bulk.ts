/** The role that moves a big file over one connection: as the line wire wants it, as the bare copy wants it, or by the client library. */
import { createHash } from 'node:crypto';
import { type FileHandle, open as openFile, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { connect, password } from '../../client/index.ts';
import { limits, MIB } from '../../shared/limits.ts';
import { LineDecoder } from '../../shared/line/decoder.ts';
import type { FilePath } from '../../shared/names.ts';
import { open, type Tap } from './opening.ts';
import { nowMs, ownCpuMs, serveRole } from './role.ts';

export interface BulkRequest {
  readonly do: 'put' | 'get';
  readonly by: 'line' | 'bare' | 'library';
  readonly port: number;
  /** On this machine: read by `put`; written by the library's `get`, other ones throw the octets away. */
  readonly local: string;
  /** On the server; the bare copy has one file only. */
  readonly remote: string;
  readonly size: number;
  /** `sha256:…` of the content. */
  readonly hash: string;
  /** Get: the content is hashed while it comes, which costs time. */
  readonly verifies?: boolean;
}

export interface BulkAnswer {
  readonly ms: number;
  readonly cpuMs: number;
}

const buffer: Uint8Array = Buffer.allocUnsafeSlow(MIB);
const tailOctets = 1024;

/** Writes a file to a socket, one MiB read ahead of the one that is written. */
async function pour(file: FileHandle, socket: Socket): Promise<void> {
  let [current, next] = [Buffer.allocUnsafeSlow(MIB), Buffer.allocUnsafeSlow(MIB)];
  let octets = (await file.read(current, 0, MIB)).bytesRead;
  while (octets > 0) {
    const taken = new Promise(resolve => socket.write(current.subarray(0, octets), resolve));
    octets = (await file.read(next, 0, MIB)).bytesRead;
    await taken;
    [current, next] = [next, current];
  }
}

/** Resolves with the last octets as text, when `isOver` says so or the server has ended. */
function answerOf(
  tap: Tap,
  isOver: (tail: string, octets: number) => boolean,
): Promise<{ tail: string; octets: number }> {
  return new Promise(resolve => {
    let tail = '';
    let octets = 0;
    tap.take = arrived => {
      octets += arrived.length;
      tail = (tail + arrived.toString('latin1', Math.max(0, arrived.length - tailOctets))).slice(-tailOctets);
      if (isOver(tail, octets)) resolve({ tail, octets });
    };
    tap.ended = () => resolve({ tail, octets });
  });
}

async function put({ by, port, local, remote, size, hash }: BulkRequest): Promise<void> {
  const tap: Tap = { take: () => undefined, ended: () => undefined };
  const socket = await open({ port }, buffer, tap);
  const isOver = by === 'line' ? /^[+-] PUT .*\n/m : /^\d+\n/;
  const answer = answerOf(tap, tail => isOver.test(tail));
  const request = `LOGIN bench :secret\nPUT ${remote} until=fin size=${size} mode=replace\n`;
  socket.write(by === 'line' ? request : 'PUT\n');
  const file = await openFile(local);
  await pour(file, socket);
  await file.close();
  socket.end();
  const { tail } = await answer;
  socket.destroy();
  if (!tail.includes(by === 'line' ? `hash=${hash}` : `${size}\n`)) throw new Error(`put (${by}) was answered ${tail}`);
}

async function get({ by, port, remote, size, hash, verifies }: BulkRequest): Promise<void> {
  const tap: Tap = { take: () => undefined, ended: () => undefined };
  const socket = await open({ port }, buffer, tap);
  const answer = answerOf(tap, (tail, octets) => octets >= size && /^[+-] GET .*\n$/m.test(tail));
  const digest = verifies ? digestOf(tap, by) : undefined;
  socket.write(by === 'line' ? `LOGIN bench :secret\nGET ${remote}\n` : 'GET\n');
  const { tail, octets } = await answer;
  socket.destroy();
  const isWhole = by === 'line' ? tail.includes(`hash=${hash}`) : octets === size;
  if (!isWhole) throw new Error(`get (${by}) ended after ${octets} octets with ${tail.slice(-200)}`);
  if (digest && digest() !== hash) throw new Error(`get (${by}) brought another content`);
}

/** Hashes the content that comes by. */
function digestOf(tap: Tap, by: BulkRequest['by']): () => string {
  const { take } = tap;
  const digest = createHash('sha256');
  const decoder = new LineDecoder(limits);
  tap.take = octets => {
    if (by === 'bare') digest.update(octets);
    else {
      decoder.push(Buffer.from(octets));
      for (let next = decoder.next(); next; next = decoder.next()) {
        if (next.kind === 'frame') for (const piece of next.blob?.pieces ?? []) digest.update(piece);
      }
    }
    take(octets);
  };
  return () => `sha256:${digest.digest('hex')}`;
}

/** What was moved is removed afterwards, outside the time: the library moves nothing twice. Resolves with the end's time. */
async function byLibrary({ do: verb, port, local, remote, size }: BulkRequest): Promise<number> {
  const hub = await connect(`pl://bench@127.0.0.1:${port}`, { auth: password('secret') });
  const { octets } = await (verb === 'put' ? hub.put(local, remote) : hub.get(remote, local));
  const endMs = nowMs();
  await (verb === 'put' ? hub.request('RM', { path: remote as FilePath }) : rm(local));
  await hub.finish();
  if (octets !== size) throw new Error(`the library moved ${octets} of ${size} octets`);
  return endMs;
}

serveRole<BulkRequest, BulkAnswer>(async request => {
  const startMs = nowMs();
  const cpuBefore = ownCpuMs();
  if (request.by === 'library') return { ms: (await byLibrary(request)) - startMs, cpuMs: ownCpuMs() - cpuBefore };
  await (request.do === 'put' ? put(request) : get(request));
  return { ms: nowMs() - startMs, cpuMs: ownCpuMs() - cpuBefore };
});
