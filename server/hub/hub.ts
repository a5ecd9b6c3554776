/** The hub's whole face: connect a session, execute a command for it, subscribe it to events. Knows no wire, socket or disk. */
import type { CommandName, OutputOf } from '../../shared/commands/index.ts';
import type { Exchange, Origin, Session, Sink } from './session.ts';

export interface Hub {
  readonly name: string;
  /** A new session without a person. Error: `shutting-down`. */
  connect(origin: Origin): Session;
  /**
   * Parses the input, authorises, runs, publishes; resolves when what it did is durable. `fields` are as the wire got them.
   * The synchronous part runs before `execute` returns, so calls in order begin in order. Throws only HubError for what a
   * person did; anything else is our fault.
   */
  execute<N extends CommandName>(session: Session, name: N, fields: unknown, exchange?: Exchange): Promise<OutputOf<N>>;
  /** Events of the rooms the session joined go to this sink from here on. One sink per session; undefined ends it. */
  subscribe(session: Session, sink: Sink | undefined): void;
  /** Ends the session: leaves its rooms; a guest's unfinished uploads go with it. */
  disconnect(session: Session): void;
  /** Tells every session, refuses new ones and new commands with `shutting-down`; resolves when what runs has ended. */
  drain(): Promise<void>;
}
