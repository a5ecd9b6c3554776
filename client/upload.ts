/** Sending one file: small ones in one request, others in pieces of which only the missing ones are sent. */
import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { limits } from '../shared/limits.ts';
import { addRange, heldOctets, missingRanges, parseRanges, type Range } from '../shared/ranges.ts';
import type { BulkLinks } from './bulk.ts';
import { type Digests, deltaFromOctets, digestsOf, keepSame } from './delta.ts';
import { PartylineError } from './errors.ts';
import type { BulkLink } from './link.ts';
import type { LocalEntry } from './local-tree.ts';
import { rfc3339 } from './local-tree.ts';
import { Window } from './pacing.ts';
import { RunningHash } from './running-hash.ts';
import type { Session } from './session.ts';
import type { FileOptions } from './transfer-options.ts';

export interface Sent {
  readonly path: string;
  readonly size: number;
  readonly hash: string;
  readonly resumedFrom: number;
  /** With `delta`: octets that the hub had already. */
  readonly kept?: number;
}

/** Pieces on their way at once on one connection: enough to keep the server busy while one is acknowledged. */
const outstandingMax = 6;
/** Sealing a large file is one answer to wait for. */
const commitTimeoutMs = 600_000;

/** One request; the file replaces what is one's own. After a lost answer it looks first, so that no second event is made. */
export async function sendSmall(
  session: Session,
  local: LocalEntry,
  path: string,
  { signal, timeoutMs, onStep, pacer }: FileOptions,
): Promise<Sent> {
  await pacer?.pace(local.size, signal);
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
 * Over connections of its own, and other ones when they are lost. A content that changed between two attempts is sent
 * anew, once.
 */
export async function sendLarge(
  session: Session,
  bulk: BulkLinks,
  local: LocalEntry,
  path: string,
  options: FileOptions,
): Promise<Sent> {
  const file = await open(local.path);
  const isDelta = options.delta && local.size >= deltaFromOctets;
  const send = async (isFresh: boolean) => {
    if (isDelta) options.onStep?.({ phase: 'hash', path, octets: 0, total: local.size, resumedFrom: 0 });
    const digests = isDelta ? await digestsOf(file, local.size, options.signal) : undefined;
    const sending = { session, bulk, local, path, options, file, digests };
    return bulk.again(() => sendPieces(sending, isFresh), options.signal);
  };
  try {
    return await send(false).catch(error => {
      if (!(error instanceof PartylineError && error.code === 'hash-mismatch')) throw error;
      return send(true);
    });
  } finally {
    await file.close();
  }
}

interface Sending {
  readonly session: Session;
  readonly bulk: BulkLinks;
  readonly local: LocalEntry;
  readonly path: string;
  readonly options: FileOptions;
  readonly file: FileHandle;
  /** Of a file of which only what differs is sent. */
  readonly digests: Digests | undefined;
}

async function sendPieces(
  { session, bulk, local, path, options, file, digests }: Sending,
  fresh: boolean,
): Promise<Sent> {
  const { size: total } = local;
  const { signal, timeoutMs, onStep } = options;
  const begin = {
    path,
    size: total,
    mode: 'replace',
    parents: true,
    modified: rfc3339(local.modifiedMs),
    fresh,
    ...(digests && { hash: digests.whole }),
  } as const;
  const { upload, have = '', hash: known } = await session.request('PUT', begin, { signal, timeoutMs });
  if (upload === undefined && known !== undefined) {
    onStep?.({ phase: 'done', path, octets: total, total, resumedFrom: 0 });
    return { path, size: total, hash: known, resumedFrom: 0, kept: total };
  }
  if (upload === undefined) throw new PartylineError('internal', 'the server answered PUT without an upload');
  const held = parseRanges(have);
  const resumedFrom = heldOctets(held);
  const kept = digests
    ? await keepSame({ session, upload, path, size: total, digests, missing: missingRanges(held, total), signal })
    : [];
  const there = kept.reduce(addRange, held);
  const keptOctets = heldOctets(there) - resumedFrom;
  let octets = heldOctets(there);
  const tell = (phase: 'send' | 'hash' | 'commit', done: number) =>
    onStep?.({ phase, path, octets: done, total, resumedFrom });
  const pieces = missingRanges(there, total).flatMap(split);
  const hash = digests
    ? undefined
    : new RunningHash(bulk.hashes, { fd: file.fd, size: total }, () => {
        // What was held by the hub already may take longer to hash than the rest took to send.
        if (hash && octets === total && hash.position < total) tell('hash', hash.position);
      });
  try {
    const lane = async (link: BulkLink, until: AbortSignal) => {
      const sent = ({ start, end }: Range) => {
        octets += end - start;
        tell('send', octets);
      };
      await sendSome({ link, file, upload, pieces, hash, sent, options: { ...options, signal: until } });
    };
    await bulk.share(Math.min(bulk.connectionsFor(total - octets, options.parallel), pieces.length), lane, signal);
    const commit = { upload, size: total, hash: digests?.whole ?? (await hash?.whole()) };
    tell('commit', total);
    const done = await session.request('COMMIT', commit, { signal, timeoutMs: commitTimeoutMs });
    onStep?.({ phase: 'done', path, octets: total, total, resumedFrom });
    return { path: done.path, size: done.size, hash: done.hash, resumedFrom, ...(digests && { kept: keptOctets }) };
  } finally {
    await hash?.close();
  }
}

/** Where the hub's own pieces end, so that what is held is never sent twice. */
function split({ start, end }: Range): readonly Range[] {
  const pieces: Range[] = [];
  for (let at = start; at < end; ) {
    const next = Math.min(end, at - (at % limits.pieceOctets) + limits.pieceOctets);
    pieces.push({ start: at, end: next });
    at = next;
  }
  return pieces;
}

interface Lane {
  readonly link: BulkLink;
  readonly file: FileHandle;
  readonly upload: string;
  /** What is left for all lanes. */
  readonly pieces: Range[];
  readonly hash: RunningHash | undefined;
  readonly sent: (piece: Range) => void;
  readonly options: FileOptions;
}

/** Sends pieces over one connection until none is left. */
async function sendSome({ link, file, upload, pieces, hash, sent, options }: Lane): Promise<void> {
  const { signal, timeoutMs, pacer } = options;
  const window = new Window(outstandingMax);
  const spare: Buffer[] = [];
  for (let piece = pieces.shift(); piece; piece = pieces.shift()) {
    await window.room();
    signal?.throwIfAborted();
    const { start: offset, end } = piece;
    await pacer?.pace(end - offset, signal);
    const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(limits.pieceOctets);
    const blob = buffer.subarray(0, end - offset);
    await readExactly(file, blob, offset);
    hash?.advance(end);
    const taken = piece;
    const answer = link.request('CHUNK', { upload, offset }, { blob, signal, timeoutMs });
    window.add(
      answer.then(() => {
        spare.push(buffer);
        sent(taken);
      }),
    );
  }
  await window.empty();
}

/** Error: `conflict` if the file became shorter meanwhile. */
async function readExactly(file: FileHandle, into: Buffer, position: number): Promise<void> {
  for (let at = 0; at < into.length; ) {
    const { bytesRead } = await file.read(into, at, into.length - at, position + at);
    if (bytesRead === 0) throw new PartylineError('conflict', 'the file became shorter while it was sent');
    at += bytesRead;
  }
}
