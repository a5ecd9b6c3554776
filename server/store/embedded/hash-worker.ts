/**
 * The thread that computes sha256 of blobs while they arrive: it reads the files itself, in turns, so that one big blob
 * does not keep the others waiting.
 */
import { createHash, type Hash as Sum } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { MIB } from '../../../shared/limits.ts';
import type { BlobId } from '../../hub/host.ts';
import { serveRequests } from '../worker-link.ts';
import type { HashAnswer, HashRequest } from './requests.ts';

const TURN_OCTETS = 16 * MIB;

interface Work {
  readonly fd: number;
  sum: Sum;
  position: number;
  /** Octets from 0 that may be hashed. */
  target: number;
  finish?: { readonly resolve: (hash: HashAnswer) => void; readonly reject: (error: unknown) => void };
}

const works = new Map<BlobId, Work>();
const buffer = Buffer.allocUnsafe(MIB);
let isRunning = false;

function workOf(id: BlobId, path: string): Work {
  let work = works.get(id);
  if (!work) works.set(id, (work = { fd: openSync(path, 'r'), sum: createHash('sha256'), position: 0, target: 0 }));
  return work;
}

function forget(id: BlobId): void {
  const work = works.get(id);
  works.delete(id);
  if (work) closeSync(work.fd);
}

function finish(id: BlobId, path: string, size: number): Promise<HashAnswer> {
  return new Promise((resolve, reject) => {
    const work = workOf(id, path);
    if (work.position > size) Object.assign(work, { sum: createHash('sha256'), position: 0 });
    work.target = size;
    work.finish = { resolve, reject };
    run();
  });
}

function run(): void {
  if (isRunning) return;
  isRunning = true;
  setImmediate(turn);
}

function turn(): void {
  isRunning = false;
  for (const [id, work] of works) {
    try {
      hashSome(work);
    } catch (error) {
      work.finish?.reject(error);
      forget(id);
      continue;
    }
    if (work.position < work.target) run();
    else if (work.finish) {
      work.finish.resolve(`sha256:${work.sum.digest('hex')}`);
      forget(id);
    }
  }
}

function hashSome(work: Work): void {
  const end = Math.min(work.target, work.position + TURN_OCTETS);
  while (work.position < end) {
    const octets = readSync(work.fd, buffer, 0, Math.min(MIB, end - work.position), work.position);
    if (octets === 0) throw new Error('a blob is shorter than was said');
    work.sum.update(buffer.subarray(0, octets));
    work.position += octets;
  }
}

serveRequests<HashRequest>(request => {
  switch (request.do) {
    case 'advance': {
      const work = workOf(request.id, request.path);
      work.target = Math.max(work.target, request.octets);
      return run();
    }
    case 'finish':
      return finish(request.id, request.path, request.octets);
    case 'forget':
      return forget(request.id);
  }
});
