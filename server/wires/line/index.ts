/** The line wire as a Fastify plugin: binds before the application is ready, drains before it closes. */
import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import plugin from 'fastify-plugin';
import type { Clock } from '../../../shared/clock.ts';
import { HubError } from '../../../shared/errors.ts';
import { limits } from '../../../shared/limits.ts';
import { formatFrame } from '../../../shared/line/grammar.ts';
import type { Hub } from '../../hub/hub.ts';
import type { Connection } from '../../net/connection.ts';
import { type Listener, listen } from '../../net/listener.ts';
import { errorFrame } from './error-frame.ts';
import { LineConnection } from './line-connection.ts';
import { Tickets } from './tickets.ts';

export interface LineWireOptions {
  readonly hub: Hub;
  readonly clock: Clock;
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly port: number; readonly key: string; readonly cert: string };
  readonly guests: boolean;
  readonly connectionsMax: number;
  onListening(name: 'line' | 'line-tls', address: string, port: number): void;
}

async function register(app: FastifyInstance, options: LineWireOptions): Promise<void> {
  const { hub, clock, host, connectionsMax } = options;
  const log = app.log.child({ wire: 'line' });
  const lines = new Set<LineConnection>();
  const listeners: Listener[] = [];
  let drained: (() => void) | undefined;
  const context = {
    hub,
    hubName: hub.name,
    guests: options.guests,
    clock,
    log,
    tickets: new Tickets(clock, () => randomBytes(12).toString('base64url')),
    closed(line: LineConnection) {
      lines.delete(line);
      if (lines.size === 0) drained?.();
    },
  };
  const style = { lineEnd: '\n', form: 'words' } as const;
  const refusal = () => {
    const error = new HubError('busy', 'too many connections; come back later');
    const bye = formatFrame({ marker: '*', name: 'BYE', fields: { reason: 'shutting-down', replies: 1 } }, style);
    return errorFrame(undefined, '?', error, style, log) + bye;
  };
  const accept = (connection: Connection) => {
    try {
      lines.add(new LineConnection(connection, context));
    } catch {
      connection.lingerClose();
    }
  };
  const bind = async (name: 'line' | 'line-tls', port: number, tls?: { key: string; cert: string }) => {
    const listener = await listen({ host, port, ...(tls && { tls }), connectionsMax, clock, accept, refusal });
    listeners.push(listener);
    options.onListening(name, listener.address, listener.port);
  };

  app.addHook('onReady', async () => {
    await bind('line', options.port);
    if (options.tls) await bind('line-tls', options.tls.port, options.tls);
  });
  app.addHook('preClose', async () => {
    for (const listener of listeners) listener.stopAccepting();
    if (lines.size === 0) return;
    const gone = new Promise<void>(resolve => {
      drained = resolve;
    });
    for (const line of lines) line.finish('shutting-down');
    const cancel = clock.after(limits.drainMs, () => {
      for (const line of lines) line.connection.reset();
    });
    await gone;
    cancel();
  });
}

export const lineWire = plugin(register, { name: 'line-wire' });
