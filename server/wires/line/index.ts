/** The line wire as a Fastify plugin: binds before the application is ready, drains before it closes. */
import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import plugin from 'fastify-plugin';
import type { Clock } from '../../../shared/clock.ts';
import { HubError } from '../../../shared/errors.ts';
import type { EventOf } from '../../../shared/events.ts';
import { limits } from '../../../shared/limits.ts';
import type { Hub } from '../../hub/hub.ts';
import type { Connection } from '../../net/connection.ts';
import { type Listener, listen } from '../../net/listener.ts';
import type { Places } from '../../net/places.ts';
import type { Proxies } from '../../net/proxies.ts';
import type { LineContext } from './context.ts';
import { errorFrame } from './error-frame.ts';
import { LineConnection } from './line-connection.ts';
import { encodeEvent } from './outbox.ts';
import { Tickets } from './tickets.ts';

export interface LineWireOptions {
  readonly hub: Hub;
  readonly clock: Clock;
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly port: number; readonly key: string; readonly cert: string };
  readonly guests: boolean;
  /** Open at once, on each port. */
  readonly places: Places;
  readonly proxies?: Proxies;
  onListening(name: 'line' | 'line-tls', address: string, port: number): void;
}

/** The connections that are open, and how they all end. */
class Lines {
  readonly context: LineContext;
  readonly #open = new Set<LineConnection>();
  #drained: (() => void) | undefined;

  constructor({ hub, clock, guests }: LineWireOptions, log: LineContext['log']) {
    const tickets = new Tickets(clock, () => randomBytes(12).toString('base64url'));
    const closed = (line: LineConnection) => {
      this.#open.delete(line);
      if (this.#open.size === 0) this.#drained?.();
    };
    this.context = { hub, clock, guests, log, tickets, closed };
  }

  readonly accept = (connection: Connection): void => {
    try {
      if (this.#drained) throw new HubError('shutting-down');
      this.#open.add(new LineConnection(connection, this.context));
    } catch (error) {
      const isBanned = error instanceof HubError && error.code === 'banned';
      connection.write(this.farewell(error, isBanned ? 'revoked' : 'shutting-down'));
      connection.lingerClose();
    }
  };

  /** All that is said on a connection that is not served. */
  farewell(error: unknown, reason: EventOf<'BYE'>['reason']): string {
    const style = { lineEnd: '\n', form: 'words' } as const;
    const bye = encodeEvent({ event: 'BYE', reason, replies: 1 }, style);
    return errorFrame(undefined, '?', error, style, this.context.log) + bye;
  }

  /** Resolves when every connection is gone; what runs after `drainMs` is cut. */
  async drain(): Promise<void> {
    const gone = new Promise<void>(resolve => {
      this.#drained = resolve;
    });
    if (this.#open.size === 0) return;
    for (const line of this.#open) line.finish('shutting-down');
    const cancel = this.context.clock.after(limits.drainMs, () => {
      for (const line of this.#open) line.connection.reset();
    });
    await gone;
    cancel();
  }
}

const refusals = {
  full: () => new HubError('busy', 'too many connections; come back later'),
  'no-header': () =>
    new HubError('protocol-attack', 'connections from this address begin with a PROXY header; tell who keeps the hub'),
};

async function register(app: FastifyInstance, options: LineWireOptions): Promise<void> {
  const log = app.log.child({ wire: 'line' });
  const lines = new Lines(options, log);
  const listeners: Listener[] = [];
  const { host, clock, places, proxies } = options;
  const refusal = (why: 'full' | 'no-header') => lines.farewell(refusals[why](), 'failed');
  const misled = (address: string, reason: string) =>
    log.warn({ address, reason }, 'a connection from a trusted proxy was closed: its PROXY header cannot be used');
  const failed = (error: Error) => log.warn({ err: error }, 'a connection was not accepted');
  const { accept } = lines;
  const bind = async (name: 'line' | 'line-tls', port: number, tls?: { key: string; cert: string }) => {
    const rules = { host, port, places, clock, accept, refusal, misled, failed, ...(proxies && { proxies }) };
    const listener = await listen(tls ? { ...rules, tls } : rules);
    listeners.push(listener);
    options.onListening(name, listener.address, listener.port);
  };

  app.addHook('onReady', async () => {
    await bind('line', options.port);
    if (options.tls) await bind('line-tls', options.tls.port, options.tls);
  });
  app.addHook('preClose', async () => {
    for (const listener of listeners) listener.stopAccepting();
    await lines.drain();
  });
}

export const lineWire = plugin(register, { name: 'line-wire' });
