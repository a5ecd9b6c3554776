/**
 * A person's session over links that may break: signs in, comes back with patience, joins its rooms again where they were
 * left, and repeats only what is safe to repeat. Free of anything that only Node has.
 */
import type { Clock } from '../shared/clock.ts';
import { delay } from '../shared/clock.ts';
import type { Command, Input, Output } from '../shared/commands/command.ts';
import { type CommandName, commands, type InputOf, isCommandName, type OutputOf } from '../shared/commands/index.ts';
import type { HubEvent } from '../shared/events.ts';
import { MIB } from '../shared/limits.ts';
import { type SessionVerb, sessionVerbs } from '../shared/line/session-verbs.ts';
import { OfflineError, PartylineError, TruncatedError } from './errors.ts';
import { Link, type RequestOptions, type Row, type Values } from './link.ts';
import { Room } from './room.ts';
import type { OpenTransport } from './transport.ts';

export type Verb = CommandName | SessionVerb;
export type VerbInput<V extends Verb> = V extends CommandName
  ? InputOf<V>
  : V extends SessionVerb
    ? Input<(typeof sessionVerbs)[V]>
    : never;
export type VerbOutput<V extends Verb> = V extends CommandName
  ? OutputOf<V>
  : V extends SessionVerb
    ? Output<(typeof sessionVerbs)[V]>
    : never;

/** How a session gets its name. */
export type Auth =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'guest'; readonly user: string };

export type State = 'connecting' | 'ready' | 'half-closed' | 'reconnecting' | 'closed';
export type Change =
  | { readonly kind: 'up' }
  | { readonly kind: 'down'; readonly error: Error | undefined; readonly retryMs: number }
  | { readonly kind: 'gap'; readonly room: string; readonly from: number; readonly to: number }
  | { readonly kind: 'bye'; readonly reason: string };

export interface Reconnect {
  readonly minMs: number;
  readonly maxMs: number;
}

export interface SessionOptions {
  readonly open: OpenTransport;
  readonly clock: Clock;
  readonly auth: Auth;
  /** Undefined: a lost connection ends the session. */
  readonly reconnect: Reconnect | undefined;
  readonly agent: string;
}

const offlineMs = 10_000;
const offlineOctetsMax = MIB;

export class Session {
  readonly #options: SessionOptions;
  readonly #rooms = new Map<string, Room>();
  readonly #watchers = new Set<(change: Change) => void>();
  #link: Link | undefined;
  #state: State = 'connecting';
  #waiting: ((link: Link | undefined) => void)[] = [];
  #offlineOctets = 0;
  #ids = 0;
  readonly #idPrefix: string;
  readonly #stop = new AbortController();

  private constructor(options: SessionOptions) {
    this.#options = options;
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
    const entry: Command = isCommandName(verb) ? commands[verb] : sessionVerbs[verb as SessionVerb];
    const values = input as Values;
    const isRepeatable = entry.repeatable === 'yes' || (entry.repeatable === 'with-id' && values['id'] !== undefined);
    for (;;) {
      const link = await this.#ready(options.blob?.length ?? 100, options.signal);
      try {
        return entry.output.parse(await link.request(verb, entry, values, options)) as VerbOutput<V>;
      } catch (error) {
        const mayRepeat = isRepeatable && error instanceof TruncatedError && this.#mayReconnect() && !options.onRow;
        if (!mayRepeat) throw error;
      }
    }
  }

  /** The rows of a command, one by one; the server waits while the caller is busy. */
  async *rows<V extends Verb>(verb: V, input: VerbInput<V>, options: RequestOptions = {}): AsyncGenerator<Row> {
    const queue: Row[] = [];
    let wake: (() => void) | undefined;
    let taken: (() => void) | undefined;
    let end: { error?: unknown } | undefined;
    const onRow = (row: Row) => {
      queue.push(row);
      wake?.();
      if (queue.length < 256) return;
      return new Promise<void>(resolve => {
        taken = resolve;
      });
    };
    this.request(verb, input, { ...options, onRow }).then(
      () => {
        end = {};
        wake?.();
      },
      error => {
        end = { error };
        wake?.();
      },
    );
    try {
      for (;;) {
        const row = queue.shift();
        if (row) yield row;
        else if (end) break;
        else {
          taken?.();
          await new Promise<void>(resolve => {
            wake = resolve;
          });
        }
      }
    } finally {
      taken?.();
    }
    if (end.error !== undefined) throw end.error;
  }

  /** Live from here on, or from behind `after`. The room's cursor survives reconnects. */
  async join(name: string, { after }: { readonly after?: number } = {}): Promise<Room> {
    const key = name.toLowerCase();
    const known = this.#rooms.get(key);
    if (known) return known;
    const room = new Room(name, this, () => this.#rooms.delete(key));
    this.#rooms.set(key, room);
    try {
      await this.#enter(await this.#ready(100), room, after);
    } catch (error) {
      this.#rooms.delete(key);
      throw error;
    }
    return room;
  }

  async #enter(link: Link, room: Room, after: number | undefined): Promise<void> {
    const onRow = ({ name, fields }: Row) => room.replay(name, fields);
    const input = { room: room.name, ...(after !== undefined && { after }) };
    const output = await link.request('JOIN', commands.JOIN, input, { onRow });
    room.entered(commands.JOIN.output.parse(output).last, after);
  }

  /** A further connection of this session, for bulk; the caller finishes it. */
  async further(signal?: AbortSignal): Promise<Link> {
    const tickets: string[] = [];
    await this.request('TICKET', {}, { onRow: ({ fields }) => void tickets.push(String(fields['ticket'])) });
    const { open, clock } = this.#options;
    const { link } = await Link.open(open, clock, { event: () => undefined, over: () => undefined }, signal);
    await link.request('ATTACH', sessionVerbs.ATTACH, { ticket: tickets[0] });
    return link;
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

  destroy(): void {
    this.#stop.abort();
    this.#close();
    this.#link?.destroy();
  }

  #close(): void {
    this.#state = 'closed';
    for (const room of this.#rooms.values()) room.close();
    for (const wake of this.#waiting.splice(0)) wake(undefined);
  }

  #tell(change: Change): void {
    for (const watcher of this.#watchers) watcher(change);
  }

  #mayReconnect(): boolean {
    return this.#options.reconnect !== undefined && this.#state !== 'half-closed' && this.#state !== 'closed';
  }

  /** The link when it is up. What waits for it is bounded in time and octets. */
  async #ready(octets: number, signal?: AbortSignal): Promise<Link> {
    if (this.#state === 'ready' && this.#link) return this.#link;
    if (!this.#mayReconnect()) throw new OfflineError(`the session is ${this.#state}`);
    if (this.#offlineOctets + octets > offlineOctetsMax) throw new OfflineError('too much waits for the connection');
    this.#offlineOctets += octets;
    try {
      const stop = new AbortController();
      const up = new Promise<Link | undefined>(resolve => this.#waiting.push(resolve));
      const late = delay(this.#options.clock, offlineMs, signal ? AbortSignal.any([signal, stop.signal]) : stop.signal);
      const link = await Promise.race([up, late.then(() => undefined)]);
      late.catch(() => undefined);
      stop.abort();
      if (!link) throw new OfflineError('no connection');
      return link;
    } finally {
      this.#offlineOctets -= octets;
    }
  }

  async #connect(signal?: AbortSignal): Promise<void> {
    const { open, clock, agent } = this.#options;
    let isUp = false;
    const { link } = await Link.open(
      open,
      clock,
      { event: event => this.#event(event), over: error => isUp && this.#lost(error) },
      signal,
    );
    try {
      await link.request('HELLO', sessionVerbs.HELLO, { version: '1', caps: 'heartbeat', agent });
      await this.#signIn(link);
      for (const room of this.#rooms.values()) await this.#enter(link, room, room.cursor);
    } catch (error) {
      link.destroy();
      throw error;
    }
    isUp = true;
    this.#link = link;
    this.#state = 'ready';
    this.#tell({ kind: 'up' });
    for (const wake of this.#waiting.splice(0)) wake(link);
  }

  async #signIn(link: Link): Promise<void> {
    const { auth } = this.#options;
    if (auth.kind === 'guest') await link.request('NICK', commands.NICK, { user: auth.user });
    else if (auth.kind === 'token') await link.request('TOKEN', commands.TOKEN, { token: auth.token });
    else await link.request('LOGIN', commands.LOGIN, { user: auth.user, password: auth.password });
  }

  #event(event: HubEvent): void {
    if (event.event === 'BYE') this.#tell({ kind: 'bye', reason: event.reason });
    if (event.event === 'GAP') this.#tell({ kind: 'gap', room: event.room, from: event.from, to: event.to });
    if ('room' in event) this.#rooms.get(event.room.toLowerCase())?.receive(event);
  }

  #lost(error: Error | undefined): void {
    this.#link = undefined;
    if (!this.#mayReconnect()) return this.#close();
    this.#state = 'reconnecting';
    void this.#comeBack(error);
  }

  /** Full jitter over a doubling span, for ever; a refused name or secret ends it. */
  async #comeBack(error: Error | undefined): Promise<void> {
    const { minMs, maxMs } = this.#options.reconnect!;
    let last = error;
    for (let tries = 0; !this.#stop.signal.aborted; tries++) {
      const retryMs = Math.random() * Math.min(maxMs, minMs * 2 ** Math.min(tries, 16));
      this.#tell({ kind: 'down', error: last, retryMs });
      try {
        await delay(this.#options.clock, retryMs, this.#stop.signal);
        return await this.#connect(this.#stop.signal);
      } catch (failure) {
        last = failure as Error;
        const isRefused =
          failure instanceof PartylineError && ['auth-failed', 'forbidden', 'banned'].includes(failure.code);
        if (isRefused) return this.#close();
      }
    }
  }
}
