/**
 * Files on their way in: an upload of the hub per path, which any wire goes on with, and which is a file when it is whole.
 * What a broken connection brought is kept for that.
 */
import { HubError } from '../../../shared/errors.ts';
import { type Reply, reply } from '../../../shared/ftp/reply.ts';
import { limits } from '../../../shared/limits.ts';
import { Receiver } from '../../net/receiver.ts';
import { watchStall } from './data-connection.ts';
import type { FtpConnection } from './ftp-connection.ts';
import { findFile, partialOf } from './retrieval.ts';
import { receive } from './transfer.ts';

export interface Upload {
  readonly path: string;
  /** Octets that are there already and stay. */
  readonly from: number;
  /** Announced by ALLO. */
  readonly octets?: number;
  /** Nothing may stand there. */
  readonly isNew?: boolean;
}

export async function receiveFile(ftp: FtpConnection, upload: Upload): Promise<Reply> {
  const { path, from } = upload;
  if (ftp.session.person?.isGuest === undefined) throw new HubError('auth-required');
  // What is held of an earlier upload would be given up for nothing.
  const { refusal } = ftp.dataConnections;
  if (refusal) return refusal;
  // Everything that can be refused is refused before the connection is opened.
  const started = await begin(ftp, upload);
  if (typeof started !== 'string') return started;
  // Whoever did not choose the name reads it here (RFC 1123 §4.1.2.9).
  const described = from > 0 ? `Receiving ${path} from ${from} on.` : `Receiving ${path}.`;
  const opening = upload.isNew ? `FILE: ${path}` : described;
  return ftp.transfer(opening, signal => receiveInto(ftp, started, upload, signal));
}

/** The upload's name, or why not. */
async function begin(ftp: FtpConnection, { path, from, octets, isNew }: Upload): Promise<string | Reply> {
  const mode = isNew ? 'new' : 'replace';
  const put = async (more: Readonly<Record<string, unknown>>) => {
    const { upload } = await ftp.ask('PUT', { path, mode, ...more });
    return String(upload);
  };
  if (from === 0) return put({ fresh: true, ...(octets !== undefined && { size: octets }) });
  const size = await fileSize(ftp, path);
  if (size !== undefined) {
    if (from > size) return reply(554, `The file ends at ${size}.`);
    const upload = await put({ fresh: true });
    for (let offset = 0; offset < from; offset += limits.keepOctetsMax) {
      const length = Math.min(limits.keepOctetsMax, from - offset);
      await ftp.ask('KEEP', { upload, from: path, offset, length });
    }
    return upload;
  }
  const held = (await partialOf(ftp, path)) ?? 0;
  if (from > held) return reply(554, `${held} octets are held.`);
  return put({});
}

async function fileSize(ftp: FtpConnection, path: string): Promise<number | undefined> {
  try {
    return (await findFile(ftp, path)).size;
  } catch (error) {
    if (error instanceof HubError && error.code === 'no-file') return undefined;
    throw error;
  }
}

async function receiveInto(ftp: FtpConnection, upload: string, asked: Upload, signal: AbortSignal): Promise<Reply> {
  const { context, dataConnections, state } = ftp;
  const { isPrivate } = dataConnections;
  const opened = await dataConnections.openForUpload(signal);
  const receiver = new Receiver(opened.socket, isPrivate);
  const { socket } = receiver;
  context.observer?.handedOver(opened.socket, socket);
  const destroy = () => socket.destroy();
  signal.addEventListener('abort', destroy);
  const unwatch = watchStall(socket, context);
  const pace = ftp.pace(signal);
  let offset = asked.from;
  try {
    for await (const octets of receive(receiver, state)) {
      // The store may hand the buffer on to another thread: afterwards it has no length.
      const { length } = octets;
      await ftp.ask('CHUNK', { upload, offset }, { content: { octets: length, pieces: [octets] } });
      offset += length;
      await pace.took(length);
    }
    // Before our own end: a client that waits for it may answer with its own.
    if (!opened.isWhole() && offset !== asked.octets)
      throw new HubError('cancelled', 'the TLS of the data connection was cut before its end');
    socket.end();
    await settle(ftp);
    // A client that was killed closes both connections: what looks like the end of the file is none.
    if (ftp.isForsaken) throw new HubError('cancelled', 'the control connection ended during the upload');
    if (asked.octets !== undefined && offset < asked.octets) {
      throw new HubError('cancelled', `${offset} of ${asked.octets} octets came; what is held can be gone on with`);
    }
    const { path, size, hash } = await ftp.ask('COMMIT', { upload, size: offset });
    return reply(226, `Stored ${path}: ${size} bytes, ${hash}.`);
  } finally {
    socket.destroySoon();
    unwatch();
    pace.end();
    signal.removeEventListener('abort', destroy);
  }
}

/** The end of the control connection may stand behind that of the data connection in the same turn. */
async function settle({ context }: FtpConnection): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise<void>(resolve => context.clock.soon(resolve));
}
