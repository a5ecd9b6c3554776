/** `/healthz`: the process answers. `/readyz`: it takes work, or says why not. */
import type { FastifyInstance } from 'fastify';
import plugin from 'fastify-plugin';

export interface HealthOptions {
  /** Why the server takes no work or not all of it, or undefined. */
  trouble(): string | undefined;
}

async function register(app: FastifyInstance, { trouble }: HealthOptions): Promise<void> {
  let isDraining = false;
  app.addHook('preClose', async () => {
    isDraining = true;
  });
  app.get('/healthz', { logLevel: 'warn' }, async () => ({ status: 'ok' }));
  app.get('/readyz', { logLevel: 'warn' }, async (_request, reply) => {
    const reason = isDraining ? 'shutting-down' : trouble();
    if (reason === undefined) return { status: 'ready' };
    return reply.code(503).send({ status: 'not ready', reason });
  });
}

export const health = plugin(register, { name: 'health' });
