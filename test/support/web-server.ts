/** The web wire in this process over a hub in memory: HTTP and HTTPS on free ports. */
import Fastify, { type FastifyInstance } from 'fastify';
import type { Test } from 'tap';
import { ownCertificate } from '../../server/certificate.ts';
import type { Hub } from '../../server/hub/hub.ts';
import { Places } from '../../server/net/places.ts';
import { Proxies } from '../../server/net/proxies.ts';
import { systemClock } from '../../server/net/system-clock.ts';
import { webWire } from '../../server/wires/web/index.ts';
import { type TestHub, testHub } from './hub.ts';

export interface BoundWeb {
  readonly app: FastifyInstance;
  readonly ports: { readonly http: number; readonly https: number };
}

export interface WebServerOptions {
  readonly places?: Places;
  /** Addresses whose X-Forwarded headers are believed. */
  readonly proxies?: readonly string[];
}

/** The accounts `cleo`, `dora` and `admin`, an administrator, have the password `secret`. Ends with the test. */
export async function serveWeb(t: Test, options: WebServerOptions = {}): Promise<BoundWeb & TestHub> {
  const people = await testHub({ name: 'den' });
  for (const name of ['cleo', 'dora', 'admin']) people.hub.disconnect((await people.account(name)).session);
  return { ...people, ...(await bindWeb(t, people.hub, options)) };
}

/** Ends with the test. */
export async function bindWeb(t: Test, hub: Hub, options: WebServerOptions = {}): Promise<BoundWeb> {
  const { places = new Places(10_000), proxies } = options;
  const { key, cert } = await ownCertificate(undefined);
  let https = 0;
  const app = Fastify({ logger: false, forceCloseConnections: true, trustProxy: proxies ? [...proxies] : false });
  await app.register(webWire, {
    hub,
    clock: systemClock,
    host: '127.0.0.1',
    tls: { port: 0, key, cert },
    names: ['hub.example'],
    places,
    ...(proxies && { proxies: new Proxies(proxies) }),
    doors: () => new Map([['http', 7080]]),
    onListening: (_name, _address, port) => {
      https = port;
    },
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(() => app.close());
  const bound = app.server.address();
  if (bound === null || typeof bound === 'string') throw new Error('a TCP listener has an address');
  return { app, ports: { http: bound.port, https } };
}
