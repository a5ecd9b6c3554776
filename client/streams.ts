/** Files of the hub as Node's streams: reading a range, writing to a path that becomes a file when the stream has ended. */
import { Readable, Writable } from 'node:stream';
import { commands } from '../shared/commands/index.ts';
import { limits } from '../shared/limits.ts';
import { octetsOf } from './link.ts';
import type { Session } from './session.ts';
import type { BulkLinks } from './tree.ts';

export interface ReadRange {
  /** First octet; default 0. */
  readonly start?: number;
  /** Last octet, inclusive as in `fs.createReadStream`. */
  readonly end?: number;
}

export function createReadStream(bulk: BulkLinks, path: string, { start = 0, end }: ReadRange = {}): Readable {
  const stop = new AbortController();
  let resume: (() => void) | undefined;
  let isStarted = false;
  const stream = new Readable({
    highWaterMark: limits.chunkOctets,
    read() {
      resume?.();
      if (isStarted) return;
      isStarted = true;
      const input = { path, offset: start, ...(end !== undefined && { length: end - start + 1 }) };
      const onRow = ({ blob }: { blob: Parameters<typeof octetsOf>[0] }) => {
        if (stream.push(octetsOf(blob))) return;
        return new Promise<void>(resolve => {
          resume = resolve;
        });
      };
      bulk
        .use(link => link.request('GET', commands.GET, input, { onRow, signal: stop.signal }), stop.signal)
        .then(
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

/** `close` comes only after COMMIT: then the file is safe and seen. */
export function createWriteStream(session: Session, path: string): Writable {
  let upload: string | undefined;
  let offset = 0;
  const send = async (octets: Uint8Array) => {
    upload ??= (await session.request('PUT', { path, mode: 'replace', parents: true, fresh: true })).upload!;
    for (let at = 0; at < octets.length; at += limits.pieceOctets) {
      const piece = octets.subarray(at, at + limits.pieceOctets);
      await session.request('CHUNK', { upload, offset }, { blob: piece });
      offset += piece.length;
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
