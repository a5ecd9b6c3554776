/**
 * Who a request is: the hub's session behind a cookie, a token or a password. A credential that comes again within some
 * minutes finds its session, so that a guest stays the same person and nobody logs in for each request.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../../../shared/clock.ts';
import { HubError } from '../../../shared/errors.ts';
import { limits } from '../../../shared/limits.ts';
import { stayLabel } from '../../../shared/stay-label.ts';
import type { Hub } from '../../hub/hub.ts';
import type { EventBatch, Origin, Session, Sink } from '../../hub/session.ts';

export type Credential =
  /** `id` where it is a cookie's. */
  | { readonly kind: 'token'; readonly token: string; readonly id?: string }
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'guest-cookie'; readonly secret: string }
  | { readonly kind: 'guest'; readonly user: string };

/** A hub session that several requests share, and the sockets that hear its events. */
export interface Visitor {
  readonly session: Session;
  readonly sinks: Set<Sink>;
  /** Every `visit` needs one. */
  leave(): void;
}

interface Held {
  readonly session: Session;
  readonly sinks: Set<Sink>;
  readonly idleMs: number;
  guests: number;
  cancel: (() => void) | undefined;
}

export const cookieName = 'partyline';

/** What the headers say; the cookie's value is given. Error: `bad-argument` for what cannot be read. */
export function credentialOf({ authorization }: IncomingHttpHeaders, cookie?: string): Credential | undefined {
  if (authorization !== undefined) return authorized(authorization);
  if (!cookie) return undefined;
  if (cookie.startsWith('g_')) return { kind: 'guest-cookie', secret: cookie };
  const [id = '', token = ''] = cookie.split('.');
  return { kind: 'token', token, id };
}

function authorized(header: string): Credential {
  const [, scheme = '', value = ''] = /^(\w+) +(\S+)$/.exec(header) ?? [];
  if (scheme.toLowerCase() === 'bearer') return { kind: 'token', token: value };
  const [, user, password = ''] = /^([^:]+):(.*)$/s.exec(Buffer.from(value, 'base64').toString()) ?? [];
  if (scheme.toLowerCase() !== 'basic' || user === undefined) {
    throw new HubError('bad-argument', 'Authorization is Bearer TOKEN, or Basic with name:password', {
      at: 'authorization',
    });
  }
  if (password.startsWith('pl_')) return { kind: 'token', token: password };
  return password === '' ? { kind: 'guest', user } : { kind: 'password', user, password };
}

export class Visitors {
  readonly #hub: Hub;
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();
  readonly #entering = new Map<string, Promise<Held>>();

  constructor(hub: Hub, clock: Clock) {
    this.#hub = hub;
    this.#clock = clock;
  }

  /** The session of the credential, entered when it is not held. Errors: what LOGIN, TOKEN and NICK say. */
  async visit(credential: Credential, origin: Origin): Promise<Visitor> {
    const key = keyOf(credential, origin);
    return this.#take(this.#held.get(key) ?? (await this.#enterOnce(key, credential, origin)));
  }

  /** Keeps a session that has just entered under a new cookie; gives the cookie's value. */
  async keep(session: Session): Promise<string> {
    if (session.person?.isGuest) {
      const secret = `g_${randomBytes(32).toString('base64url')}`;
      this.#hold(keyOf({ kind: 'guest-cookie', secret }, session.origin), session, limits.guestIdleMs);
      return secret;
    }
    const { id, token } = await this.#hub.execute(session, 'MINT', { label: stayLabel, for: limits.browserFor });
    return `${id}.${token}`;
  }

  /** The cookie opens nothing any more. */
  async forget(visitor: Visitor, credential: Credential): Promise<void> {
    if (credential.kind === 'token' && credential.id !== undefined) {
      await this.#hub.execute(visitor.session, 'REVOKE', { id: credential.id });
    }
    this.#hub.disconnect(visitor.session);
  }

  /** All that are held end. */
  close(): void {
    for (const { session } of [...this.#held.values()]) this.#hub.disconnect(session);
  }

  #enterOnce(key: string, credential: Credential, origin: Origin): Promise<Held> {
    let entering = this.#entering.get(key);
    if (!entering) {
      entering = this.#enter(key, credential, origin).finally(() => this.#entering.delete(key));
      this.#entering.set(key, entering);
    }
    return entering;
  }

  async #enter(key: string, credential: Credential, origin: Origin): Promise<Held> {
    if (credential.kind === 'guest-cookie') throw new HubError('auth-failed', 'this visit is over; enter again');
    const session = await enterAs(this.#hub, credential, origin);
    return this.#hold(key, session, limits.visitIdleMs);
  }

  #hold(key: string, session: Session, idleMs: number): Held {
    const sinks = new Set<Sink>();
    const held: Held = { session, sinks, idleMs, guests: 0, cancel: undefined };
    this.#held.set(key, held);
    this.#hub.subscribe(session, {
      get isDeaf() {
        return sinks.size === 0;
      },
      deliver(batch: EventBatch) {
        for (const sink of sinks) sink.deliver(batch);
      },
      revoked() {
        for (const sink of sinks) sink.revoked?.();
      },
    });
    session.signal.addEventListener('abort', () => {
      held.cancel?.();
      if (this.#held.get(key) === held) this.#held.delete(key);
    });
    this.#rest(held);
    return held;
  }

  #take(held: Held): Visitor {
    const { session, sinks } = held;
    held.guests++;
    held.cancel?.();
    let hasLeft = false;
    const leave = () => {
      if (hasLeft) return;
      hasLeft = true;
      if (--held.guests === 0) this.#rest(held);
    };
    return { session, sinks, leave };
  }

  #rest(held: Held): void {
    if (held.session.signal.aborted) return;
    held.cancel = this.#clock.after(held.idleMs, () => this.#hub.disconnect(held.session));
  }
}

/** A session of its own with the credential's person. */
export async function enterAs(hub: Hub, credential: Credential, origin: Origin): Promise<Session> {
  const session = hub.connect(origin);
  try {
    if (credential.kind === 'token') await hub.execute(session, 'TOKEN', { token: credential.token });
    else if (credential.kind === 'guest') await hub.execute(session, 'NICK', { user: credential.user });
    else if (credential.kind === 'password') await hub.execute(session, 'LOGIN', credential);
    return session;
  } catch (error) {
    hub.disconnect(session);
    throw error;
  }
}

/** Bound to where it comes from, so that what the hub decided about an address and its encryption is decided for each. */
function keyOf(credential: Credential, { address, secure, loopback }: Origin): string {
  return createHash('sha256')
    .update(JSON.stringify([credential, address, secure, loopback]))
    .digest('hex');
}
