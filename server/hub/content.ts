/** Moving contents: from a file to whoever reads it, and from whoever sends it into the store. Two buffers, no stream. */
import { HubError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { Hash } from '../../shared/model.ts';
import type { Blobs, Content } from './host.ts';
import type { Exchange } from './session.ts';

/**
 * Gives the octets from `start` to `end` in order, a chunk each; the next chunk is read while `take` waits. With `takeFile`,
 * what lies in a file goes there in one.
 */
export async function readContent(
  blobs: Blobs,
  content: Content,
  start: number,
  end: number,
  take: (octets: Uint8Array, offset: number) => Promise<void>,
  takeFile?: Exchange['file'],
): Promise<void> {
  if (content.kind === 'inline') {
    if (start < end) await take(content.octets.subarray(start, end), start);
    return;
  }
  const reader = await blobs.open(content.id);
  try {
    if (takeFile && reader.fd !== undefined) return await takeFile(reader.fd, start, end);
    // Allocated per transfer, not per chunk; a zeroed page costs less than the pool that would save it.
    const octets = Math.min(limits.chunkOctets, end - start);
    const buffers = [new Uint8Array(octets), new Uint8Array(octets)] as const;
    const readAt = (at: number, turn: number) =>
      at < end ? reader.read(buffers[turn % 2]!.subarray(0, Math.min(octets, end - at)), at) : Promise.resolve(0);
    let reading = readAt(start, 0);
    for (let at = start, turn = 0; at < end; turn++) {
      const length = await reading;
      if (length === 0) throw new Error(`the blob ${content.id} is shorter than its row says`);
      reading = readAt(at + length, turn + 1);
      reading.catch(() => undefined);
      await take(buffers[turn % 2]!.subarray(0, length), at);
      at += length;
    }
    await reading;
  } finally {
    await reader.close();
  }
}

export interface Received {
  readonly content: Content;
  readonly size: number;
  readonly hash: Hash;
}

/**
 * Takes content to its end: a small one stays in memory, a larger one becomes a sealed blob. Errors: `no-space`,
 * `too-large`; whatever the sender's stream throws, with nothing kept.
 */
export async function receiveContent(blobs: Blobs, content: NonNullable<Exchange['content']>): Promise<Received> {
  const held: Uint8Array[] = [];
  let heldOctets = 0;
  let size = 0;
  let writer: Awaited<ReturnType<Blobs['create']>> | undefined;
  let syncedOctets = 0;
  let syncing: Promise<void> = Promise.resolve();
  const flush = async () => {
    writer ??= await blobs.create();
    await writer.write(size - heldOctets, held.splice(0));
    heldOctets = 0;
    writer.settled(size);
    if (size - syncedOctets < limits.uploadSyncOctets) return;
    // A little at a time: all at the end would keep the disk from everybody's messages. One that fails, fails again there.
    syncedOctets = size;
    await syncing;
    syncing = writer.sync().catch(() => undefined);
  };
  try {
    for await (const piece of content.pieces) {
      held.push(piece);
      heldOctets += piece.length;
      size += piece.length;
      if (heldOctets >= limits.pieceOctets) {
        await flush();
        if (!(await blobs.hasRoom(limits.pieceOctets))) throw new HubError('no-space');
      }
    }
    if (!writer && size <= limits.inlineOctetsMax) {
      return { content: { kind: 'inline', octets: concatenate(held, size) }, size, hash: blobs.hash(held) };
    }
    if (heldOctets > 0) await flush();
    await syncing;
    const hash = await writer!.seal(size);
    return { content: { kind: 'blob', id: writer!.id }, size, hash };
  } catch (error) {
    await syncing;
    await writer?.close().catch(() => undefined);
    if (writer) await blobs.remove(writer.id);
    throw error;
  }
}

function concatenate(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const joined = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
