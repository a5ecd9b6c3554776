/**
 * The thread that computes sha256 of files while they travel. It reads them itself, behind what is written or sent, so
 * that the thread with the sockets never waits for it. What it is asked stands in `hash-thread.ts`.
 */
import { parentPort } from 'node:worker_threads';
import { limits } from '../shared/limits.ts';
import type { HashRequest } from './hash-thread.ts';
import { HashWalk, type Walked } from './hash-walk.ts';

const walks = new Map<number, HashWalk>();
const buffer = Buffer.allocUnsafeSlow(limits.pieceOctets);

function answer(request: HashRequest): Walked | undefined {
  if (request.do === 'forget') {
    walks.delete(request.id);
    return undefined;
  }
  const { id, fd, end, expected } = request;
  const walk = walks.get(id) ?? new HashWalk();
  walks.set(id, walk);
  return walk.walk(fd, end, expected, buffer);
}

parentPort!.on('message', ([number, request]: readonly [number, HashRequest]) => {
  try {
    parentPort!.postMessage([number, answer(request)]);
  } catch (error) {
    parentPort!.postMessage([number, undefined, error]);
  }
});
