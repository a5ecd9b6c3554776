/** Tickets with which further connections act for a session: good once, for a minute, from the same address over the same kind of link. */
import type { Clock } from '../../../shared/clock.ts';
import { HubError } from '../../../shared/errors.ts';
import { limits } from '../../../shared/limits.ts';
import type { LineConnection } from './line-connection.ts';

interface Ticket {
  readonly owner: LineConnection;
  readonly until: number;
}

export class Tickets {
  readonly #clock: Clock;
  readonly #token: () => string;
  readonly #open = new Map<string, Ticket>();

  constructor(clock: Clock, token: () => string) {
    this.#clock = clock;
    this.#token = token;
  }

  issue(owner: LineConnection): string {
    const now = this.#clock.now();
    for (const [name, ticket] of this.#open) if (ticket.until < now) this.#open.delete(name);
    const name = `t_${this.#token()}`;
    this.#open.set(name, { owner, until: now + limits.ticketMs });
    return name;
  }

  /** The connection that owns the session. Error: `auth-failed`. */
  redeem(name: string, line: LineConnection): LineConnection {
    const ticket = this.#open.get(name);
    this.#open.delete(name);
    const isGood =
      ticket !== undefined &&
      ticket.until >= this.#clock.now() &&
      ticket.owner.isOpen &&
      ticket.owner.connection.address === line.connection.address &&
      ticket.owner.connection.secure === line.connection.secure;
    if (!isGood)
      throw new HubError('auth-failed', 'the ticket is used, too old, or not for this address; ask TICKET again');
    return ticket.owner;
  }
}
