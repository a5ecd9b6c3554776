/** The page that the build has made, from memory: each file as it is and compressed, with the tag by which a browser knows it. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const folder = fileURLToPath(new URL('../../../client/page/', import.meta.url));
const types: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
};

interface PageFile {
  readonly type: string;
  readonly etag: string;
  /** Coding of RFC 9110 → content. */
  readonly forms: ReadonlyMap<'br' | 'gzip' | 'identity', Buffer>;
}

/** Undefined where the page is not built. */
async function pageFile(name: string): Promise<PageFile | undefined> {
  try {
    const [identity, br, gzip] = await Promise.all(['', '.br', '.gz'].map(end => readFile(join(folder, name + end))));
    const etag = `"${createHash('sha256').update(identity!).digest('base64url').slice(0, 22)}"`;
    const forms = new Map([
      ['br', br!],
      ['gzip', gzip!],
      ['identity', identity!],
    ] as const);
    return { type: types[name]!, etag, forms };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** `/` for whoever reads HTML, and what belongs to it; others get `landing`, which says in plain text what is here. */
export async function pageFileRoutes(app: FastifyInstance, landing: () => string): Promise<void> {
  const index = await pageFile('index.html');
  app.get('/', (request, reply) => {
    reply.header('vary', 'accept, accept-encoding');
    if (index && String(request.headers.accept).includes('text/html')) return send(index, request, reply);
    return reply.type('text/plain; charset=utf-8').send(landing());
  });
  for (const name of ['page.js', 'page.css']) {
    const file = await pageFile(name);
    if (file) app.get(`/${name}`, (request, reply) => send(file, request, reply.header('vary', 'accept-encoding')));
  }
}

/** Asked for again each time, and answered with 304 until there is a new page. */
function send({ type, etag, forms }: PageFile, { headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.headers({ etag, 'cache-control': 'no-cache' });
  if (headers['if-none-match']?.includes(etag)) return reply.code(304).send();
  const accepted = String(headers['accept-encoding']);
  const coding = (['br', 'gzip'] as const).find(one =>
    new RegExp(`\\b${one}\\b(?!;\\s*q=0(?:\\.0*)?(?:,|$))`).test(accepted),
  );
  if (coding) reply.header('content-encoding', coding);
  return reply.type(type).send(forms.get(coding ?? 'identity'));
}
