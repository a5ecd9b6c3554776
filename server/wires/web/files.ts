/** `/files/room/path`: GET, HEAD, PUT and DELETE of RFC 9110 with ranges and conditions, for curl, browsers and scripts. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import parseRange from 'range-parser';
import type { OutputOf } from '../../../shared/commands/index.ts';
import { HubError } from '../../../shared/errors.ts';
import type { FilePath } from '../../../shared/names.ts';
import { baseName } from '../../../shared/paths.ts';
import type { Session } from '../../hub/session.ts';
import { visitorOf, type WebContext } from './context.ts';
import { presentationOf } from './media-types.ts';
import { Outlet } from './outlet.ts';
import { sendZip } from './zip.ts';

interface FileRequest {
  Params: { '*': string };
  Querystring: Record<string, string>;
}
type Stat = OutputOf<'STAT'>;

export async function fileRoutes(app: FastifyInstance, context: WebContext): Promise<void> {
  const { hub } = context;
  app.removeAllContentTypeParsers();
  // The content is read by the hub as it comes.
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));

  app.route<FileRequest>({
    method: ['GET', 'HEAD'],
    url: '/files/*',
    exposeHeadRoute: false,
    async handler(request, reply) {
      const path = pathOf(request);
      const { session } = await visitorOf(context, request);
      const stat = await hub.execute(session, 'STAT', { path }).catch(async error => {
        // Whether one may download is asked first, as on every wire: only then is it told what is there.
        await hub.execute(session, 'GET', { path, length: 0 });
        throw error;
      });
      if (stat.type === 'file') return sendFile(context, session, stat, request, reply);
      if ('zip' in request.query) return sendZip(context, session, stat.path, request, reply);
      const rows: unknown[] = [];
      const output = await hub.execute(session, 'LS', { path }, { row: fields => void rows.push(fields) });
      return { ...output, rows };
    },
  });

  app.put<FileRequest>('/files/*', async (request, reply) => {
    const { session } = await visitorOf(context, request);
    const { 'content-length': length, 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = request.headers;
    const input = {
      path: pathOf(request),
      mode: ifNoneMatch === '*' ? 'new' : 'replace',
      ...(ifMatch !== undefined && ifMatch !== '*' && { mode: 'if-match', match: ifMatch.replaceAll('"', '') }),
      ...(length !== undefined && { size: length }),
      ...('parents' in request.query && { parents: true }),
    };
    const content = { pieces: request.raw, ...(length !== undefined && { octets: Number(length) }) };
    try {
      const output = await hub.execute(session, 'PUT', input, { content, signal: session.signal });
      return reply.code(201).header('etag', `"${output.hash}"`).send(output);
    } catch (error) {
      // What was refused is not read to its end.
      if (!request.raw.complete) reply.header('connection', 'close');
      throw error;
    }
  });

  app.delete<FileRequest>('/files/*', async request => {
    const { session } = await visitorOf(context, request);
    const path = pathOf(request);
    const { 'if-match': ifMatch } = request.headers;
    if (ifMatch !== undefined && !names(ifMatch, (await hub.execute(session, 'STAT', { path })).hash)) {
      throw new HubError('if-match');
    }
    return hub.execute(session, 'RM', { path, ...('recursive' in request.query && { recursive: true }) });
  });
}

function pathOf({ params }: FastifyRequest<FileRequest>): FilePath {
  return `/${params['*']}` as FilePath;
}

/** True if the list of entity tags holds the hash, or is `*`. */
function names(tags: string, hash: string | undefined): boolean {
  return tags.trim() === '*' || tags.split(',').some(tag => tag.trim().replace(/^W\//, '') === `"${hash}"`);
}

/** True if the reader has it already. */
function isKnown({ headers }: FastifyRequest, { hash, modified }: Stat): boolean {
  const { 'if-none-match': tags, 'if-modified-since': since } = headers;
  if (tags !== undefined) return names(tags, hash);
  return since !== undefined && modified !== undefined && Date.parse(modified) <= Date.parse(since);
}

/** The range that is asked for, `all`, or `none` of it is there. Several at once are answered with the whole. */
function rangeOf({ headers }: FastifyRequest, size: number, { hash, modified }: Stat) {
  const { range, 'if-range': ifRange } = headers;
  if (range === undefined) return 'all';
  const isSame = ifRange === undefined || ifRange === `"${hash}"` || ifRange === httpDate(modified);
  if (!isSame) return 'all';
  const ranges = parseRange(size, range);
  if (ranges === -1) return 'none';
  const [only] = ranges === -2 || ranges.type !== 'bytes' || ranges.length > 1 ? [] : ranges;
  return only ?? 'all';
}

function httpDate(time: string | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toUTCString();
}

async function sendFile(
  { hub }: WebContext,
  session: Session,
  stat: Stat,
  request: FastifyRequest<FileRequest>,
  reply: FastifyReply,
) {
  const { path, size = 0, hash, modified } = stat;
  reply.headers({ ...presentationOf(baseName(path)), 'accept-ranges': 'bytes', 'cache-control': 'private, no-cache' });
  if ('download' in request.query) reply.header('content-disposition', 'attachment');
  if (hash !== undefined) reply.header('etag', `"${hash}"`);
  if (modified !== undefined) reply.header('last-modified', httpDate(modified));
  const { 'if-match': ifMatch } = request.headers;
  if (ifMatch !== undefined && !names(ifMatch, hash)) throw new HubError('if-match');
  if (isKnown(request, stat)) return reply.code(304).send();
  const range = request.method === 'GET' ? rangeOf(request, size, stat) : 'all';
  if (range === 'none') return reply.code(416).header('content-range', `bytes */${size}`).send();
  const { start: offset, end } = range === 'all' ? { start: 0, end: size - 1 } : range;
  const length = end - offset + 1;
  reply.header('content-length', length);
  if (range !== 'all') reply.header('content-range', `bytes ${offset}-${end}/${size}`);
  const outlet = new Outlet(reply, range === 'all' ? 200 : 206);
  const input = { path, offset, length: request.method === 'HEAD' ? 0 : length, ...(hash && { 'if-hash': hash }) };
  try {
    await hub.execute(session, 'GET', input, { row: (_fields, _name, octets) => outlet.write(octets!) });
  } catch (error) {
    if (outlet.broke()) return reply;
    for (const name of ['content-length', 'content-range', 'etag', 'last-modified', 'content-disposition']) {
      reply.removeHeader(name);
    }
    throw error;
  }
  outlet.end();
  return reply;
}
