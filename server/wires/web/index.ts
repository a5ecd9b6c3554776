/** The web wire as a Fastify plugin: commands, files, pages and sockets over HTTP, and the same over TLS on a port of its own. */
import { createServer } from 'node:https';
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import plugin from 'fastify-plugin';
import type { Clock } from '../../../shared/clock.ts';
import { HubError } from '../../../shared/errors.ts';
import { limits } from '../../../shared/limits.ts';
import type { Hub } from '../../hub/hub.ts';
import type { Observer } from '../../net/observer.ts';
import type { Places } from '../../net/places.ts';
import type { Proxies } from '../../net/proxies.ts';
import { commandRoutes } from './commands.ts';
import type { WebContext } from './context.ts';
import { asyncApi, openApi } from './describe.ts';
import { fileRoutes } from './files.ts';
import { demandOwnSite } from './guard.ts';
import { metricsRoutes } from './metrics.ts';
import { pageRoutes } from './pages.ts';
import { Sockets } from './sockets.ts';
import { answerError } from './status.ts';
import { tusRoutes } from './tus.ts';
import { Visitors } from './visitors.ts';

export interface WebWireOptions {
  readonly hub: Hub;
  readonly clock: Clock;
  readonly host: string;
  readonly tls?: { readonly port: number; readonly key: string; readonly cert: string };
  readonly names: readonly string[];
  readonly observer?: Observer | undefined;
  readonly places: Places;
  readonly proxies?: Proxies;
  doors(): ReadonlyMap<string, number>;
  onListening(name: 'https', address: string, port: number): void;
}

async function register(app: FastifyInstance, options: WebWireOptions): Promise<void> {
  const { hub, clock, names, doors, places, proxies, observer } = options;
  const visitors = new Visitors(hub, clock);
  const context: WebContext = { hub, clock, names, places, proxies, observer, visitors };
  const sockets = new Sockets(context, app.log.child({ wire: 'web' }));
  await app.register(cookie);
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: policy },
    // Where people come without TLS, it would lock them out of every other port of the machine.
    strictTransportSecurity: false,
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
  });
  await app.register(rateLimit, {
    max: limits.requestsPerMinuteMax,
    timeWindow: '1 minute',
    errorResponseBuilder: (_request, { ttl }) =>
      new HubError('rate-limited', undefined, { retry: Math.ceil(ttl / 1000) }),
  });
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error: { code: 'no-file', text: 'there is nothing here; / says what there is' } }),
  );
  if (observer) observe(app, observer);
  app.addHook('onRequest', async request => demandOwnSite(request.raw as never, names));
  app.addHook('onResponse', async request => request.visitor?.leave());
  // An answer that was cut off has no response to Fastify.
  app.addHook('onRequest', async (request, { raw }) => void raw.once('close', () => request.visitor?.leave()));
  metricsRoutes(app, context, sockets);
  await app.register(async scope => commandRoutes(scope, context));
  await app.register(async scope => fileRoutes(scope, context));
  await app.register(async scope => tusRoutes(scope, context));
  await app.register(async scope => pageRoutes(scope, { hub: hub.name, doors }));
  // Made when somebody asks: most hubs are never asked.
  const made = new Map<string, unknown>();
  for (const [path, describe] of [
    ['/openapi.json', openApi],
    ['/asyncapi.json', asyncApi],
  ] as const) {
    app.get(path, () => {
      if (!made.has(path)) made.set(path, describe(hub.name));
      return made.get(path);
    });
  }

  const secured = options.tls && createServer({ key: options.tls.key, cert: options.tls.cert }, app.routing);
  for (const server of secured ? [app.server, secured] : [app.server]) {
    server.on('upgrade', (request, socket, head) => sockets.upgrade(request, socket, head));
  }
  app.server.on('connection', socket => observer?.opened('web', socket, false));
  secured?.on('secureConnection', socket => observer?.opened('web', socket, true));
  app.addHook('onReady', async () => {
    if (!secured || !options.tls) return;
    const { port } = options.tls;
    await new Promise<void>((resolve, reject) => {
      secured.once('error', reject).listen({ host: options.host, port }, () => resolve());
    });
    const bound = secured.address();
    if (bound !== null && typeof bound !== 'string') options.onListening('https', bound.address, bound.port);
  });
  app.addHook('preClose', async () => {
    secured?.close();
    await sockets.drain();
    context.visitors.close();
    secured?.closeAllConnections();
  });
}

/** Requests and answers without what is asked behind the path, which may be a secret, and without their bodies. */
function observe(app: FastifyInstance, observer: Observer): void {
  app.addHook('onRequest', async ({ raw }) => {
    const tap = observer.of(raw.socket)?.tap;
    tap?.message('client', `${raw.method} ${raw.url?.replace(/\?.*/s, '?…')} HTTP/${raw.httpVersion}`);
  });
  app.addHook('onResponse', async ({ raw }, reply) => {
    observer.of(raw.socket)?.tap?.message('server', `HTTP/${raw.httpVersion} ${reply.statusCode}`);
  });
}

const policy = {
  'default-src': ["'self'"],
  'img-src': ["'self'", 'blob:', 'data:'],
  'media-src': ["'self'", 'blob:'],
  'object-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
};

export const webWire = plugin(register, { name: 'web-wire' });
