/** Hashes of pieces, computed away from the event loop and a few at a time; and uploads that take pieces of other files. */
import { HubError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { Hash } from '../../shared/model.ts';
import type { FilePath } from '../../shared/names.ts';
import type { Range } from '../../shared/ranges.ts';
import { readContent } from './content.ts';
import type { Call, Domain, Handlers } from './handlers.ts';
import type { Blobs, Content, FileRow, PrincipalId } from './host.ts';
import { demand } from './permissions.ts';
import { demandNoTranscript } from './transcripts.ts';
import { fileAt } from './tree.ts';
import type { UploadShelf } from './upload-shelf.ts';

export type PieceHandlers = Pick<Handlers, 'PIECES' | 'KEEP'>;

export function pieceHandlers(domain: Domain, shelf: UploadShelf): PieceHandlers {
  const running = new Map<PrincipalId, number>();

  /** Error: `busy`. */
  async function oneOfFew<T>(principal: PrincipalId, work: () => Promise<T>): Promise<T> {
    const count = running.get(principal) ?? 0;
    if (count >= limits.piecesAtOnceMax) throw new HubError('busy', 'you have enough hashes computed already; wait');
    running.set(principal, count + 1);
    return work().finally(() => {
      const left = running.get(principal)! - 1;
      if (left > 0) running.set(principal, left);
      else running.delete(principal);
    });
  }

  async function piecesOfFile(call: Call, path: FilePath, octets: number) {
    demand(call.person, 'download', domain.rooms.ofPath(path).rights);
    const { content, size, hash } = await downloadable(domain, path);
    const pieces = piecesOf(size, octets);
    await oneOfFew(call.person.principal, () => tellHashes(domain.blobs, call, content, pieces));
    return { size, hash, count: pieces.length };
  }

  async function piecesOfUpload(call: Call, id: string, octets: number) {
    const upload = shelf.get(id, call.person);
    const { done, size, blob } = upload.document;
    if (done) throw new HubError('conflict', `the upload is a file by now: PIECES ${upload.document.path}`);
    if (!(await upload.isAlive())) throw new HubError('no-upload', 'the upload is gone; PUT again');
    const missing = upload.missing(size ?? upload.extent);
    const pieces = piecesOf(size ?? upload.extent, octets).filter(
      ({ start, end }) => !missing.some(hole => hole.start < end && start < hole.end),
    );
    const content = { kind: 'blob', id: blob } as const;
    await oneOfFew(call.person.principal, () => tellHashes(domain.blobs, call, content, pieces));
    return { ...(size !== undefined && { size }), count: pieces.length };
  }

  return {
    async PIECES(call, { of, size }) {
      const answer = of.startsWith('/')
        ? await piecesOfFile(call, of as FilePath, size)
        : await piecesOfUpload(call, of, size);
      return { of, ...answer };
    },

    async KEEP(call, { upload: id, from, offset, length, 'from-offset': start = offset, 'if-hash': ifHash }) {
      const upload = shelf.get(id, call.person);
      const file = await downloadable(domain, from);
      if (ifHash !== undefined && ifHash !== file.hash)
        throw new HubError('if-match', `${from} is another file by now`);
      if (length > limits.keepOctetsMax)
        throw new HubError('too-large', `at most ${limits.keepOctetsMax} octets at once; KEEP them in parts`);
      if (start + length > file.size)
        throw new HubError('bad-argument', `the range ends past the end at ${file.size}`, { at: 'length' });
      upload.demandWithin(offset, length);
      shelf.fedBy(upload, call.session);
      await readContent(domain.blobs, file.content, start, start + length, async (octets, at) => {
        demandWaiting(call);
        // The buffer is filled again meanwhile.
        await upload.write(offset + at - start, [Uint8Array.from(octets)], domain.clock.now());
      });
      return { upload: id, offset, size: length };
    },
  };
}

/** Errors: `no-file`; `forbidden` for a transcript, which grows. */
async function downloadable(domain: Domain, path: FilePath): Promise<FileRow> {
  demandNoTranscript(path);
  return fileAt(domain, path);
}

/** Error: `too-large`. */
function piecesOf(size: number, octets: number): readonly Range[] {
  const count = Math.ceil(size / octets);
  if (count > limits.piecesMax)
    throw new HubError('too-large', `these are ${count} pieces, and ${limits.piecesMax} at most; say a larger size=`);
  return Array.from({ length: count }, (_, n) => ({ start: n * octets, end: Math.min(size, (n + 1) * octets) }));
}

/** Error: `cancelled` once nobody waits for the answer. */
function demandWaiting({ session, exchange }: Call): void {
  if (session.hasEnded || exchange.signal?.aborted) throw new HubError('cancelled');
}

/** A row for each piece. So much is hashed in one go that others who wait for the same thread hardly notice. */
async function tellHashes(blobs: Blobs, call: Call, content: Content, pieces: readonly Range[]): Promise<void> {
  for (let done = 0; done < pieces.length; ) {
    demandWaiting(call);
    const first = pieces[done]!;
    const atOnce = Math.max(1, Math.floor(limits.pieceOctetsMax / (first.end - first.start)));
    const some = pieces.slice(done, done + atOnce);
    const hashes = await hashesOf(blobs, content, some);
    for (const [i, { start, end }] of some.entries()) {
      await call.exchange.row?.({ offset: start, length: end - start, hash: hashes[i]! });
    }
    done += some.length;
  }
}

async function hashesOf(blobs: Blobs, content: Content, pieces: readonly Range[]): Promise<readonly Hash[]> {
  if (content.kind === 'blob') return blobs.hashesOf(content.id, pieces);
  return pieces.map(({ start, end }) => blobs.hash([content.octets.subarray(start, end)]));
}
