/** Who a session is: guests, accounts, tokens. Rules and handlers of the subject `people`. */
import { createHash, createHmac } from 'node:crypto';
import { formatTime } from '../../shared/clock.ts';
import { HubError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { foldName, type UserName } from '../../shared/names.ts';
import type { Call, Domain, Handlers } from './handlers.ts';
import type { LiveSession } from './live-session.ts';
import type { Person } from './session.ts';
import { Throttle } from './throttle.ts';

/** The document of kind `account` under the folded name. */
export interface AccountDocument {
  readonly name: string;
  readonly admin: boolean;
  /** As `Passwords.hash` gave it. */
  readonly password: string;
  readonly created: string;
}

/** The document of kind `token` under the sha256 of the secret. */
interface TokenDocument {
  readonly account: string;
}

/** Key and value of a new account. */
export function accountDocument(name: UserName, password: string, isAdmin: boolean, nowMs: number) {
  const value: AccountDocument = { name, admin: isAdmin, password, created: formatTime(nowMs) };
  return { key: foldName(name), value };
}

/** Verified passwords by a keyed digest; it covers the stored hash, so a changed password is another key. */
class Verified {
  readonly #domain: Domain;
  readonly #secret: string;
  readonly #until = new Map<string, number>();
  /** Fifty logins of one person at once wait for one hash. */
  readonly #running = new Map<string, Promise<boolean>>();

  constructor(domain: Domain) {
    this.#domain = domain;
    this.#secret = domain.random.token(32);
  }

  async check(password: string, stored: string | undefined): Promise<boolean> {
    const { clock } = this.#domain;
    const key = createHmac('sha256', this.#secret).update(`${stored}\0${password}`).digest('base64');
    if ((this.#until.get(key) ?? 0) > clock.now()) return true;
    this.#until.delete(key);
    let running = this.#running.get(key);
    if (!running) {
      running = this.#verify(key, password, stored).finally(() => this.#running.delete(key));
      this.#running.set(key, running);
    }
    return running;
  }

  async #verify(key: string, password: string, stored: string | undefined): Promise<boolean> {
    const { clock, passwords } = this.#domain;
    if (!(await passwords.verify(password, stored))) return false;
    this.#until.set(key, clock.now() + limits.verifiedMs);
    if (this.#until.size > 1_000) this.#until.delete(this.#until.keys().next().value!);
    return true;
  }
}

function demandTls(session: LiveSession, domain: Domain): void {
  const { secure, loopback } = session.origin;
  if (secure || loopback || domain.settings.clearPasswords) return;
  throw new HubError('tls-required', 'a password in clear from another host is refused; use the TLS port');
}

export type PeopleHandlers = Pick<Handlers, 'NICK' | 'LOGIN' | 'TOKEN' | 'WHOAMI'>;

export function peopleHandlers(domain: Domain): PeopleHandlers {
  const throttle = new Throttle(domain.clock);
  const verified = new Verified(domain);
  domain.endings.add(session => giveNameUp(domain, session));

  function become(session: LiveSession, account: AccountDocument): { user: UserName } {
    if (session.hasEnded) throw new HubError('cancelled', 'the session has ended');
    for (const room of [...session.rooms]) room.part(session);
    giveNameUp(domain, session);
    const principal = `u:${foldName(account.name)}` as const;
    session.person = { principal, name: account.name, isGuest: false, isAdmin: account.admin };
    return { user: account.name as UserName };
  }

  return {
    async NICK({ session }, { user }) {
      if (!domain.settings.guests) throw new HubError('forbidden', 'guests are not admitted; LOGIN with an account');
      if (session.person?.isGuest === false) {
        throw new HubError('conflict', `you are ${session.person.name}; only guests change their name`);
      }
      if (await domain.store.document('account', foldName(user))) {
        throw new HubError('exists', `${user} is an account; LOGIN, or take another name`);
      }
      enterAsGuest(domain, session, user);
      return { user };
    },

    async LOGIN({ session }, { user, password }) {
      demandTls(session, domain);
      const key = foldName(user);
      throttle.check(key, session.origin.address);
      const account = (await domain.store.document<AccountDocument>('account', key))?.value;
      if (!(await verified.check(password, account?.password)) || !account) {
        throttle.failed(key, session.origin.address);
        throw new HubError('auth-failed', 'the name or the password is wrong');
      }
      throttle.succeeded(key, session.origin.address);
      return become(session, account);
    },

    async TOKEN({ session }, { token }) {
      demandTls(session, domain);
      throttle.check('', session.origin.address);
      const key = createHash('sha256').update(token).digest('hex');
      const known = (await domain.store.document<TokenDocument>('token', key))?.value;
      const account = known && (await domain.store.document<AccountDocument>('account', known.account))?.value;
      if (!account) {
        throttle.failed('', session.origin.address);
        throw new HubError('auth-failed', 'this token is not known');
      }
      return become(session, account);
    },

    WHOAMI({ session, person }: Call) {
      const { wire, address, secure } = session.origin;
      return {
        user: person.name as UserName,
        ...(person.isGuest && { guest: true }),
        ...(person.isAdmin && { admin: true }),
        wire,
        address,
        ...(secure && { secure }),
      };
    },
  };
}

/** Takes the name for this session until it ends or is called otherwise. Error: `exists`. */
function enterAsGuest(domain: Domain, session: LiveSession, user: UserName): void {
  const key = foldName(user);
  const bearer = domain.guests.get(key);
  if (bearer && bearer !== session)
    throw new HubError('exists', `a guest is called ${user} already; take another name`);
  if (session.hasEnded) throw new HubError('cancelled', 'the session has ended');
  const former = session.person;
  const principal = former?.principal ?? (`g:${session.id}` as const);
  if (former) giveNameUp(domain, session);
  domain.guests.set(key, session);
  session.person = { principal, name: user, isGuest: true, isAdmin: false } satisfies Person;
  if (former && former.name !== user) for (const room of session.rooms) room.renamed(session, former.name, user);
}

function giveNameUp(domain: Domain, session: LiveSession): void {
  if (session.person?.isGuest) domain.guests.delete(foldName(session.person.name));
}
