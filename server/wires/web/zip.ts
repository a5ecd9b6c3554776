/** A folder as one zip, made while it is sent: contents are read from the hub when their turn comes, stored and not compressed. */
import type { ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ZipFile } from 'yazl';
import { HubError } from '../../../shared/errors.ts';
import { limits } from '../../../shared/limits.ts';
import type { Entry } from '../../../shared/model.ts';
import type { FilePath } from '../../../shared/names.ts';
import { baseName } from '../../../shared/paths.ts';
import type { Session } from '../../hub/session.ts';
import type { WebContext } from './context.ts';
import { presentationOf } from './media-types.ts';

export async function sendZip(
  context: WebContext,
  session: Session,
  folder: FilePath,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  if (folder === '/') throw new HubError('bad-argument', 'one room or folder at a time');
  const zip = new ZipFile();
  const { raw } = reply;
  const broken = (error: unknown) => {
    request.log.debug({ err: error }, 'a zip was not finished');
    raw.destroy();
  };
  zip.on('error', broken);
  let count = 0;
  for await (const { path, entry } of below(context, session, folder)) {
    if (++count > limits.treeEntriesMax) throw new HubError('too-large', 'the folder holds too much for one zip');
    const name = path.slice(folder.length + 1);
    const mtime = new Date(entry.modified ?? 0);
    if (entry.type === 'dir') zip.addEmptyDirectory(name, { mtime });
    else {
      zip.addReadStreamLazy(name, { mtime, compress: false, size: entry.size ?? 0 }, callback =>
        callback(null, contentOf(context, session, path, raw, broken)),
      );
    }
  }
  reply.headers({ ...presentationOf(`${baseName(folder)}.zip`), 'content-type': 'application/zip' });
  reply.hijack();
  raw.writeHead(200, reply.getHeaders() as Record<string, string>);
  zip.outputStream.pipe(raw);
  zip.end();
  return reply;
}

async function* below(
  context: Pick<WebContext, 'hub'>,
  session: Session,
  folder: FilePath,
): AsyncGenerator<{ readonly path: FilePath; readonly entry: Entry }> {
  const entries: Entry[] = [];
  await context.hub.execute(session, 'LS', { path: folder }, { row: fields => void entries.push(fields as Entry) });
  for (const entry of entries) {
    const path = `${folder}/${entry.name}` as FilePath;
    yield { path, entry };
    if (entry.type === 'dir') yield* below(context, session, path);
  }
}

function contentOf(
  { hub }: WebContext,
  session: Session,
  path: FilePath,
  reader: ServerResponse,
  broken: (error: unknown) => void,
): PassThrough {
  const stream = new PassThrough();
  const lost = () => void stream.destroy();
  reader.once('close', lost);
  const row = (_fields: unknown, _name?: string, octets?: Uint8Array) =>
    new Promise<void>((resolve, reject) => {
      const gone = () => reject(new HubError('cancelled', 'the connection has ended'));
      if (stream.destroyed) return gone();
      stream.once('close', gone);
      // A copy, since the hub reads the next piece into the same buffer.
      stream.write(Buffer.from(octets!), error => {
        stream.off('close', gone);
        if (error) gone();
        else resolve();
      });
    });
  const done = () => {
    reader.off('close', lost);
    stream.end();
  };
  hub.execute(session, 'GET', { path }, { row }).then(done, broken);
  return stream;
}
