/**
 * The thread that computes sha256 of blobs while they arrive: from the octets themselves when they come in order, from the
 * file otherwise. It works in turns, so that one big blob does not keep the others waiting.
 */
import { createHash, type Hash as Sum } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { MIB } from '../../../shared/limits.ts';
import type { Range } from '../../../shared/ranges.ts';
import type { BlobId } from '../../hub/host.ts';
import { serveRequests } from '../worker-link.ts';
import type { HashAnswer, HashRequest } from './requests.ts';

const TURN_OCTETS = 16 * MIB;

/** Hash to here: with the last octets at hand, or from the file. */
interface Step {
  readonly to: number;
  readonly pieces: readonly Uint8Array[];
  readonly isLast: boolean;
  readonly resolve: (hash: HashAnswer | undefined) => void;
  readonly reject: (error: unknown) => void;
}

interface Work {
  readonly path: string;
  fd: number | undefined;
  sum: Sum;
  position: number;
  readonly steps: Step[];
}

const works = new Map<BlobId, Work>();
const buffer = Buffer.allocUnsafe(MIB);
let isRunning = false;

function add({ id, path }: { readonly id: BlobId; readonly path: string }, step: Omit<Step, 'resolve' | 'reject'>) {
  let work = works.get(id);
  if (!work) works.set(id, (work = { path, fd: undefined, sum: createHash('sha256'), position: 0, steps: [] }));
  const { steps } = work;
  run();
  return new Promise<HashAnswer | undefined>((resolve, reject) => steps.push({ ...step, resolve, reject }));
}

function forget(id: BlobId): void {
  const work = works.get(id);
  works.delete(id);
  if (work?.fd !== undefined) closeSync(work.fd);
  for (const step of work?.steps ?? []) step.resolve(undefined);
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
      takeSteps(id, work);
    } catch (error) {
      for (const step of work.steps.splice(0)) step.reject(error);
      forget(id);
    }
    if (work.steps.length > 0) run();
  }
}

function takeSteps(id: BlobId, work: Work): void {
  const turnEnd = work.position + TURN_OCTETS;
  for (let step = work.steps[0]; step && work.position < turnEnd; step = work.steps[0]) {
    if (!reach(work, step, turnEnd)) return;
    work.steps.shift();
    step.resolve(step.isLast ? `sha256:${work.sum.digest('hex')}` : undefined);
    if (step.isLast) forget(id);
  }
}

/** True when the step is done. */
function reach(work: Work, { to, pieces }: Step, turnEnd: number): boolean {
  if (work.position > to) Object.assign(work, { sum: createHash('sha256'), position: 0 });
  const inHand = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const fromFile = Math.min(to - inHand, turnEnd);
  while (work.position < fromFile) readSome(work, fromFile);
  if (work.position < to - inHand) return false;
  // Not so after the thread was started anew behind a part of them.
  if (work.position === to - inHand) for (const piece of pieces) work.sum.update(piece);
  work.position = to;
  return true;
}

function readSome(work: Work, end: number): void {
  work.fd ??= openSync(work.path, 'r');
  const octets = readSync(work.fd, buffer, 0, Math.min(MIB, end - work.position), work.position);
  if (octets === 0) throw new Error('a blob is shorter than was said');
  work.sum.update(buffer.subarray(0, octets));
  work.position += octets;
}

/** At once: whoever asks does so for few octets at a time. */
function hashRanges(paths: readonly string[], ranges: readonly Range[]): readonly HashAnswer[] {
  const fd = openFirst(paths);
  try {
    return ranges.map(({ start, end }) => {
      const sum = createHash('sha256');
      for (let at = start; at < end; ) {
        const octets = readSync(fd, buffer, 0, Math.min(MIB, end - at), at);
        if (octets === 0) throw new Error('a blob is shorter than was said');
        sum.update(buffer.subarray(0, octets));
        at += octets;
      }
      return `sha256:${sum.digest('hex')}` as const;
    });
  } finally {
    closeSync(fd);
  }
}

function openFirst(paths: readonly string[]): number {
  const [path, ...others] = paths;
  try {
    return openSync(path!, 'r');
  } catch (error) {
    if (others.length === 0) throw error;
    return openFirst(others);
  }
}

serveRequests<HashRequest>(request => {
  switch (request.do) {
    case 'advance':
      return add(request, { to: request.octets, pieces: [], isLast: false });
    case 'take': {
      const { pieces, offset } = request;
      const to = pieces.reduce((sum, piece) => sum + piece.length, offset);
      return add(request, { to, pieces, isLast: false });
    }
    case 'finish':
      return add(request, { to: request.octets, pieces: [], isLast: true });
    case 'ranges':
      return hashRanges(request.paths, request.ranges);
    case 'forget':
      return forget(request.id);
  }
});
