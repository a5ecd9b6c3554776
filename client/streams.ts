/** Files of the hub as Node's streams: reading a range, writing to a path that becomes a file when the stream has ended. */
import { Readable, Writable } from 'node:stream';
import { limits } from '../shared/limits.ts';
import type { BulkLinks } from './bulk.ts';
import { octetsOf, type Row } from './request.ts';
import type { Session } from './session.ts';

export interface ReadRange {
  /** First octet; default 0. */
  readonly start?: number;
  /** Last octet, inclusive as in `fs.createReadStream`. */
  readonly end?: number;
}

/** Reads ahead by one chunk; what follows waits in the server. */
export function createReadStream(
  session: Session,
  bulk: BulkLinks,
  path: string,
  { start = 0, end }: ReadRange = {},
): Readable {
  const stop = new AbortController();
  const { signal } = stop;
  let at = start;
  let resume: (() => void) | undefined;
  const onRow = ({ blob }: Row) => {
    at += blob?.octets ?? 0;
    if (stream.push(octetsOf(blob))) return;
    return new Promise<void>(resolve => {
      resume = resolve;
    });
  };
  const pour = async () => {
    // The rest after a lost connection must be of the same content.
    const { hash } = await session.request('STAT', { path }, { signal });
    await bulk.persist(async link => {
      if (end !== undefined && at > end) return;
      const input = { path, offset: at, 'if-hash': hash, ...(end !== undefined && { length: end - at + 1 }) };
      await link.request('GET', input, { onRow, signal });
    }, signal);
  };
  let isStarted = false;
  const stream = new Readable({
    highWaterMark: limits.chunkOctets,
    read() {
      resume?.();
      if (isStarted) return;
      isStarted = true;
      pour().then(
        () => stream.push(null),
        error => stream.destroy(error),
      );
    },
    destroy(error, done) {
      stop.abort(error ?? new Error('the stream was destroyed'));
      resume?.();
      done(error);
    },
  });
  return stream;
}

/** One piece is under way at a time, on a connection for bulk. */
export function createWriteStream(session: Session, bulk: BulkLinks, path: string): Writable {
  let upload: string | undefined;
  let offset = 0;
  const begin = { path, mode: 'replace', parents: true, fresh: true } as const;
  const send = async (octets: Uint8Array) => {
    upload ??= (await session.persist(() => session.request('PUT', begin))).upload!;
    for (let at = 0; at < octets.length; at += limits.pieceOctets) {
      const blob = octets.subarray(at, at + limits.pieceOctets);
      await bulk.persist(link => link.request('CHUNK', { upload, offset }, { blob }));
      offset += blob.length;
    }
  };
  const settle = (work: Promise<unknown>, done: (error?: Error | null) => void) => {
    work.then(() => done(), done);
  };
  return new Writable({
    highWaterMark: limits.pieceOctets,
    write: (octets: Buffer, _encoding, done) => settle(send(octets), done),
    writev: (parts, done) => settle(send(Buffer.concat(parts.map(part => part.chunk as Buffer))), done),
    final: done =>
      settle(
        send(new Uint8Array(0)).then(() => session.request('COMMIT', { upload: upload!, size: offset })),
        done,
      ),
    destroy: (error, done) => {
      if (!error || upload === undefined) return done(error);
      session.request('ABORT', { upload }).then(
        () => done(error),
        () => done(error),
      );
    },
  });
}
