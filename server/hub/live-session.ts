/** The hub's own side of a session: who it is, which rooms it hears, where its events go. */
import type { Ignored } from './ignores.ts';
import type { LiveRoom } from './live-rooms.ts';
import type { Presence } from './presence.ts';
import type { Origin, Person, Session, Sink } from './session.ts';

/** What is done when a session ends: one list for all sessions, since each of them would pay for its own. */
export type Endings = Set<(session: LiveSession) => void>;

export class LiveSession implements Session {
  readonly id: string;
  readonly origin: Origin;
  readonly rooms = new Set<LiveRoom>();
  readonly sinceMs: number;
  /** Undefined for those who ignore nobody, whom the fan-out need not look at. */
  ignores: Ignored | undefined;
  /** The token it entered with. */
  token: string | undefined;
  sink: Sink | undefined;
  // Made when first asked for: most sessions never run anything that has to be aborted.
  #abort: AbortController | undefined;
  #hasEnded = false;
  #person: Person | undefined;
  readonly #endings: Endings;
  readonly #presence: Presence;

  constructor(id: string, origin: Origin, sinceMs: number, endings: Endings, presence: Presence) {
    this.id = id;
    this.sinceMs = sinceMs;
    this.origin = origin;
    this.#endings = endings;
    this.#presence = presence;
  }

  get person(): Person | undefined {
    return this.#person;
  }

  set person(person: Person | undefined) {
    const former = this.#person;
    this.#person = person;
    this.#presence.changed(this, former);
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
