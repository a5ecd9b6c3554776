/** What the connections of the FTP wire share. */
import type { FastifyBaseLogger } from 'fastify';
import type { Clock } from '../../../shared/clock.ts';
import type { Hub } from '../../hub/hub.ts';
import type { KernelCopy } from '../../net/kernel-copy.ts';
import type { Observer } from '../../net/observer.ts';
import type { Paces } from '../../net/pace.ts';
import type { PassivePorts } from '../../net/passive-ports.ts';
import type { FtpConnection } from './ftp-connection.ts';

export interface FtpContext {
  readonly hub: Hub;
  readonly clock: Clock;
  readonly log: FastifyBaseLogger;
  readonly guests: boolean;
  /** Passwords may come in clear from other hosts. */
  readonly clearPasswords: boolean;
  readonly certificate: { readonly key: string; readonly cert: string };
  readonly passive: PassivePorts;
  readonly paces: Paces;
  readonly observer?: Observer | undefined;
  readonly kernel?: KernelCopy | undefined;
  /** No login and no data connection in clear. */
  readonly isPrivateOnly: boolean;
  /** Data connections under TLS: whether they must be resumed from the control connection's own session. */
  readonly tlsBinding: 'off' | 'prefer' | 'require';
  /** What a client at this address is told to connect to, where it is not the address that it reached. */
  masquerade(peer: string): string | undefined;
  closed(connection: FtpConnection): void;
}
