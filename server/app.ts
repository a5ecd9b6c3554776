/** The Fastify application: store → hub → wires. The only place where they are put together. */
import { randomBytes } from 'node:crypto';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Clock } from '../shared/clock.ts';
import type { Certificate } from './certificate.ts';
import { createHub } from './hub/create-hub.ts';
import type { Blobs, Passwords, Store } from './hub/host.ts';
import { postOverHttp } from './net/http-post.ts';
import { Observer } from './net/observer.ts';
import { connectionsWithin, openFilesMax, Places } from './net/places.ts';
import { Proxies } from './net/proxies.ts';
import { routesTo } from './routes.ts';
import type { Settings } from './settings.ts';
import { createWireView } from './wire-view/wire-view.ts';
import { ftpWire } from './wires/ftp/index.ts';
import { lineWire } from './wires/line/index.ts';
import { telnetWire } from './wires/telnet/index.ts';
import { health } from './wires/web/health.ts';
import { webWire } from './wires/web/index.ts';

export type Listening = (name: string, address: string, port: number) => void;

export interface AppOptions {
  readonly settings: Settings;
  readonly store: Store;
  readonly blobs: Blobs;
  readonly passwords: Passwords;
  readonly clock: Clock;
  readonly certificate: Certificate;
  readonly onListening: Listening;
}

/**
 * An application whose wires are bound and which answers on HTTP, last of all. `close()` drains every wire, then the hub,
 * then closes the store. Errors: what `listen` says, such as EADDRINUSE.
 */
export async function startApp(options: AppOptions): Promise<FastifyInstance> {
  const { settings, store, clock, certificate, onListening } = options;
  const trusted = settings['trust-proxy'];
  const app = Fastify({
    logger: { level: settings['log-level'], stream: process.stderr },
    forceCloseConnections: true,
    trustProxy: trusted.length > 0 ? [...trusted] : false,
    // The drain of a wire is a hook, and has a deadline of its own.
    pluginTimeout: 0,
    // `/readyz` itself says that the server drains.
    return503OnClosing: false,
  });
  const observer = new Observer(() => clock.now(), settings['linger-close']);
  const doors = new Map<string, number>();
  const wireView = createWireView({
    observer,
    clock,
    isCapturing: settings['wire-view'] === 'capture',
    ports: () => serverPorts(doors, settings['ftp-passive-ports']),
    report: what => app.log.warn(what),
  });
  const hub = await createHub({
    name: settings['hub-name'],
    store,
    blobs: options.blobs,
    passwords: options.passwords,
    clock,
    random: { token: octets => randomBytes(octets).toString('base64url') },
    report: ({ what, error }) => app.log.error({ err: error }, what),
    ...(settings.webhooks && { post: postOverHttp }),
    ...(settings['wire-view'] !== 'off' && { wireView }),
    settings: {
      guests: settings.guests,
      clearPasswords: settings['clear-passwords'],
      registration: settings.registration,
      homeOctets: settings['home-octets'],
      personQuotaOctets: settings['person-quota-octets'],
      retentionDays: settings['retention-days'],
    },
  });
  // In front of the wires' own: they wait for what runs.
  app.addHook('preClose', async () => wireView.close());
  app.register(health, { trouble: () => store.trouble() });
  const listening: Listening = (name, address, port) => {
    doors.set(name, port);
    onListening(name, address, port);
  };
  const ground = {
    hub,
    clock,
    host: settings.host,
    guests: settings.guests,
    places: new Places(Math.min(settings['connections-max'], connectionsWithin(openFilesMax()))),
    observer,
    ...(trusted.length > 0 && { proxies: new Proxies(trusted) }),
    onListening: listening,
  };
  const { key, cert } = certificate;
  app.register(lineWire, {
    ...ground,
    port: settings['line-port'],
    tls: { port: settings['line-tls-port'], key, cert },
  });
  app.register(telnetWire, {
    ...ground,
    port: settings['telnet-port'],
    tls: { port: settings['telnet-tls-port'], key, cert },
    registration: settings.registration,
    routes: query => routesTo(doors, query),
  });
  app.register(webWire, {
    ...ground,
    tls: { port: settings['https-port'], key, cert },
    names: settings['http-names'],
    doors: () => doors,
  });
  app.register(ftpWire, {
    ...ground,
    port: settings['ftp-port'],
    tls: { port: settings['ftp-tls-port'], key, cert },
    clearPasswords: settings['clear-passwords'],
    passivePorts: settings['ftp-passive-ports'],
    tlsBinding: settings['ftp-tls-binding'],
    isPrivateOnly: settings['ftp-private'],
    acceleration: settings['ftp-acceleration'],
    bandwidthOctets: settings['ftp-bandwidth-octets'],
    masquerade: masqueradeOf(settings['ftp-masquerade']),
  });
  // Behind the wires' own `preClose`, which end every connection: what still runs then is only what nobody waits for.
  app.addHook('onClose', async () => {
    await hub.drain();
    await store.close();
  });
  try {
    await app.ready();
    await app.listen({ host: settings.host, port: settings['http-port'] });
  } catch (error) {
    await app.close();
    throw error;
  }
  const bound = app.server.address();
  if (bound !== null && typeof bound !== 'string') listening('http', bound.address, bound.port);
  return app;
}

/** What the wire view may look at: the doors that are open, and where FTP's data connections come. */
function serverPorts(doors: ReadonlyMap<string, number>, { first, last }: Settings['ftp-passive-ports']) {
  return { ports: [...doors.values()], ranges: first === 0 ? [] : ([[first, last]] as const) };
}

/** `10.0.0.0/8=10.0.0.5` … → what a client at an address is told; the first that fits holds. */
function masqueradeOf(rules: readonly string[]): (peer: string) => string | undefined {
  const parsed = rules.map(rule => {
    const [range = '', address = ''] = rule.split('=');
    return { peers: new Proxies([range]), address };
  });
  return peer => parsed.find(({ peers }) => peers.includes(peer))?.address;
}
