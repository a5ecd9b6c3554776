/** What the wires over TCP have in common as plugins: why somebody is not served, what the log hears, and how ports open and drain. */
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { HubError } from '../../shared/errors.ts';
import type { Hub } from '../hub/hub.ts';
import type { Connection } from '../net/connection.ts';
import { type Ground, type Served, Service } from '../net/service.ts';

export interface WireOptions<Name extends string> extends Ground {
  readonly hub: Hub;
  readonly port: number;
  readonly tls?: { readonly port: number; readonly key: string; readonly cert: string };
  onListening(name: Name | `${Name}-tls`, address: string, port: number): void;
}

interface Manners {
  readonly log: FastifyBaseLogger;
  /** Under which the wire view names its connections. */
  readonly wire: string;
  serve(connection: Connection): Served;
  /** The last words to somebody who is not served, in the wire's own form. */
  farewell(error: unknown): string;
}

const refusals = {
  full: () => new HubError('busy', 'too many connections; come back later'),
  'no-header': () =>
    new HubError('protocol-attack', 'connections from this address begin with a PROXY header; tell who keeps the hub'),
} as const;

export function serviceOf(ground: Ground, { log, wire, serve, farewell }: Manners): Service {
  const { clock, host, places, proxies, observer } = ground;
  return new Service({
    clock,
    host,
    places,
    wire,
    ...(observer && { observer }),
    ...(proxies && { proxies }),
    serve,
    unserved: farewell,
    refusal: why => farewell(refusals[why]()),
    misled: (address, reason) =>
      log.warn({ address, reason }, 'a connection from a trusted proxy was closed: its PROXY header cannot be used'),
    failed: error => log.warn({ err: error }, 'a connection was not accepted'),
  });
}

/** Binds before the application is ready and drains before it closes. `secured`: who serves the TLS port, where TLS is not begun by `plain`. */
export function openPorts<Name extends string>(
  app: FastifyInstance,
  name: Name,
  options: WireOptions<Name>,
  plain: Service,
  secured?: Service,
): void {
  const { port, tls, onListening } = options;
  app.addHook('onReady', async () => {
    const bound = await plain.bind(port);
    onListening(name, bound.address, bound.port);
    if (!tls) return;
    const secure = await (secured ? secured.bind(tls.port) : plain.bind(tls.port, tls));
    onListening(`${name}-tls`, secure.address, secure.port);
  });
  app.addHook('preClose', async () => {
    await Promise.all([plain.drain(), secured?.drain()]);
  });
}
