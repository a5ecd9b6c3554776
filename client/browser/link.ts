/** The page's WebSocket: requests and their answers, events, and coming back with patience. Knows nothing of rooms. */
import { signal } from '@preact/signals';
import type { CommandName, InputOf, OutputOf } from '../../shared/commands/index.ts';
import type { HubEvent } from '../../shared/events.ts';
import { clientClock } from '../clock.ts';
import { Offline, type RefusalFields, Refused, whoAmI } from './api.ts';

export type Fields = Readonly<Record<string, unknown>>;
export type Me = OutputOf<'WHOAMI'>;

export type LinkState =
  | { readonly kind: 'connecting' | 'up' | 'signed-out' }
  | { readonly kind: 'down'; readonly reason: string; readonly retryAtMs: number };

interface Envelope {
  readonly id?: string;
  readonly row?: Fields;
  readonly event?: string;
  readonly ok?: Fields;
  readonly error?: RefusalFields;
  readonly events?: readonly HubEvent[];
}

interface Asked {
  readonly onRow: ((row: Fields) => void) | undefined;
  readonly resolve: (output: Fields) => void;
  readonly reject: (error: Error) => void;
}

export interface LinkHooks {
  /** Signed in and connected: enter what is to be entered. */
  up(me: Me): void;
  events(events: readonly HubEvent[]): void;
  /** The cookie opens nothing any more; true if another name was found, and it shall be tried again. */
  refused(): Promise<boolean>;
}

const retryMinMs = 500;
const retryMaxMs = 15_000;

export class Link {
  readonly state = signal<LinkState>({ kind: 'connecting' });
  readonly #hooks: LinkHooks;
  readonly #asked = new Map<string, Asked>();
  #socket: WebSocket | undefined;
  #cancelRetry: (() => void) | undefined;
  /** From the first question until the socket is open or lost: there is one at a time. */
  #isConnecting = false;
  #tries = 0;
  #ids = 0;
  #byeReason = '';

  constructor(hooks: LinkHooks) {
    this.#hooks = hooks;
    addEventListener('online', () => this.retry());
  }

  /** Now, and not when the wait is over. */
  retry(): void {
    if (this.state.value.kind === 'up' || this.#isConnecting) return;
    this.#cancelRetry?.();
    this.#isConnecting = true;
    this.state.value = { kind: 'connecting' };
    void this.#connect();
  }

  close(): void {
    this.#cancelRetry?.();
    this.#isConnecting = false;
    this.state.value = { kind: 'signed-out' };
    this.#socket?.close();
  }

  /** `signal` cancels it at the server. Errors: Refused; Offline when the answer cannot come any more. */
  request<N extends CommandName>(
    name: N,
    input: InputOf<N>,
    onRow?: (row: Fields) => void,
    signal?: AbortSignal,
  ): Promise<OutputOf<N>> {
    return new Promise((resolve, reject) => {
      if (this.#socket?.readyState !== WebSocket.OPEN) return reject(new Offline('not connected'));
      const id = String(++this.#ids);
      this.#asked.set(id, { onRow, resolve: output => resolve(output as OutputOf<N>), reject });
      this.#socket.send(JSON.stringify({ id, do: name, with: input }));
      signal?.addEventListener('abort', () => this.#cancel(id), { once: true });
    });
  }

  #cancel(id: string): void {
    if (this.#asked.has(id) && this.#socket?.readyState === WebSocket.OPEN)
      this.#socket.send(JSON.stringify({ cancel: id }));
  }

  /** All rows of a command, events under their name in `event`. */
  async rows<N extends CommandName>(name: N, input: InputOf<N>): Promise<{ rows: Fields[]; output: OutputOf<N> }> {
    const rows: Fields[] = [];
    const output = await this.request(name, input, row => void rows.push(row));
    return { rows, output };
  }

  async #connect(): Promise<void> {
    try {
      const me = await whoAmI();
      const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`);
      this.#socket = socket;
      this.#byeReason = '';
      socket.addEventListener('message', ({ data }) => typeof data === 'string' && this.#receive(JSON.parse(data)));
      socket.addEventListener('close', () => this.#socket === socket && this.#lost(this.#byeReason));
      socket.addEventListener('open', () => {
        this.#isConnecting = false;
        this.#tries = 0;
        this.state.value = { kind: 'up' };
        this.#hooks.up(me);
      });
    } catch (error) {
      const isOut = error instanceof Refused && (error.code === 'auth-required' || error.code === 'auth-failed');
      if (!isOut) return this.#lost(error instanceof Refused ? error.message : '');
      if (await this.#hooks.refused().catch(() => false)) return this.#connect();
      this.close();
    }
  }

  #receive({ id, row, event, ok, error, events }: Envelope): void {
    if (events) {
      const bye = events.find(one => one.event === 'BYE');
      if (bye?.event === 'BYE') this.#byeReason = bye.reason;
      return this.#hooks.events(events);
    }
    const asked = this.#asked.get(id ?? '');
    if (!asked || id === undefined) return;
    if (row) return asked.onRow?.(event === undefined ? row : { event, ...row });
    this.#asked.delete(id);
    if (error) asked.reject(new Refused(error));
    else asked.resolve(ok ?? {});
  }

  #lost(reason: string): void {
    this.#socket = undefined;
    this.#isConnecting = false;
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const { reject } of asked) reject(new Offline('the connection ended'));
    if (this.state.value.kind === 'signed-out') return;
    const waitMs = retryMinMs + Math.random() * Math.min(retryMaxMs, retryMinMs * 2 ** Math.min(this.#tries++, 8));
    this.state.value = { kind: 'down', reason, retryAtMs: clientClock.now() + waitMs };
    this.#cancelRetry = clientClock.after(waitMs, () => this.retry());
  }
}
