/** The line wire as a Fastify plugin. */
import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import plugin from 'fastify-plugin';
import { HubError } from '../../../shared/errors.ts';
import { openPorts, serviceOf, type WireOptions } from '../ports.ts';
import type { LineContext } from './context.ts';
import { errorFrame } from './error-frame.ts';
import { LineConnection } from './line-connection.ts';
import { encodeEvent } from './outbox.ts';
import { Tickets } from './tickets.ts';

export interface LineWireOptions extends WireOptions<'line'> {
  readonly guests: boolean;
}

async function register(app: FastifyInstance, options: LineWireOptions): Promise<void> {
  const log = app.log.child({ wire: 'line' });
  const { hub, clock, guests } = options;
  const tickets = new Tickets(clock, () => randomBytes(12).toString('base64url'));
  const context: LineContext = { hub, clock, guests, log, tickets, closed: line => service.left(line) };
  const service = serviceOf(options, {
    log,
    wire: 'line',
    serve: connection => new LineConnection(connection, context),
    farewell(error) {
      const style = { lineEnd: '\n', form: 'words' } as const;
      const bye = encodeEvent({ event: 'BYE', reason: reasonOf(error), replies: 1 }, style);
      return errorFrame(undefined, '?', error, style, log) + bye;
    },
  });
  openPorts(app, 'line', options, service);
}

function reasonOf(error: unknown): 'revoked' | 'shutting-down' | 'failed' {
  if (!(error instanceof HubError)) return 'failed';
  if (error.code === 'banned') return 'revoked';
  return error.code === 'shutting-down' ? 'shutting-down' : 'failed';
}

export const lineWire = plugin(register, { name: 'line-wire' });
