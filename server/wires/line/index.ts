/** The line wire as a Fastify plugin: binds before the application is ready, drains before it closes. */
import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import plugin from 'fastify-plugin';
import { HubError } from '../../../shared/errors.ts';
import type { EventOf } from '../../../shared/events.ts';
import type { Hub } from '../../hub/hub.ts';
import { type Ground, Service } from '../../net/service.ts';
import type { LineContext } from './context.ts';
import { errorFrame } from './error-frame.ts';
import { LineConnection } from './line-connection.ts';
import { encodeEvent } from './outbox.ts';
import { Tickets } from './tickets.ts';

export interface LineWireOptions extends Ground {
  readonly hub: Hub;
  readonly port: number;
  readonly tls?: { readonly port: number; readonly key: string; readonly cert: string };
  readonly guests: boolean;
  onListening(name: 'line' | 'line-tls', address: string, port: number): void;
}

const refusals = {
  full: () => new HubError('busy', 'too many connections; come back later'),
  'no-header': () =>
    new HubError('protocol-attack', 'connections from this address begin with a PROXY header; tell who keeps the hub'),
};

async function register(app: FastifyInstance, options: LineWireOptions): Promise<void> {
  const log = app.log.child({ wire: 'line' });
  const { hub, clock, guests } = options;
  const tickets = new Tickets(clock, () => randomBytes(12).toString('base64url'));
  const context: LineContext = { hub, clock, guests, log, tickets, closed: line => service.left(line) };

  /** All that is said on a connection that is not served. */
  const farewell = (error: unknown, reason: EventOf<'BYE'>['reason']): string => {
    const style = { lineEnd: '\n', form: 'words' } as const;
    const bye = encodeEvent({ event: 'BYE', reason, replies: 1 }, style);
    return errorFrame(undefined, '?', error, style, log) + bye;
  };
  const service = new Service({
    ...options,
    wire: 'line',
    serve: connection => new LineConnection(connection, context),
    unserved(error) {
      const isBanned = error instanceof HubError && error.code === 'banned';
      return farewell(error, isBanned ? 'revoked' : 'shutting-down');
    },
    refusal: why => farewell(refusals[why](), 'failed'),
    misled: (address, reason) =>
      log.warn({ address, reason }, 'a connection from a trusted proxy was closed: its PROXY header cannot be used'),
    failed: error => log.warn({ err: error }, 'a connection was not accepted'),
  });

  app.addHook('onReady', async () => {
    const plain = await service.bind(options.port);
    options.onListening('line', plain.address, plain.port);
    if (!options.tls) return;
    const secure = await service.bind(options.tls.port, options.tls);
    options.onListening('line-tls', secure.address, secure.port);
  });
  app.addHook('preClose', () => service.drain());
}

export const lineWire = plugin(register, { name: 'line-wire' });
