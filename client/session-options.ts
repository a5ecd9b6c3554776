/** How a session is told to be, and what it tells of itself. */
import type { Clock } from '../shared/clock.ts';
import type { OpenTransport } from './transport.ts';

/** How a session gets its name. */
export type Auth =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'token'; readonly token: string }
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

export interface SessionOptions {
  readonly open: OpenTransport;
  readonly clock: Clock;
  readonly auth: Auth;
  /** Undefined: a lost connection ends the session. */
  readonly reconnect: Reconnect | undefined;
  readonly agent: string;
}
