/** The WebSocket as the client speaks it, a browser's or another with the same face. Free of anything that only Node or only a page has. */
import type { HubEvent } from '../shared/events.ts';
import { formatBinary, parseBinary } from '../shared/web/binary.ts';
import { TruncatedError } from './errors.ts';
import type { Values } from './request.ts';
import type { OpenWay, Refusal, Way, WayEvents } from './way.ts';

/** What is needed of a WebSocket of the WHATWG's standard. */
export interface SocketLike {
  binaryType: string;
  onopen: (() => void) | null;
  onmessage: ((message: { readonly data: unknown }) => void) | null;
  onclose: ((end: { readonly code: number }) => void) | null;
  onerror: ((error: { readonly message?: string }) => void) | null;
  send(message: string | Uint8Array): void;
  close(code?: number): void;
  /** A browser's own cannot stop reading; then what comes waits in memory. */
  pause?(): void;
  resume?(): void;
}

export type Connect = (signal?: AbortSignal) => SocketLike | Promise<SocketLike>;

/** As the server's envelopes are, which are not checked here: see shared/web/envelope.ts. */
interface Heard {
  readonly id?: string;
  readonly row?: Values;
  readonly event?: string;
  readonly ok?: Values;
  readonly error?: Refusal;
  readonly events?: readonly HubEvent[];
}

const normal = 1000;

/** `connect` begins to open a socket at the hub's `/ws`. */
export function webWay(connect: Connect): OpenWay {
  return async (events, signal) => {
    signal?.throwIfAborted();
    const way = new WebWay(await connect(signal), events);
    await way.opened(signal);
    return way;
  };
}

class WebWay implements Way {
  readonly #socket: SocketLike;
  readonly #events: WayEvents;
  /** Of the requests that are not answered. */
  readonly #verbs = new Map<string, string>();
  /** Messages behind a row whose taker keeps us waiting. */
  readonly #held: unknown[] = [];
  #isBusy = false;
  #isQuitting = false;
  #hasBye = false;
  #end: { readonly error?: Error } | undefined;

  constructor(socket: SocketLike, events: WayEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }) => {
      events.heard();
      this.#held.push(data);
      this.#pump();
    };
  }

  opened(signal: AbortSignal | undefined): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      let why = 'the hub could not be reached';
      const abort = () => {
        socket.close();
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
      socket.onerror = ({ message }) => {
        why = message ?? why;
      };
      socket.onclose = ({ code }) => {
        signal?.removeEventListener('abort', abort);
        reject(new TruncatedError(why));
        const isAgreed = this.#hasBye || (this.#isQuitting && code === normal);
        this.#end = isAgreed ? {} : { error: new TruncatedError('the connection was lost') };
        this.#pump();
      };
      socket.onopen = () => {
        signal?.removeEventListener('abort', abort);
        resolve();
        this.#events.greeted({});
      };
    });
  }

  ask(label: string, verb: string, input: Values, blob: Uint8Array | undefined): void {
    this.#verbs.set(label, verb);
    const envelope = { id: label, do: verb, with: input };
    this.#socket.send(blob ? formatBinary(envelope, blob) : JSON.stringify(envelope));
  }

  cancel(label: string): void {
    this.#socket.send(JSON.stringify({ cancel: label }));
  }

  /** The protocol below answers by itself. */
  live(): void {}

  quit(): void {
    this.#isQuitting = true;
    if (this.#verbs.size === 0) this.#socket.close(normal);
  }

  end(): void {
    this.#hasBye = true;
    this.#socket.close(normal);
  }

  destroy(): void {
    this.#socket.onmessage = null;
    this.#held.length = 0;
    this.#socket.close();
  }

  #pump(): void {
    while (!this.#isBusy && this.#held.length > 0) {
      const wait = this.#take(this.#held.shift());
      if (!wait) continue;
      this.#isBusy = true;
      this.#socket.pause?.();
      void wait.finally(() => {
        this.#isBusy = false;
        this.#socket.resume?.();
        this.#pump();
      });
    }
    if (this.#end && !this.#isBusy) this.#events.over(this.#end.error);
  }

  #take(data: unknown): Promise<void> | undefined {
    try {
      if (typeof data === 'string') return this.#heard(JSON.parse(data), undefined);
      const parts = parseBinary(new Uint8Array(data as ArrayBuffer));
      return parts && this.#heard(parts.head as Heard, parts.content);
    } catch (error) {
      this.#end = { error: new TruncatedError('the server sent what cannot be read', { cause: error }) };
      return undefined;
    }
  }

  #heard({ id, row, event, ok, error, events }: Heard, content: Uint8Array | undefined): Promise<void> | undefined {
    for (const one of events ?? []) this.#events.event(one);
    if (row) {
      const blob = content && { octets: content.length, pieces: [content] };
      return this.#events.row(id, { name: event ?? this.#verbs.get(id ?? '') ?? '', fields: row, blob });
    }
    if (id === undefined || !(ok || error)) return undefined;
    this.#verbs.delete(id);
    if (ok) this.#events.answered(id, ok);
    else if (error) this.#events.refused(id, error);
    if (this.#isQuitting && this.#verbs.size === 0) this.#socket.close(normal);
    return undefined;
  }
}
