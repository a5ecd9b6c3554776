/** What the connections of the TELNET wire share. */
import type { FastifyBaseLogger } from 'fastify';
import type { Clock } from '../../../shared/clock.ts';
import type { Hub } from '../../hub/hub.ts';
import type { Paints } from './paints.ts';
import type { TelnetConnection } from './telnet-connection.ts';

export interface RouteQuery {
  readonly path: string;
  readonly way: 'get' | 'put';
  readonly name: string;
  readonly host: string;
}

export interface TelnetContext {
  readonly hub: Hub;
  readonly clock: Clock;
  readonly log: FastifyBaseLogger;
  readonly guests: boolean;
  readonly registration: boolean;
  readonly paints: Paints;
  /** Every other way to a file, as lines to be pasted; `host` is how the client calls this machine. */
  routes(query: RouteQuery): readonly string[];
  closed(connection: TelnetConnection): void;
}
