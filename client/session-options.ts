/** How a session is told to be, and what it tells of itself. */
import type { Clock } from '../shared/clock.ts';
import type { HubEvent } from '../shared/events.ts';
import type { Link, LinkEvents } from './link.ts';
import type { Row, Values } from './request.ts';

/** How a session gets its name. */
export type Auth =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'token'; readonly token: string }
  /** The browser's cookie has given it already. */
  | { readonly kind: 'cookie' }
  | { readonly kind: 'guest'; readonly user: string; readonly invite?: string | undefined }
  /** Makes the account first. */
  | {
      readonly kind: 'register';
      readonly user: string;
      readonly password: string;
      readonly invite?: string | undefined;
    };

export type State = 'connecting' | 'ready' | 'half-closed' | 'reconnecting' | 'closed';
export type Change =
  | { readonly kind: 'up' }
  | { readonly kind: 'down'; readonly error: Error | undefined; readonly retryMs: number }
  /** The server left out events, since we read too slowly; a joined room gets them from history. */
  | { readonly kind: 'gap'; readonly room: string; readonly from: number; readonly to: number }
  /** Nobody iterates the room fast enough; it goes on from history. */
  | { readonly kind: 'slow'; readonly room: string }
  | { readonly kind: 'bye'; readonly reason: string }
  /** The last change. `error` unless it was asked for. */
  | { readonly kind: 'closed'; readonly error: Error | undefined };

export interface Reconnect {
  readonly minMs: number;
  readonly maxMs: number;
}

export interface JoinOptions {
  /** The number behind which to begin; 0 is everything. Default: what happens from now on. */
  readonly after?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How connections to a hub are opened on one of its wires. Errors: what the network says; PartylineError; the signal's reason. */
export interface Entry {
  /** Greeted, and ready for a name. */
  open(events: LinkEvents, signal?: AbortSignal): Promise<Link>;
  /** A further one for the session that `rows` asks; left out, bulk goes on the session's own. */
  further?(rows: (verb: 'TICKET') => Promise<readonly Row[]>, signal?: AbortSignal): Promise<Link>;
}

/** What is known of the hub's commands and events: in Node their schemas check, a page trusts the server that it came from. */
export interface Table {
  /** May be asked again after a lost connection. */
  isRepeatable(verb: string, input: Values): boolean;
  /** The output's fields, or an error that says what is wrong with them. */
  answer(verb: string, fields: Values): Values;
  /** Undefined for what is no event. */
  event(name: string, fields: Values): HubEvent | undefined;
}

export interface SessionOptions {
  readonly entry: Entry;
  readonly table: Table;
  readonly clock: Clock;
  readonly auth: Auth;
  /** Undefined: a lost connection ends the session. */
  readonly reconnect: Reconnect | undefined;
}
