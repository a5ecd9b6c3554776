/** Files on their way out, and what is known of them: RETR, and what SIZE, HASH and resuming stand on. */
import { HubError } from '../../../shared/errors.ts';
import { type Reply, reply } from '../../../shared/ftp/reply.ts';
import { heldPrefix, parseRanges } from '../../../shared/ranges.ts';
import { finishData, watchStall } from './data-connection.ts';
import type { FtpConnection } from './ftp-connection.ts';
import { DataSink, type Form } from './transfer.ts';

export interface Found {
  readonly path: string;
  readonly type: 'file' | 'dir';
  readonly size: number;
  readonly modifiedMs: number;
  readonly owner: string;
  readonly hash: string | undefined;
}

/** Errors: HubError, `no-file`. */
export async function find(ftp: FtpConnection, path: string): Promise<Found> {
  const { type, size, modified, owner, hash } = await ftp.ask('STAT', { path });
  return {
    path,
    type: type === 'dir' ? 'dir' : 'file',
    size: Number(size ?? 0),
    modifiedMs: typeof modified === 'string' ? Date.parse(modified) : 0,
    owner: typeof owner === 'string' ? owner : '-',
    hash: typeof hash === 'string' ? hash : undefined,
  };
}

export async function findFile(ftp: FtpConnection, path: string): Promise<Found> {
  const found = await find(ftp, path);
  if (found.type === 'dir') throw new HubError('no-file', `${path} is a folder`);
  return found;
}

/** Octets of an unfinished upload of one's own from its beginning on without a hole; undefined where there is none. */
export async function partialOf(ftp: FtpConnection, path: string): Promise<number | undefined> {
  let upload: unknown;
  await ftp.ask(
    'UPLOADS',
    {},
    {
      row: row => {
        if (row['path'] === path) upload = row['upload'];
      },
    },
  );
  if (typeof upload !== 'string') return undefined;
  const { have } = await ftp.ask('OFFSET', { upload });
  return heldPrefix(parseRanges(String(have ?? '')));
}

/** Where an upload to this path would go on: behind a finished file, else behind what is held; undefined for neither. */
export async function heldOf(ftp: FtpConnection, path: string): Promise<number | undefined> {
  try {
    return (await findFile(ftp, path)).size;
  } catch (error) {
    if (!(error instanceof HubError) || error.code !== 'no-file') throw error;
    return partialOf(ftp, path);
  }
}

export interface Part {
  readonly offset: number;
  readonly length: number;
}

/** What REST or RANG asked for, used up by the first command that it may be for, whatever becomes of that. */
export function takePart({ state }: FtpConnection): (size: number) => Part | undefined {
  const { restart, range } = state;
  state.restart = 0;
  state.range = undefined;
  const offset = range?.[0] ?? restart;
  // Undefined: past the end.
  return size => (offset > size ? undefined : { offset, length: Math.min(size, range ? range[1] + 1 : size) - offset });
}

export async function retrieve(ftp: FtpConnection, path: string): Promise<Reply> {
  const partOf = takePart(ftp);
  // Nothing of it, asked for as all will be: who may see a file may be kept from reading it, and hears so before 150.
  const { size } = await ftp.ask('GET', { path, length: 0 });
  const part = partOf(Number(size));
  if (!part) return reply(554, `The file ends at ${size}.`);
  const { isText } = ftp.state;
  const opening = isText ? `Sending text of ${path}.` : `Sending ${path} (${part.length} bytes).`;
  return ftp.transfer(opening, signal =>
    sendData(ftp, signal, async sink => {
      if (part.length > 0) await ftp.ask('GET', { path, ...part }, sink.exchange(signal));
    }),
  );
}

/** Opens the data connection, lets `produce` write, and closes it. Errors: HubError, NoDataConnection. */
export async function sendData(
  ftp: FtpConnection,
  signal: AbortSignal,
  produce: (sink: DataSink) => Promise<void>,
  form: Partial<Form> = {},
): Promise<Reply> {
  const { context, dataConnections, state } = ftp;
  const socket = await dataConnections.open(signal);
  const destroy = () => socket.destroy();
  signal.addEventListener('abort', destroy);
  const pace = ftp.pace(signal);
  const sink = new DataSink(
    socket,
    context,
    { ...state, ...form },
    { isSecure: dataConnections.isPrivate, took: pace.took },
  );
  const unwatch = watchStall(socket, context, () => sink.octets);
  try {
    await produce(sink);
    await sink.end();
    await finishData(socket, context);
    return reply(226, `Done: ${sink.octets} bytes.`);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    context.observer?.of(socket)?.moved(0, sink.octets);
    unwatch();
    pace.end();
    signal.removeEventListener('abort', destroy);
  }
}
