/** A person on a wire, and how the wire hands requests in and takes events out. */
import type { Action } from '../../shared/commands/command.ts';
import type { HubEvent } from '../../shared/events.ts';
import type { RoleName } from '../../shared/model.ts';
import type { PrincipalId } from './host.ts';

/** What the wire knows of the peer. */
export interface Origin {
  readonly wire: string;
  /** The peer's address without port. */
  readonly address: string;
  /** The link is encrypted. */
  readonly secure: boolean;
  /** The connection's own peer is this machine. */
  readonly loopback: boolean;
}

/** Who a session is. */
export interface Person {
  readonly principal: PrincipalId;
  readonly name: string;
  readonly isGuest: boolean;
  /** Not so with a token that says less. */
  readonly isAdmin: boolean;
  /** Of the connection that the session began with. */
  readonly address: string;
  /** What a token leaves of the person's rights. */
  readonly scope?: Scope;
  /** A guest's roles by invite: room → role. */
  readonly invited?: Readonly<Record<string, RoleName>>;
}

/** A token's bounds: this room only, these actions only. */
export interface Scope {
  readonly room?: string;
  readonly actions?: readonly Action[];
}

/**
 * What the hub made for one room in one turn, or for one session, in order. `encode` gives every member that asks under
 * the same key the same value, so that an event is encoded once per wire format.
 */
export interface EventBatch {
  readonly room: string | undefined;
  readonly events: readonly HubEvent[];
  encode<T>(key: string, encode: (events: readonly HubEvent[]) => T): T;
}

/** Where a session's events go. Must not throw and must not wait. */
export interface Sink {
  deliver(batch: EventBatch): void;
  /** The hub has ended the session: whoever sits there is told, and the connection ends. */
  revoked?(): void;
  /** Nobody reads here what is delivered. */
  readonly isDeaf?: boolean;
}

/** One per signed-in person and wire; made by `hub.connect`. Wires read it and never change it. */
export interface Session {
  readonly id: string;
  readonly origin: Origin;
  /** Undefined until NICK, LOGIN or TOKEN succeeded. */
  readonly person: Person | undefined;
  /** Aborted when the session has ended, by `hub.disconnect` or because it was revoked. */
  readonly signal: AbortSignal;
}

/** A request's rows and content, and its end: what `execute` needs of the wire beside the input. */
export interface Exchange {
  /** Called per row in order; a promise asks the hub to wait (backpressure). `name` is given where a row is an event. `blob` must be used before the promise resolves. */
  row?(fields: Readonly<Record<string, unknown>>, name?: string, blob?: Uint8Array): void | Promise<void>;
  /**
   * Where it is given, a content that lies in a file is not given in rows but all of it here: octets `start` to `end`,
   * exclusive, of a descriptor that stays open until the promise settles, to be read at offsets only. Whoever takes it
   * stops when the session ends.
   */
  file?(fd: number, start: number, end: number): Promise<void>;
  /** What came with the request: a blob's pieces, or a stream to its end. `octets` where the wire knows it. */
  readonly content?: {
    readonly octets?: number;
    readonly pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  };
  readonly signal?: AbortSignal;
  /** The id of the connection that asks, where the wire view knows it. */
  readonly connection?: string | undefined;
}
