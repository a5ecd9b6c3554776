/** The hub's own side of a session: who it is, which rooms it hears, where its events go. */
import type { LiveRoom } from './live-rooms.ts';
import type { Origin, Person, Session, Sink } from './session.ts';

/** What is done when a session ends: one list for all sessions, since each of them would pay for its own. */
export type Endings = Set<(session: LiveSession) => void>;

export class LiveSession implements Session {
  readonly id: string;
  readonly origin: Origin;
  readonly rooms = new Set<LiveRoom>();
  readonly sinceMs: number;
  person: Person | undefined;
  /** The token it entered with. */
  token: string | undefined;
  sink: Sink | undefined;
  // Made when first asked for: most sessions never run anything that has to be aborted.
  #abort: AbortController | undefined;
  #hasEnded = false;
  readonly #endings: Endings;

  constructor(id: string, origin: Origin, sinceMs: number, endings: Endings) {
    this.id = id;
    this.sinceMs = sinceMs;
    this.origin = origin;
    this.#endings = endings;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#hasEnded) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  /** Ends it against the will of whoever sits there. */
  revoke(): void {
    const { sink } = this;
    this.end();
    sink?.revoked?.();
  }

  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.sink = undefined;
    for (const room of [...this.rooms]) room.part(this);
    for (const ending of this.#endings) ending(this);
    this.#abort?.abort();
  }
}
