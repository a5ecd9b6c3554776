/** How long somebody may stay who does not enter, or says nothing. */
import type { Clock } from '../../../shared/clock.ts';
import { type Reply, reply } from '../../../shared/ftp/reply.ts';
import { limits } from '../../../shared/limits.ts';

interface Visitor {
  readonly isIn: boolean;
  readonly isTransferring: boolean;
  endWith(last: Reply): void;
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #visitor: Visitor;
  #cancelLogin = () => {};
  #cancelIdle = () => {};

  constructor(clock: Clock, visitor: Visitor) {
    this.#clock = clock;
    this.#visitor = visitor;
  }

  /** Commands do not lengthen it: nobody stays who does not enter. */
  awaitLogin(): void {
    this.#cancelLogin();
    this.#cancelLogin = this.#clock.after(limits.terminalLoginMs, () => {
      if (!this.#visitor.isIn) this.#visitor.endWith(reply(421, 'Nobody entered in time.'));
    });
  }

  /** A command came or was answered. While a transfer runs nobody has to say anything. */
  moved(): void {
    this.#cancelIdle();
    this.#cancelIdle = this.#clock.after(limits.controlIdleMs, () => {
      if (this.#visitor.isTransferring) this.moved();
      else if (this.#visitor.isIn) this.#visitor.endWith(reply(421, 'Nothing came for too long.'));
    });
  }

  stop(): void {
    this.#cancelLogin();
    this.#cancelIdle();
  }
}
