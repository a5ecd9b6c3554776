/** The FTP wire as a Fastify plugin. */
import type { FastifyInstance } from 'fastify';
import plugin from 'fastify-plugin';
import { formatReply } from '../../../shared/ftp/reply.ts';
import { loadKernelCopy } from '../../net/kernel-copy.ts';
import { Paces } from '../../net/pace.ts';
import { PassivePorts, type PortRange } from '../../net/passive-ports.ts';
import { openPorts, serviceOf, type WireOptions } from '../ports.ts';
import type { FtpContext } from './context.ts';
import { FtpConnection } from './ftp-connection.ts';
import { describeRefusal } from './refusal.ts';

export interface FtpWireOptions
  extends WireOptions<'ftp'>,
    Pick<FtpContext, 'guests' | 'clearPasswords' | 'isPrivateOnly' | 'tlsBinding' | 'masquerade'> {
  readonly tls: { readonly port: number; readonly key: string; readonly cert: string };
  readonly passivePorts: PortRange;
  /** `off`: files go through this process, also where the kernel could move them. */
  readonly acceleration: boolean;
  /** A second, for one person; 0 for no limit. */
  readonly bandwidthOctets: number;
}

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
  const serving = (isImplicit: boolean) =>
    serviceOf(options, {
      log,
      wire: 'ftp',
      serve: connection => new FtpConnection(connection, context, isImplicit),
      farewell: error => formatReply({ ...describeRefusal(error, log), code: 421 }),
    });
  const plain = serving(false);
  // TLS of this port is begun by the connections themselves: each has a context of its own, to which data connections are bound.
  const implicit = serving(true);
  openPorts(app, 'ftp', options, plain, implicit);
  app.addHook('preClose', () => context.passive.close());
}

export const ftpWire = plugin(register, { name: 'ftp-wire' });
