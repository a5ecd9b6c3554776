/** What of a local file the hub has already: its pieces beside those of the file that stands where it is to go. */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { commands } from '../shared/commands/index.ts';
import { limits, MIB } from '../shared/limits.ts';
import type { Range } from '../shared/ranges.ts';
import { PartylineError } from './errors.ts';
import { Window } from './pacing.ts';
import type { Session } from './session.ts';

/** Below, comparing takes as long as sending. */
export const deltaFromOctets = 4 * MIB;
/** Kept in one request, and requests on their way at once. */
const keepOctets = 16 * MIB;
const keepsAtOnce = 4;

export interface Digests {
  readonly pieceOctets: number;
  /** Of each piece in order. */
  readonly pieces: readonly string[];
  readonly whole: string;
}

/** Reads the file once. Errors: the signal's reason; `conflict` if it became shorter. */
export async function digestsOf(file: FileHandle, size: number, signal?: AbortSignal): Promise<Digests> {
  let pieceOctets: number = limits.chunkOctets;
  while (size / pieceOctets > limits.piecesMax) pieceOctets *= 2;
  const whole = createHash('sha256');
  const pieces: string[] = [];
  const buffer = Buffer.allocUnsafeSlow(pieceOctets);
  for (let at = 0; at < size; at += pieceOctets) {
    signal?.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, Math.min(pieceOctets, size - at), at);
    if (bytesRead < Math.min(pieceOctets, size - at))
      throw new PartylineError('conflict', 'the file became shorter while it was read');
    const piece = buffer.subarray(0, bytesRead);
    whole.update(piece);
    pieces.push(sha256(piece));
  }
  return { pieceOctets, pieces, whole: `sha256:${whole.digest('hex')}` };
}

function sha256(octets: Uint8Array): string {
  return `sha256:${createHash('sha256').update(octets).digest('hex')}`;
}

/** Octets of the new file that stand in the old one at `from`. */
interface Same extends Range {
  readonly from: number;
}

interface Keeping {
  readonly session: Session;
  readonly upload: string;
  /** The file that stands there. */
  readonly path: string;
  readonly size: number;
  readonly digests: Digests;
  /** What the upload does not hold yet. */
  readonly missing: readonly Range[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes the upload take from the file at its path what is the same; gives those ranges. Where there is no such file, or it
 * may not be read, or becomes another meanwhile, less is kept or nothing.
 */
export async function keepSame(keeping: Keeping): Promise<readonly Range[]> {
  const { session, upload, path, signal } = keeping;
  const kept: Range[] = [];
  const window = new Window(keepsAtOnce);
  const { same, hash } = await compare(keeping);
  for (const { start, end, from } of same) {
    await window.room();
    const input = { upload, from: path, offset: start, length: end - start, 'from-offset': from, 'if-hash': hash };
    const answer = session.request('KEEP', input, { signal });
    window.add(answer.then(() => void kept.push({ start, end }), unlessRefused));
  }
  await window.empty();
  return kept;
}

async function compare({ session, path, size, digests, missing, signal }: Keeping) {
  const { pieceOctets, pieces } = digests;
  const there = new Map<string, number>();
  const onRow = ({ fields }: { readonly fields: object }) => {
    const { hash, offset } = commands.PIECES.rows.parse(fields);
    if (!there.has(hash)) there.set(hash, offset);
  };
  const input = { of: path, size: pieceOctets };
  const answer = await session.request('PIECES', input, { onRow, signal }).catch(unlessRefused);
  const same: Same[] = [];
  for (const [n, hash] of pieces.entries()) {
    const start = n * pieceOctets;
    const end = Math.min(size, start + pieceOctets);
    const from = there.get(hash);
    if (from === undefined || !missing.some(hole => hole.start < end && start < hole.end)) continue;
    const last = same.at(-1);
    const goesOn = last?.end === start && last.from + (start - last.start) === from && end - last.start <= keepOctets;
    if (goesOn) same[same.length - 1] = { ...last, end };
    else same.push({ start, end, from });
  }
  return { same: answer ? same : [], hash: answer?.hash };
}

/** A hub that refuses is sent everything; a lost connection is another matter. */
function unlessRefused(error: unknown): undefined {
  if (!(error instanceof PartylineError && (error.class === 'permanent' || error.code === 'busy'))) throw error;
}
