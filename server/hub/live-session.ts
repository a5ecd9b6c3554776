/** The hub's own side of a session: who it is, which rooms it hears, where its events go. */
import type { LiveRoom } from './live-rooms.ts';
import type { Origin, Person, Session, Sink } from './session.ts';

export class LiveSession implements Session {
  readonly id: string;
  readonly origin: Origin;
  readonly rooms = new Set<LiveRoom>();
  person: Person | undefined;
  sink: Sink | undefined;
  /** What to do when the session ends; an upload that it feeds lets go of its file. */
  readonly endings = new Set<() => void>();
  // Made when first asked for: most sessions never run anything that has to be aborted.
  #abort: AbortController | undefined;
  #hasEnded = false;

  constructor(id: string, origin: Origin) {
    this.id = id;
    this.origin = origin;
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

  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.sink = undefined;
    for (const room of [...this.rooms]) room.part(this);
    for (const ending of this.endings) ending();
    this.endings.clear();
    this.#abort?.abort();
  }
}
