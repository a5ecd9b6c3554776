/** A connected hub, as programs in Node use it: talk, files, and a graceful end. Made by `connect`. */
import type { Readable, Writable } from 'node:stream';
import { type Address, parseAddress } from './address.ts';
import { clientClock } from './clock.ts';
import { PartylineError } from './errors.ts';
import type { RequestOptions, Row } from './link.ts';
import type { Room } from './room.ts';
import {
  type Auth,
  type Change,
  type Reconnect,
  Session,
  type State,
  type Verb,
  type VerbInput,
  type VerbOutput,
} from './session.ts';
import { createReadStream, createWriteStream, type ReadRange } from './streams.ts';
import { type SyncOptions, type SyncSummary, sync } from './sync.ts';
import { openTcp } from './tcp.ts';
import { BulkLinks, get, put, type Summary, type TransferOptions } from './tree.ts';

export interface ConnectOptions {
  /** Default: a guest under the address's user. */
  readonly auth?: ((user: string | undefined) => Auth) | undefined;
  /** Default 250 ms doubling to 30 s, for ever; `false` ends with the first lost connection. */
  readonly reconnect?: Reconnect | false;
  readonly signal?: AbortSignal;
  /** Asked with the certificate's sha256 on `pls://`. Default: whatever comes. */
  readonly trust?: (fingerprint: string) => boolean | Promise<boolean>;
}

const patience: Reconnect = { minMs: 250, maxMs: 30_000 };

/** For `auth`: an account with its password. */
export function password(secret: string): (user: string | undefined) => Auth {
  return user => {
    if (user === undefined) throw new PartylineError('bad-argument', 'a password needs a user: pl://ada@host');
    return { kind: 'password', user, password: secret };
  };
}

/** For `auth`: a token. */
export function token(secret: string): () => Auth {
  return () => ({ kind: 'token', token: secret });
}

/** For `auth`: a guest. */
export function guest(name?: string): (user: string | undefined) => Auth {
  return user => ({ kind: 'guest', user: name ?? user ?? 'guest' });
}

/** Connected and signed in. Errors: PartylineError with the server's code; what the network says. */
export async function connect(address: string | Address, options: ConnectOptions = {}): Promise<Hub> {
  const target = typeof address === 'string' ? parseAddress(address) : address;
  const { trust, reconnect = patience, auth = guest() } = options;
  const session = await Session.start(
    {
      open: openTcp({ ...target, ...(trust && { trust }) }),
      clock: clientClock,
      auth: auth(target.user),
      reconnect: reconnect === false ? undefined : reconnect,
      agent: 'partyline/0.1',
    },
    options.signal,
  );
  return new Hub(session);
}

export class Hub implements AsyncDisposable {
  readonly #session: Session;
  readonly #bulk: BulkLinks;

  constructor(session: Session) {
    this.#session = session;
    this.#bulk = new BulkLinks(session);
  }

  get state(): State {
    return this.#session.state;
  }

  /** Changes of the connection, until the loop is left. */
  async *status(): AsyncGenerator<Change> {
    const queue: Change[] = [];
    let wake: (() => void) | undefined;
    const stop = this.#session.watch(change => {
      queue.push(change);
      wake?.();
    });
    try {
      while (this.state !== 'closed') {
        const change = queue.shift();
        if (change) yield change;
        else
          await new Promise<void>(resolve => {
            wake = resolve;
          });
      }
    } finally {
      stop();
    }
  }

  /** A command of the table, with its types. Errors: PartylineError, TruncatedError, OfflineError, the signal's reason. */
  request<V extends Verb>(verb: V, input: VerbInput<V>, options?: RequestOptions): Promise<VerbOutput<V>> {
    return this.#session.request(verb, input, options);
  }

  rows<V extends Verb>(verb: V, input: VerbInput<V>, options?: RequestOptions): AsyncGenerator<Row> {
    return this.#session.rows(verb, input, options);
  }

  join(room: string, options?: { readonly after?: number }): Promise<Room> {
    return this.#session.join(room, options);
  }

  put(local: string, remote: string, options?: TransferOptions): Promise<Summary> {
    return put(this.#session, this.#bulk, local, remote, options);
  }

  get(remote: string, local: string, options?: TransferOptions): Promise<Summary> {
    return get(this.#session, this.#bulk, remote, local, options);
  }

  sync(folder: string, remote: string, options?: SyncOptions): Promise<SyncSummary> {
    return sync(this.#session, this.#bulk, folder, remote, options);
  }

  createReadStream(path: string, range?: ReadRange): Readable {
    return createReadStream(this.#bulk, path, range);
  }

  createWriteStream(path: string): Writable {
    return createWriteStream(this.#session, path);
  }

  /**
   * The graceful half-close: no new request; resolves after every reply, BYE and the peer's FIN. `drain: 'fin'` sends no
   * QUIT. Error: TruncatedError if anything is missing.
   */
  async finish({
    drain = 'quit',
    timeoutMs,
  }: {
    readonly drain?: 'quit' | 'fin';
    readonly timeoutMs?: number;
  } = {}): Promise<void> {
    this.#session.stopAccepting();
    await this.#bulk.finish();
    await this.#session.finish(drain, timeoutMs);
  }

  destroy(): void {
    this.#session.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.finish({ timeoutMs: 5_000 });
  }
}
