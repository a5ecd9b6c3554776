/** A connected hub, as programs in Node use it: talk, files, and a graceful end. Made by `connect`. */
import type { Readable, Writable } from 'node:stream';
import { type Address, isLoopback, parseAddress } from './address.ts';
import { BulkLinks } from './bulk.ts';
import { clientClock } from './clock.ts';
import { PartylineError } from './errors.ts';
import { isKnownHub, knownHubsFile } from './known-hubs.ts';
import { lineEntry } from './line-entry.ts';
import { Mailbox } from './mailbox.ts';
import type { RequestOptions, Row } from './request.ts';
import type { Room } from './room.ts';
import { rowsOf } from './rows.ts';
import { Session } from './session.ts';
import type { Auth, Change, Entry, JoinOptions, Reconnect, State } from './session-options.ts';
import { createReadStream, createWriteStream, type ReadRange } from './streams.ts';
import { type SyncOptions, type SyncSummary, sync } from './sync.ts';
import { openTcp, type TcpTarget } from './tcp.ts';
import type { TransferOptions } from './transfer-options.ts';
import { get, put, type Summary } from './tree.ts';
import { hubTable, type Verb, type VerbInput, type VerbOutput } from './verbs.ts';
import { webEntry } from './web-entry.ts';
import { openWebSocket } from './web-socket.ts';

export interface ConnectOptions {
  /** Default: a guest under the address's user. */
  readonly auth?: ((user: string | undefined) => Auth) | undefined;
  /** Default 250 ms doubling to 30 s, for ever; `false` ends with the first lost connection. */
  readonly reconnect?: Reconnect | false;
  readonly signal?: AbortSignal;
  /** Default `auto`: the address's scheme decides. `true` or `false` refuses an address that says otherwise. */
  readonly tls?: 'auto' | boolean;
  /** Asked with the certificate's sha256 on `pls://`. Default: the one that `knownHubs` remembers from the first time. */
  readonly trust?: (fingerprint: string) => boolean | Promise<boolean>;
  /** The file of certificates seen first. Default `$XDG_CONFIG_HOME/partyline/known-hubs.json`. */
  readonly knownHubs?: string;
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

/** For `auth`: a guest, with an invite if there is one. */
export function guest(name?: string, invite?: string): (user: string | undefined) => Auth {
  return user => ({ kind: 'guest', user: name ?? user ?? 'guest', invite });
}

/** For `auth`: an account that is made now, by invite where the hub wants one. */
export function registration(secret: string, invite?: string): (user: string | undefined) => Auth {
  return user => {
    if (user === undefined) throw new PartylineError('bad-argument', 'an account needs a name: pl://ada@host');
    return { kind: 'register', user, password: secret, invite };
  };
}

/** Connected and signed in. Errors: PartylineError with the server's code; what the network says. */
export async function connect(address: string | Address, options: ConnectOptions = {}): Promise<Hub> {
  const target = typeof address === 'string' ? parseAddress(address) : address;
  const { reconnect = patience, auth = guest(), knownHubs = knownHubsFile(), tls = 'auto' } = options;
  if (tls !== 'auto' && tls !== target.secure) {
    throw new PartylineError(
      tls ? 'tls-required' : 'bad-argument',
      `tls: ${tls} needs a ${tls ? 'pls' : 'pl'}:// address`,
    );
  }
  const pinned = (fingerprint: string) => isKnownHub(knownHubs, `${target.host}:${target.port}`, fingerprint);
  const session = await Session.start(
    {
      entry: entryTo({ ...target, trust: options.trust ?? pinned }),
      table: hubTable,
      clock: clientClock,
      auth: auth(target.user),
      reconnect: reconnect === false ? undefined : reconnect,
    },
    options.signal,
  );
  return new Hub(session, isLoopback(target.host));
}

function entryTo(target: Address & TcpTarget): Entry {
  if (target.web) return webEntry(signal => openWebSocket(target, signal), clientClock);
  return lineEntry(openTcp(target), clientClock, 'partyline/0.1');
}

/** Made by `connect`. Disposal (`await using`) is `finish` with 5 s. */
export class Hub implements AsyncDisposable {
  readonly #session: Session;
  readonly #bulk: BulkLinks;

  constructor(session: Session, isNear: boolean) {
    this.#session = session;
    this.#bulk = new BulkLinks(session, isNear);
  }

  get state(): State {
    return this.#session.state;
  }

  /** Changes of the connection from now on; the last one is `closed`. */
  async *status(): AsyncGenerator<Change> {
    if (this.state === 'closed') return;
    const changes = new Mailbox<Change>();
    const stop = this.#session.watch(change => {
      void changes.push(change);
      if (change.kind === 'closed') changes.end();
    });
    try {
      yield* changes;
    } finally {
      stop();
    }
  }

  /** A command of the table, with its types. Errors: PartylineError, TruncatedError, OfflineError, the signal's reason. */
  request<V extends Verb>(verb: V, input: VerbInput<V>, options?: RequestOptions): Promise<VerbOutput<V>> {
    return this.#session.request(verb, input, options);
  }

  /**
   * The rows of a command one by one, its fields as the wire has them; leaving the loop cancels the rest. Other requests
   * may be made meanwhile. For contents use `createReadStream` or `get`. Errors: as `request`.
   */
  rows<V extends Exclude<Verb, 'GET'>>(verb: V, input: VerbInput<V>, options?: RequestOptions): AsyncGenerator<Row> {
    return rowsOf(this.#session, verb, input, options);
  }

  /** Every numbered event exactly once and in order, also over reconnects; a gap is filled from history. */
  join(room: string, options?: JoinOptions): Promise<Room> {
    return this.#session.join(room, options);
  }

  /**
   * Sends a file, or a folder with `recursive`. What a cut left is gone on with, here and in a later call. A trailing
   * slash on `local` means its contents, on `remote` a folder. Errors: PartylineError, OfflineError, the signal's reason.
   */
  put(local: string, remote: string, options?: TransferOptions): Promise<Summary> {
    return put(this.#session, this.#bulk, local, remote, options);
  }

  /** Fetches a file or folder, as `put` does the other way: into `.name.plpart`, verified, then renamed. Errors: also HashMismatchError. */
  get(remote: string, local: string, options?: TransferOptions): Promise<Summary> {
    return get(this.#session, this.#bulk, remote, local, options);
  }

  /** Makes a folder of the hub like a local one; removes there only with `delete`. Errors: as `put`. */
  sync(folder: string, remote: string, options?: SyncOptions): Promise<SyncSummary> {
    return sync(this.#session, this.#bulk, folder, remote, options);
  }

  /** One content from end to end, though connections are lost on the way: a file that is replaced meanwhile is `if-match`. */
  createReadStream(path: string, range?: ReadRange): Readable {
    return createReadStream(this.#session, this.#bulk, path, range);
  }

  /** `close` comes only after COMMIT: then the file is safe and seen. It replaces what is one's own. */
  createWriteStream(path: string): Writable {
    return createWriteStream(this.#session, this.#bulk, path);
  }

  /**
   * The graceful half-close: no new request; resolves after every reply, BYE and the peer's FIN. `drain: 'fin'` sends no
   * QUIT. Transfers are many requests: wait for them first. Silence of `timeoutMs`, 30 s by default, is an end too.
   * Error: TruncatedError if anything is missing.
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
    try {
      await this.#session.finish(drain, timeoutMs);
    } finally {
      this.#bulk.destroy();
    }
  }

  /** At once, without the agreed end; what waits is told `error`. */
  destroy(error?: Error): void {
    this.#session.destroy(error);
    this.#bulk.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.finish({ timeoutMs: 5_000 });
  }
}
