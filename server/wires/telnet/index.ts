/** The TELNET wire as a Fastify plugin. */
import type { FastifyInstance } from 'fastify';
import plugin from 'fastify-plugin';
import { HubError } from '../../../shared/errors.ts';
import { openPorts, serviceOf, type WireOptions } from '../ports.ts';
import type { TelnetContext } from './context.ts';
import { Paints } from './paints.ts';
import { TelnetConnection } from './telnet-connection.ts';

export interface TelnetWireOptions
  extends WireOptions<'telnet'>,
    Pick<TelnetContext, 'guests' | 'registration' | 'routes'> {}

async function register(app: FastifyInstance, options: TelnetWireOptions): Promise<void> {
  const log = app.log.child({ wire: 'telnet' });
  const { hub, clock, guests, registration, routes } = options;
  const context: TelnetContext = {
    hub,
    clock,
    log,
    guests,
    registration,
    routes,
    paints: new Paints(clock),
    closed: one => service.left(one),
  };
  const service = serviceOf(options, {
    log,
    wire: 'telnet',
    serve: connection => new TelnetConnection(connection, context),
    farewell: error => `${error instanceof HubError ? error.message : new HubError('internal').message}\r\n`,
  });
  openPorts(app, 'telnet', options, service);
}

export const telnetWire = plugin(register, { name: 'telnet-wire' });
