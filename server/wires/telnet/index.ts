/** The TELNET wire as a Fastify plugin: binds before the application is ready, drains before it closes. */
import type { FastifyInstance } from 'fastify';
import plugin from 'fastify-plugin';
import { HubError } from '../../../shared/errors.ts';
import type { Hub } from '../../hub/hub.ts';
import { type Ground, Service } from '../../net/service.ts';
import type { TelnetContext } from './context.ts';
import { TelnetConnection } from './telnet-connection.ts';

export interface TelnetWireOptions extends Ground, Pick<TelnetContext, 'guests' | 'registration' | 'routes'> {
  readonly hub: Hub;
  readonly port: number;
  readonly tls?: { readonly port: number; readonly key: string; readonly cert: string };
  onListening(name: 'telnet' | 'telnet-tls', address: string, port: number): void;
}

const refusals = {
  full: 'too many connections; come back later',
  'no-header': 'connections from this address begin with a PROXY header; tell who keeps the hub',
} as const;

async function register(app: FastifyInstance, options: TelnetWireOptions): Promise<void> {
  const log = app.log.child({ wire: 'telnet' });
  const { hub, clock, guests, registration, routes } = options;
  const context: TelnetContext = { hub, clock, log, guests, registration, routes, closed: one => service.left(one) };
  const service = new Service({
    ...options,
    wire: 'telnet',
    serve: connection => new TelnetConnection(connection, context),
    unserved: error => `${error instanceof HubError ? error.message : new HubError('internal').message}\r\n`,
    refusal: why => `${refusals[why]}\r\n`,
    misled: (address, reason) =>
      log.warn({ address, reason }, 'a connection from a trusted proxy was closed: its PROXY header cannot be used'),
    failed: error => log.warn({ err: error }, 'a connection was not accepted'),
  });

  app.addHook('onReady', async () => {
    const plain = await service.bind(options.port);
    options.onListening('telnet', plain.address, plain.port);
    if (!options.tls) return;
    const secure = await service.bind(options.tls.port, options.tls);
    options.onListening('telnet-tls', secure.address, secure.port);
  });
  app.addHook('preClose', () => service.drain());
}

export const telnetWire = plugin(register, { name: 'telnet-wire' });
