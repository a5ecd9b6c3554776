/** `/tus/`: resumable uploads by tus 1.0. The protocol is that of `@tus/server`, the upload is the hub's and `tus-store.ts` its face. */
import { type Locker, Server } from '@tus/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errors, HubError } from '../../../shared/errors.ts';
import { parseJson } from '../../../shared/web/binary.ts';
import { visitorOf, type WebContext } from './context.ts';
import { asHubError, errorBody } from './status.ts';
import { TusStore } from './tus-store.ts';

/** The hub's upload takes pieces from many at once, so that nobody waits for a connection that died silently. */
const freeForAll: Locker = { newLock: () => ({ lock: async () => undefined, unlock: async () => undefined }) };

export async function tusRoutes(app: FastifyInstance, context: WebContext): Promise<void> {
  app.removeAllContentTypeParsers();
  // The content is read by the hub as it comes.
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  const handler = (request: FastifyRequest, reply: FastifyReply) => answer(context, request, reply);
  app.route({ method: ['POST', 'OPTIONS'], url: '/tus', handler });
  app.route({ method: ['POST', 'OPTIONS', 'HEAD', 'PATCH', 'DELETE'], url: '/tus/*', exposeHeadRoute: false, handler });
}

async function answer(context: WebContext, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const session = request.method === 'OPTIONS' ? undefined : (await visitorOf(context, request)).session;
  const store = new TusStore(async (name, fields, content) => {
    if (!session) throw new HubError('auth-required');
    return context.hub.execute(session, name, fields, { signal: session.signal, ...(content && { content }) });
  });
  const server = new TusServer({
    path: '/tus',
    datastore: store,
    locker: freeForAll,
    relativeLocation: true,
    // Who is let in from elsewhere, the guard says.
    allowedOrigins: () => false,
    namingFunction: ({ headers }, metadata) => store.begin(metadata ?? {}, Number(headers.get('upload-length'))),
    onUploadFinish: async (_request, { id }) => ({ headers: await store.finish(id) }),
    onResponseError: (_request, error) => refusalOf(error, request),
  });
  const { raw } = reply;
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
  const cut = () => raw.destroy();
  session?.signal.addEventListener('abort', cut);
  try {
    await server.handle(request.raw, raw);
  } finally {
    session?.signal.removeEventListener('abort', cut);
  }
}

/** Whatever it refuses has the body that every refusal of the hub has. */
class TusServer extends Server {
  override write(...[context, headers, status, body = '']: Parameters<Server['write']>): ReturnType<Server['write']> {
    if (status < 400) return super.write(context, headers, status, body);
    headers.set('Content-Type', 'application/json');
    return super.write(context, headers, status, parseJson(body) === undefined ? told(status, body) : body);
  }
}

/** The library's own refusals keep their status, which the protocol says. */
function told(status: number, text: string): string {
  if (status === 409) {
    return JSON.stringify(
      errorBody(new HubError('conflict', 'the upload is not held up to there; HEAD says where it ends')),
    );
  }
  const code = status === 404 ? 'no-upload' : status === 413 ? 'too-large' : 'bad-argument';
  return JSON.stringify(errorBody(new HubError(code, text.trim())));
}

/** All others have that of the one table. */
function refusalOf(error: Error | { readonly status_code: number; readonly body: string }, { log }: FastifyRequest) {
  if ('status_code' in error) return undefined;
  const known = asHubError(error);
  if (!known) log.error({ err: error }, 'an upload failed');
  const refusal = known ?? new HubError('internal');
  return { status_code: errors[refusal.code].http, body: JSON.stringify(errorBody(refusal)) };
}
