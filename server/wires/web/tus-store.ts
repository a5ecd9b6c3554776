/**
 * The store that `@tus/server` sees: uploads of the hub, begun by PUT, fed by CHUNK, finished by COMMIT, and the same ones
 * that every other wire goes on with. One lives as long as one request, since it acts for who asks.
 */
import type { Readable } from 'node:stream';
import { DataStore, Upload } from '@tus/server';
import type { CommandName, OutputOf } from '../../../shared/commands/index.ts';
import { HubError } from '../../../shared/errors.ts';
import { limits } from '../../../shared/limits.ts';
import { heldPrefix, parseRanges } from '../../../shared/ranges.ts';
import type { Exchange } from '../../hub/session.ts';

type Fields = Readonly<Record<string, unknown>>;
type Ask = <N extends CommandName>(name: N, fields: Fields, content?: Exchange['content']) => Promise<OutputOf<N>>;
type Metadata = Readonly<Record<string, string | null>>;

/** What the hub knew already needs no upload: its name says only how much there is. */
const known = /^known-(\d{1,16})$/;

export class TusStore extends DataStore {
  override extensions = ['creation', 'creation-with-upload', 'termination'];
  readonly #ask: Ask;

  constructor(ask: Ask) {
    super();
    this.#ask = ask;
  }

  /** The upload's name. What an earlier attempt or another wire left of it stays. Errors: those of PUT. */
  async begin(metadata: Metadata, size: number): Promise<string> {
    const { modified, mode, sha256 } = metadata;
    const { upload } = await this.#ask('PUT', {
      path: pathIn(metadata),
      size,
      mode: mode || 'replace',
      parents: true,
      ...(modified && { modified }),
      ...(sha256 && { hash: `sha256:${sha256}` }),
    });
    return upload ?? `known-${size}`;
  }

  /** What the last answer says of the file. Errors: those of COMMIT. */
  async finish(id: string): Promise<Record<string, string>> {
    if (known.test(id)) return {};
    const { path, hash } = await this.#ask('COMMIT', { upload: id });
    return { 'Content-Location': `/files${path.split('/').map(encodeURIComponent).join('/')}`, ETag: `"${hash}"` };
  }

  /** A whole one is made a file here too: the answer to its last piece may have been lost before that. */
  override async getUpload(id: string): Promise<Upload> {
    const [, octets] = known.exec(id) ?? [];
    if (octets !== undefined) return new Upload({ id, size: Number(octets), offset: Number(octets) });
    const { size, have } = await this.#ask('OFFSET', { upload: id });
    const offset = heldPrefix(parseRanges(have));
    if (offset === size) await this.finish(id);
    return new Upload({ id, offset, ...(size !== undefined && { size }) });
  }

  /** Resolves with the new offset. What came before a connection broke is kept. */
  override async write(stream: Readable, id: string, offset: number): Promise<number> {
    let at = offset;
    let pieces: Uint8Array[] = [];
    let octets = 0;
    const flush = async () => {
      if (octets === 0) return;
      const content = { octets, pieces };
      [pieces, octets] = [[], 0];
      await this.#ask('CHUNK', { upload: id, offset: at }, content);
      at += content.octets;
    };
    try {
      for await (const piece of stream) {
        pieces.push(piece);
        octets += piece.length;
        if (octets >= limits.pieceOctets) await flush();
      }
    } finally {
      await flush();
    }
    return at;
  }

  override async remove(id: string): Promise<void> {
    if (!known.test(id)) await this.#ask('ABORT', { upload: id });
  }
}

/** `path` from the root, or under `room`; `filename` is what clients send by themselves. */
function pathIn({ path, room, filename }: Metadata): string {
  const name = path || filename;
  if (!name) throw new HubError('bad-argument', 'Upload-Metadata names path, or room and filename', { at: 'path' });
  if (name.startsWith('/')) return name;
  if (room) return `/${room}/${name}`;
  throw new HubError('bad-argument', 'Upload-Metadata names a room, or a path from the root', { at: 'room' });
}
