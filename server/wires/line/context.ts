/** What the connections of the line wire share. */
import type { FastifyBaseLogger } from 'fastify';
import type { Clock } from '../../../shared/clock.ts';
import type { Hub } from '../../hub/hub.ts';
import type { LineConnection } from './line-connection.ts';
import type { Tickets } from './tickets.ts';

export interface LineContext {
  readonly hub: Hub;
  readonly guests: boolean;
  readonly clock: Clock;
  readonly log: FastifyBaseLogger;
  readonly tickets: Tickets;
  closed(line: LineConnection): void;
}
