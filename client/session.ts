/**
 * A person's session over links that may break: signs in, comes back with patience, joins its rooms again where they were
 * left, and repeats only what is safe to repeat. Free of anything that only Node has.
 */
import { delay } from '../shared/clock.ts';
import type { HubEvent } from '../shared/events.ts';
import { isRefusal, signIn } from './entering.ts';
import { OfflineError, PartylineError, TruncatedError } from './errors.ts';
import { JoinedRooms } from './joined-rooms.ts';
import { type BulkLink, borrowed, type Link } from './link.ts';
import type { RequestOptions, Row, Values } from './request.ts';
import { Room } from './room.ts';
import type { Change, JoinOptions, SessionOptions, State } from './session-options.ts';
import type { Verb, VerbInput, VerbOutput } from './verbs.ts';
import { WaitingRoom } from './waiting-room.ts';

/** A link that held for so long was a good one: patience begins anew. */
const goodLinkMs = 10_000;
/** Failures in a row beside a session that is up, each within a second, before they are told. */
const quickFailuresMax = 10;

export class Session {
  readonly #options: SessionOptions;
  readonly #rooms = new JoinedRooms();
  readonly #watchers = new Set<(change: Change) => void>();
  #link: Link | undefined;
  #state: State = 'connecting';
  readonly #waiting: WaitingRoom;
  #tries = 0;
  #upSinceMs = 0;
  #failure: Error | undefined;
  #ids = 0;
  readonly #idPrefix: string;
  readonly #stop = new AbortController();

  private constructor(options: SessionOptions) {
    this.#options = options;
    this.#waiting = new WaitingRoom(options.clock);
    const random = crypto.getRandomValues(new Uint32Array(2));
    this.#idPrefix = [...random].map(number => number.toString(36)).join('');
  }

  /** Connected and signed in. Errors: what opening says; PartylineError when the name or secret is refused. */
  static async start(options: SessionOptions, signal?: AbortSignal): Promise<Session> {
    const session = new Session(options);
    await session.#connect(signal);
    return session;
  }

  get state(): State {
    return this.#state;
  }

  /** Called for every change until the returned function is. */
  watch(watcher: (change: Change) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** A word that no other request of this session has: makes SAY safe to repeat. */
  nextId(): string {
    return `${this.#idPrefix}.${(++this.#ids).toString(36)}`;
  }

  /** Typed by the command table. Errors: PartylineError, TruncatedError, OfflineError, the signal's reason. */
  async request<V extends Verb>(verb: V, input: VerbInput<V>, options: RequestOptions = {}): Promise<VerbOutput<V>> {
    const { table } = this.#options;
    const values = input as Values;
    const octets = 100 + (options.blob?.length ?? String(values['text'] ?? '').length);
    const once = async () => {
      const link = await this.#ready(octets, options.signal);
      const fields = await link.request(verb, values, options);
      try {
        return table.answer(verb, fields) as VerbOutput<V>;
      } catch (cause) {
        throw new PartylineError('internal', `the server answered ${verb} with other fields`, { cause });
      }
    };
    // Rows that were given away already cannot be taken back.
    return table.isRepeatable(verb, values) && !options.onRow ? this.persist(once, options.signal) : once();
  }

  /** All rows of a reading command; asked again from the start when the connection is lost on the way. */
  list<V extends Verb>(verb: V, input: VerbInput<V>, options: RequestOptions = {}): Promise<readonly Row[]> {
    return this.persist(async () => {
      const rows: Row[] = [];
      await this.request(verb, input, { ...options, onRow: row => void rows.push(row) });
      return rows;
    }, options.signal);
  }

  /**
   * Runs `work` again whenever the connection under it is lost, as long as the session comes back: `work` must be safe
   * to repeat. Errors: those of `work`; OfflineError.
   */
  async persist<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { clock } = this.#options;
    for (let quickFailures = 0; ; ) {
      const startMs = clock.now();
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof TruncatedError) || !this.#mayReconnect() || signal?.aborted) throw error;
        if (this.#state !== 'ready' || clock.now() - startMs > 1_000) quickFailures = 0;
        else if (++quickFailures > quickFailuresMax) throw error;
      }
      // Coming back has its own patience; a further connection that fails beside a good one needs some here.
      if (this.#state === 'ready') await delay(clock, this.#jitter(quickFailures), signal);
      else await this.#ready(0, signal);
    }
  }

  /** Live from here on, or from behind `after`. The room's cursor survives reconnects. */
  async join(name: string, { after, signal }: JoinOptions = {}): Promise<Room> {
    const known = this.#rooms.get(name);
    if (known) return known;
    const room: Room = new Room(name, this, after, {
      left: () => this.#rooms.remove(room),
      slow: () => this.#tell({ kind: 'slow', room: name }),
    });
    this.#rooms.add(room);
    try {
      await this.persist(async () => this.#rooms.enter(await this.#ready(100, signal), room, signal), signal);
    } catch (error) {
      this.#rooms.remove(room);
      throw error;
    }
    return room;
  }

  /** A further connection of this session, for bulk; the caller finishes it. Errors: as `request`. */
  async further(signal?: AbortSignal): Promise<BulkLink> {
    const { entry } = this.#options;
    if (entry.further) return entry.further(verb => this.list(verb, {}, { signal }), signal);
    const link = await this.#ready(0, signal);
    return borrowed(link);
  }

  /** What a row of events says; undefined for what is no event. */
  eventOf(name: string, fields: Values): HubEvent | undefined {
    return this.#options.table.event(name, fields);
  }

  /** From here on requests are refused; those that run go on. */
  stopAccepting(): void {
    if (this.#state === 'closed') return;
    this.#state = 'half-closed';
    this.#stop.abort();
  }

  /** No new request; resolves after every reply, BYE and the peer's FIN. Error: TruncatedError. */
  async finish(drain: 'quit' | 'fin' = 'quit', timeoutMs?: number): Promise<void> {
    if (this.#state === 'closed') return;
    this.stopAccepting();
    try {
      await this.#link?.finish(drain, timeoutMs);
    } finally {
      this.#close();
    }
  }

  /** At once, without the agreed end; `error` is what iterations then throw. */
  destroy(error?: Error): void {
    this.#stop.abort();
    this.#close(error);
    this.#link?.destroy(error);
  }

  #close(error?: Error): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#failure = error;
    this.#rooms.close(error);
    this.#waiting.wake(undefined);
    this.#tell({ kind: 'closed', error });
  }

  #tell(change: Change): void {
    for (const watcher of this.#watchers) watcher(change);
  }

  #mayReconnect(): boolean {
    return this.#options.reconnect !== undefined && this.#state !== 'half-closed' && this.#state !== 'closed';
  }

  /** The link when it is up. What waits for it is bounded in time and octets. */
  async #ready(octets: number, signal?: AbortSignal): Promise<Link> {
    if (this.#state === 'ready' && this.#link && !this.#link.isEnding) return this.#link;
    if (!this.#mayReconnect()) throw new OfflineError(`the session is ${this.#state}`, this.#failure);
    return this.#waiting.wait(octets, () => this.#failure, signal);
  }

  async #connect(signal?: AbortSignal): Promise<void> {
    const { entry, auth } = this.#options;
    let isUp = false;
    const events = {
      event: (event: HubEvent) => this.#event(event),
      over: (error?: Error) => isUp && this.#lost(error),
    };
    const link = await entry.open(events, signal);
    try {
      await signIn(link, auth);
      await this.#rooms.enterAgain(link);
      signal?.throwIfAborted();
      if (link.isEnding) throw new TruncatedError('the connection ended while it was entered');
    } catch (error) {
      link.destroy();
      throw error;
    }
    isUp = true;
    this.#link = link;
    this.#state = 'ready';
    this.#failure = undefined;
    this.#upSinceMs = this.#options.clock.now();
    this.#tell({ kind: 'up' });
    this.#waiting.wake(link);
  }

  #event(event: HubEvent): void {
    if (event.event === 'BYE') this.#tell({ kind: 'bye', reason: event.reason });
    if (event.event === 'GAP') this.#tell({ kind: 'gap', room: event.room, from: event.from, to: event.to });
    this.#rooms.receive(event);
  }

  #lost(error: Error | undefined): void {
    this.#link = undefined;
    // Not an error to whoever finishes, who gets to know by `finish` itself.
    if (this.#state === 'half-closed') return this.#close();
    if (!this.#mayReconnect()) return this.#close(error ?? new TruncatedError('the server ended the connection'));
    if (this.#options.clock.now() - this.#upSinceMs > goodLinkMs) this.#tries = 0;
    this.#state = 'reconnecting';
    void this.#comeBack(error);
  }

  #jitter(tries: number): number {
    const { minMs, maxMs } = this.#options.reconnect!;
    return Math.random() * Math.min(maxMs, minMs * 2 ** Math.min(tries, 16));
  }

  /** Full jitter over a doubling span, for ever; a refused name, secret or certificate ends it. */
  async #comeBack(error: Error | undefined): Promise<void> {
    this.#failure = error;
    while (!this.#stop.signal.aborted) {
      const askedMs = this.#failure instanceof PartylineError ? (this.#failure.retryAfterMs ?? 0) : 0;
      const retryMs = Math.max(askedMs, this.#jitter(this.#tries++));
      this.#tell({ kind: 'down', error: this.#failure, retryMs });
      try {
        await delay(this.#options.clock, retryMs, this.#stop.signal);
        return await this.#connect(this.#stop.signal);
      } catch (failure) {
        this.#failure = failure as Error;
        if (isRefusal(failure)) return this.#close(failure as Error);
      }
    }
  }
}
