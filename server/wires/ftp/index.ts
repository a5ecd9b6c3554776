/** The FTP wire as a Fastify plugin: binds before the application is ready, drains before it closes. */
import type { FastifyInstance } from 'fastify';
import plugin from 'fastify-plugin';
import { HubError } from '../../../shared/errors.ts';
import { formatReply, reply } from '../../../shared/ftp/reply.ts';
import type { Hub } from '../../hub/hub.ts';
import { loadKernelCopy } from '../../net/kernel-copy.ts';
import { Paces } from '../../net/pace.ts';
import { PassivePorts, type PortRange } from '../../net/passive-ports.ts';
import { type Ground, Service } from '../../net/service.ts';
import type { FtpContext } from './context.ts';
import { FtpConnection } from './ftp-connection.ts';

export interface FtpWireOptions
  extends Ground,
    Pick<FtpContext, 'guests' | 'clearPasswords' | 'isPrivateOnly' | 'tlsBinding' | 'masquerade'> {
  readonly hub: Hub;
  readonly port: number;
  readonly tls: { readonly port: number; readonly key: string; readonly cert: string };
  readonly passivePorts: PortRange;
  /** `off`: files go through this process, also where the kernel could move them. */
  readonly acceleration: boolean;
  /** A second, for one person; 0 for no limit. */
  readonly bandwidthOctets: number;
  onListening(name: 'ftp' | 'ftp-tls', address: string, port: number): void;
}

const refusals = {
  full: 'Too many connections; come back later.',
  'no-header': 'Connections from this address begin with a PROXY header; tell who keeps the hub.',
} as const;

async function register(app: FastifyInstance, options: FtpWireOptions): Promise<void> {
  const log = app.log.child({ wire: 'ftp' });
  const { hub, clock, guests, clearPasswords, isPrivateOnly, tlsBinding, masquerade, host } = options;
  const { key, cert } = options.tls;
  const context: FtpContext = {
    hub,
    clock,
    log,
    guests,
    clearPasswords,
    isPrivateOnly,
    certificate: { key, cert },
    passive: new PassivePorts(host, options.passivePorts),
    kernel: options.acceleration ? await loadKernelCopy() : undefined,
    paces: new Paces(options.bandwidthOctets, clock),
    observer: options.observer,
    tlsBinding,
    masquerade,
    closed: one => {
      for (const service of [plain, implicit]) service.left(one);
    },
  };
  const serviceOf = (isImplicit: boolean) =>
    new Service({
      ...options,
      wire: 'ftp',
      serve: connection => new FtpConnection(connection, context, isImplicit),
      unserved: error =>
        formatReply(reply(421, error instanceof HubError ? error.message : new HubError('internal').message)),
      refusal: why => formatReply(reply(421, refusals[why])),
      misled: (address, reason) =>
        log.warn({ address, reason }, 'a connection from a trusted proxy was closed: its PROXY header cannot be used'),
      failed: error => log.warn({ err: error }, 'a connection was not accepted'),
    });
  const plain = serviceOf(false);
  // TLS of this port is begun by the connections themselves: each has a context of its own, to which data connections are bound.
  const implicit = serviceOf(true);

  app.addHook('onReady', async () => {
    const { address, port } = await plain.bind(options.port);
    options.onListening('ftp', address, port);
    const secure = await implicit.bind(options.tls.port);
    options.onListening('ftp-tls', secure.address, secure.port);
  });
  app.addHook('preClose', async () => {
    await Promise.all([plain.drain(), implicit.drain()]);
    await context.passive.close();
  });
}

export const ftpWire = plugin(register, { name: 'ftp-wire' });
