/** `/metrics` for Prometheus: on loopback, or for an administrator. No label says a person, a room or an address. */
import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { HubError } from '../../../shared/errors.ts';
import { originOf, visitorOf, type WebContext } from './context.ts';
import type { Sockets } from './sockets.ts';

/** For the routes that are registered behind it. */
export function metricsRoutes(app: FastifyInstance, context: WebContext, sockets: Sockets): void {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const requests = new Counter({
    name: 'partyline_http_requests_total',
    help: 'HTTP requests by the class of their status',
    labelNames: ['status'],
    registers: [register],
  });
  new Gauge({
    name: 'partyline_web_sockets',
    help: 'open WebSockets',
    registers: [register],
    collect() {
      this.set(sockets.count);
    },
  });
  app.addHook('onResponse', async (_request, reply) => {
    requests.inc({ status: `${Math.floor(reply.statusCode / 100)}xx` });
  });
  app.get('/metrics', async (request, reply) => {
    if (!originOf(request).loopback) {
      const { session } = await visitorOf(context, request);
      if (!session.person?.isAdmin) throw new HubError('forbidden', 'metrics are for administrators');
    }
    return reply.type(register.contentType).send(await register.metrics());
  });
}
