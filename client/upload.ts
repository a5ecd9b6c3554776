/** Sending one file: small ones in one request, others in pieces of which only the missing ones are sent. */
import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { delay } from '../shared/clock.ts';
import { commands } from '../shared/commands/index.ts';
import { limits } from '../shared/limits.ts';
import { heldOctets, missingRanges, parseRanges, type Range } from '../shared/ranges.ts';
import type { BulkLinks } from './bulk.ts';
import { clientClock } from './clock.ts';
import { PartylineError } from './errors.ts';
import type { Link } from './link.ts';
import type { LocalEntry } from './local-tree.ts';
import { rfc3339 } from './local-tree.ts';
import type { OnStep } from './progress.ts';
import type { Session } from './session.ts';

export interface Sent {
  readonly path: string;
  readonly size: number;
  readonly hash: string;
  readonly resumedFrom: number;
}

export interface SendOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  readonly onStep?: OnStep | undefined;
  readonly bytesPerSecond?: number | undefined;
}

/** Pieces on their way at once: enough to keep the server busy while one is acknowledged. */
const outstandingMax = 6;
/** Sealing a large file is one answer to wait for. */
const commitTimeoutMs = 600_000;

/** One request; the file replaces what is one's own. After a lost answer it looks first, so that no second event is made. */
export async function sendSmall(
  session: Session,
  local: LocalEntry,
  path: string,
  { signal, timeoutMs, onStep }: SendOptions,
): Promise<Sent> {
  const blob = await readFile(local.path);
  const input = { path, mode: 'replace', parents: true, modified: rfc3339(local.modifiedMs) } as const;
  const size = blob.length;
  let isRepeated = false;
  const hash = await session.persist(async () => {
    if (isRepeated && (await holds(session, path, blob))) return hashOf(blob);
    isRepeated = true;
    return (await session.request('PUT', input, { blob, signal, timeoutMs })).hash;
  }, signal);
  onStep?.({ phase: 'done', path, octets: size, total: size, resumedFrom: 0 });
  return { path, size, hash: hash ?? hashOf(blob), resumedFrom: 0 };
}

async function holds(session: Session, path: string, content: Uint8Array): Promise<boolean> {
  try {
    return (await session.request('STAT', { path })).hash === hashOf(content);
  } catch (error) {
    if (error instanceof PartylineError && error.code === 'no-file') return false;
    throw error;
  }
}

function hashOf(content: Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/**
 * Over a connection of its own, and another one when that is lost. A content that changed between two attempts is sent
 * anew, once.
 */
export async function sendLarge(
  session: Session,
  bulk: BulkLinks,
  local: LocalEntry,
  path: string,
  options: SendOptions,
): Promise<Sent> {
  const file = await open(local.path);
  const send = (isFresh: boolean) =>
    bulk.persist(link => sendPieces(session, link, file, local, path, isFresh, options), options.signal);
  try {
    return await send(false).catch(error => {
      if (!(error instanceof PartylineError && error.code === 'hash-mismatch')) throw error;
      return send(true);
    });
  } finally {
    await file.close();
  }
}

async function sendPieces(
  session: Session,
  link: Link,
  file: FileHandle,
  local: LocalEntry,
  path: string,
  isFresh: boolean,
  { signal, timeoutMs, onStep, bytesPerSecond }: SendOptions,
): Promise<Sent> {
  const total = local.size;
  const modified = rfc3339(local.modifiedMs);
  const begin = { path, size: total, mode: 'replace', parents: true, modified, fresh: isFresh } as const;
  const { upload, have = '', hash: known } = await session.request('PUT', begin, { signal, timeoutMs });
  if (upload === undefined && known !== undefined) return { path, size: total, hash: known, resumedFrom: total };
  if (upload === undefined) throw new PartylineError('internal', 'the server answered PUT without an upload');
  const held = parseRanges(have);
  const resumedFrom = heldOctets(held);
  const hash = createHash('sha256');
  const pacer = new Pacer(bytesPerSecond);
  const window = new Window(outstandingMax);
  let octets = resumedFrom;
  const tell = (phase: 'hash' | 'send' | 'commit') => onStep?.({ phase, path, octets, total, resumedFrom });
  const pieces = Math.min(outstandingMax + 1, Math.ceil(total / limits.pieceOctets));
  const spare = Array.from({ length: pieces }, () => Buffer.allocUnsafeSlow(Math.min(limits.pieceOctets, total)));
  for (let offset = 0; offset < total; offset += limits.pieceOctets) {
    signal?.throwIfAborted();
    await window.room();
    const buffer = spare.pop()!;
    const piece = buffer.subarray(0, Math.min(limits.pieceOctets, total - offset));
    await readExactly(file, piece, offset);
    hash.update(piece);
    const missing = missingIn(held, offset, offset + piece.length);
    if (missing === 0) {
      spare.push(buffer);
      tell('hash');
      continue;
    }
    await pacer.pace(piece.length);
    const sent = link.request('CHUNK', commands.CHUNK, { upload, offset }, { blob: piece, signal, timeoutMs });
    window.add(
      sent.then(() => {
        spare.push(buffer);
        octets += missing;
        tell('send');
      }),
    );
  }
  await window.empty();
  tell('commit');
  const commit = { upload, size: total, hash: `sha256:${hash.digest('hex')}` };
  const done = await session.request('COMMIT', commit, { signal, timeoutMs: commitTimeoutMs });
  onStep?.({ phase: 'done', path, octets: total, total, resumedFrom });
  return { path: done.path, size: done.size, hash: done.hash, resumedFrom };
}

function missingIn(held: readonly Range[], start: number, end: number): number {
  return missingRanges(held, end).reduce(
    (sum, range) => sum + Math.max(0, range.end - Math.max(range.start, start)),
    0,
  );
}

/** Error: `conflict` if the file became shorter meanwhile. */
async function readExactly(file: FileHandle, into: Buffer, position: number): Promise<void> {
  for (let at = 0; at < into.length; ) {
    const { bytesRead } = await file.read(into, at, into.length - at, position + at);
    if (bytesRead === 0) throw new PartylineError('conflict', 'the file became shorter while it was sent');
    at += bytesRead;
  }
}

/** At most so many promises at once; a failure is thrown at the next turn. */
export class Window {
  readonly #max: number;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(max: number) {
    this.#max = max;
  }

  add(work: Promise<unknown>): void {
    const tracked: Promise<void> = work.then(
      () => void this.#running.delete(tracked),
      error => {
        this.#failure ??= { error };
        this.#running.delete(tracked);
      },
    );
    this.#running.add(tracked);
  }

  async room(): Promise<void> {
    while (this.#running.size >= this.#max) await Promise.race(this.#running);
    if (this.#failure) throw this.#failure.error;
  }

  async empty(): Promise<void> {
    await Promise.all(this.#running);
    if (this.#failure) throw this.#failure.error;
  }
}

/** Keeps a rate by waiting before a piece. */
class Pacer {
  readonly #bytesPerSecond: number | undefined;
  #dueMs = 0;

  constructor(bytesPerSecond: number | undefined) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  async pace(octets: number): Promise<void> {
    if (this.#bytesPerSecond === undefined) return;
    const now = performance.now();
    const waitMs = this.#dueMs - now;
    this.#dueMs = Math.max(this.#dueMs, now) + (octets / this.#bytesPerSecond) * 1000;
    if (waitMs > 0) await delay(clientClock, waitMs);
  }
}
