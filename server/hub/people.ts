/** Who a session is: guests, accounts, tokens. Rules and handlers of the subject `people`. */
import { formatTime } from '../../shared/clock.ts';
import { HubError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { UserName } from '../../shared/names.ts';
import { stayLabel } from '../../shared/stay-label.ts';
import { foldName } from '../../shared/text.ts';
import { Codes } from './codes.ts';
import type { Call, Domain, Handlers } from './handlers.ts';
import { type Invite, useInvite } from './invites.ts';
import type { LiveSession } from './live-session.ts';
import { changeRoom } from './room-changes.ts';
import type { Person } from './session.ts';
import { Throttle } from './throttle.ts';
import { readToken, scopeOf, type Token, tokensOf } from './tokens.ts';
import { Verified } from './verified.ts';
import type { Write } from './writes.ts';

/** The document of kind `account` under the folded name. */
export interface AccountDocument {
  readonly name: string;
  readonly admin: boolean;
  /** As `Passwords.hash` gave it; empty for a device, which no password opens. */
  readonly password: string;
  readonly device?: true;
  readonly created: string;
}

/** Key and value of a new account. */
export function accountDocument(name: UserName, password: string, isAdmin: boolean, nowMs: number) {
  const value: AccountDocument = { name, admin: isAdmin, password, created: formatTime(nowMs) };
  return { key: foldName(name), value };
}

/** Key and value of an account that only tokens open. */
export function deviceDocument(name: UserName, nowMs: number) {
  const { key, value } = accountDocument(name, '', false, nowMs);
  return { key, value: { ...value, device: true } satisfies AccountDocument };
}

/** Whoever listens on the way could read a password. */
function isExposed({ origin }: LiveSession, { settings }: Domain): boolean {
  return !(origin.secure || origin.loopback || settings.clearPasswords);
}

function demandTls(session: LiveSession, domain: Domain): void {
  if (!isExposed(session, domain)) return;
  throw new HubError('tls-required', 'a password in clear from another host is refused; use the TLS port');
}

export type PeopleHandlers = Pick<Handlers, 'NICK' | 'LOGIN' | 'TOKEN' | 'REGISTER' | 'CODE' | 'PASSWORD' | 'WHOAMI'>;

export async function peopleHandlers(domain: Domain): Promise<PeopleHandlers> {
  const throttle = await Throttle.load(domain);
  const verified = new Verified(domain);
  const codes = new Codes(domain);
  domain.endings.add(session => giveNameUp(domain, session));

  function become(session: LiveSession, account: AccountDocument, token?: Token): { user: UserName } {
    domain.blocks.demandNone(`account:${foldName(account.name)}`);
    if (session.hasEnded) throw new HubError('cancelled', 'the session has ended');
    for (const room of [...session.rooms]) room.part(session);
    giveNameUp(domain, session);
    const principal = `u:${foldName(account.name)}` as const;
    const scope = token && scopeOf(token);
    session.token = token?.id;
    session.person = {
      principal,
      name: account.name,
      isGuest: false,
      isAdmin: account.admin && !scope,
      address: session.origin.address,
      ...(scope && { scope }),
    };
    return { user: account.name as UserName };
  }

  async function failed(account: string, { origin }: LiveSession): Promise<void> {
    const { address, loopback } = origin;
    const count = throttle.failed(account, address);
    if (loopback || count < limits.addressFailuresMax) return;
    const untilMs = domain.clock.now() + limits.addressBlockMs;
    await domain.blocks.add(`address:${address}`, { by: domain.name, reason: 'too many wrong passwords', untilMs });
  }

  async function verify(key: string, session: LiveSession, password: string): Promise<AccountDocument> {
    throttle.check(key, session.origin.address);
    const account = (await domain.store.document<AccountDocument>('account', key))?.value;
    if (!(await verified.check(password, account?.password || undefined)) || !account) {
      await failed(key, session);
      throw new HubError('auth-failed', 'the name or the password is wrong');
    }
    throttle.succeeded(key, session.origin.address);
    return account;
  }

  return {
    async NICK({ session }, { user, invite: word }) {
      if (!domain.settings.guests && word === undefined)
        throw new HubError('forbidden', 'guests are not admitted; LOGIN with an account');
      if (session.person?.isGuest === false) {
        throw new HubError('conflict', `you are ${session.person.name}; only guests change their name`);
      }
      if (await domain.store.document('account', foldName(user))) {
        throw new HubError('exists', `${user} is an account; LOGIN, or take another name`, { account: true });
      }
      demandFreeName(domain, session, user);
      const invite = word === undefined ? undefined : await useInvite(domain, word, 'guest', async () => []);
      enterAsGuest(domain, session, user, invite);
      return { user };
    },

    async LOGIN({ session }, { user, password }) {
      const key = foldName(user);
      throttle.check(key, session.origin.address);
      // It is spent when somebody on the way has read it.
      if (codes.redeem(key, password)) {
        const account = await domain.store.document<AccountDocument>('account', key);
        if (account) return become(session, account.value);
      }
      // Where only such a word enters, what is no password is a guess at it.
      if (isExposed(session, domain) && codes.isOut(key)) await failed(key, session);
      demandTls(session, domain);
      return become(session, await verify(key, session, password));
    },

    async TOKEN({ session }, { token }) {
      demandTls(session, domain);
      throttle.check('', session.origin.address);
      const known = await readToken(domain, token);
      const account = known && (await domain.store.document<AccountDocument>('account', known.account))?.value;
      if (!account) {
        await failed('', session);
        throw new HubError('auth-failed', 'this token is not known');
      }
      return become(session, account, known);
    },

    async REGISTER({ session }, { user, invite: word, password }) {
      demandTls(session, domain);
      if (word === undefined && !domain.settings.registration) {
        throw new HubError('forbidden', 'accounts are made by invite here: REGISTER name invite=… :password');
      }
      demandFreeName(domain, session, user);
      const hash = await domain.passwords.hash(password);
      const writes = (isAdmin: boolean) => accountWrites(domain, user, hash, isAdmin);
      const invite =
        word === undefined ? undefined : await useInvite(domain, word, 'account', ({ admin = false }) => writes(admin));
      if (!invite) await domain.store.commit(await writes(false));
      const account = (await domain.store.document<AccountDocument>('account', foldName(user)))!.value;
      if (invite) await giveRole(domain, foldName(user), invite);
      return { ...become(session, account), ...(account.admin && { admin: true }) };
    },

    CODE({ person }) {
      if (person.isGuest || person.scope)
        throw new HubError('forbidden', 'only whoever entered with a password has one');
      const { code, untilMs } = codes.issue(foldName(person.name));
      return { code, until: formatTime(untilMs) };
    },

    async PASSWORD({ session, person }, { user, old, new: password }) {
      demandTls(session, domain);
      const isOwn = user === undefined || foldName(user) === foldName(person.name);
      if (person.isGuest || person.scope || (!isOwn && !person.isAdmin))
        throw new HubError('forbidden', 'this is not your account');
      const key = foldName(user ?? person.name);
      if (isOwn) {
        if (old === undefined) throw new HubError('bad-argument', 'the old password is needed: old=', { at: 'old' });
        await verify(key, session, old);
      }
      const known = await domain.store.document<AccountDocument>('account', key);
      if (!known || known.value.device) throw new HubError('no-user', `there is no account ${user} with a password`);
      const value = { ...known.value, password: await domain.passwords.hash(password) };
      const writes: Write[] = [{ kind: 'put-document', document: 'account', key, value, expect: known.version }];
      for await (const { key: tokenKey, value: token } of tokensOf(domain, key)) {
        const isOther = token.label === stayLabel && token.id !== session.token;
        if (isOther) writes.push({ kind: 'remove-document', document: 'token', key: tokenKey });
      }
      await domain.store.commit(writes);
      codes.withdraw(key);
      for (const other of [...domain.sessions.values()]) {
        if (other !== session && other.person?.principal === `u:${key}`) other.revoke();
      }
      return { user: known.value.name as UserName };
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

/** Error: `exists`. */
async function accountWrites(
  domain: Domain,
  user: UserName,
  hash: string,
  isAdmin: boolean,
): Promise<readonly Write[]> {
  const { key, value } = accountDocument(user, hash, isAdmin, domain.clock.now());
  if (await domain.store.document('account', key)) throw new HubError('exists', `there is an account ${user} already`);
  return [{ kind: 'put-document', document: 'account', key, value, expect: 0 }];
}

async function giveRole(domain: Domain, key: string, { room: name, role }: Invite): Promise<void> {
  const room = name === undefined ? undefined : domain.rooms.find(name);
  if (room && role) await changeRoom(domain, room, rights => ({ ...rights, roles: { ...rights.roles, [key]: role } }));
}

/** Error: `exists` while another guest bears the name. */
function demandFreeName({ guests }: Domain, session: LiveSession, user: UserName): void {
  const bearer = guests.get(foldName(user));
  if (!bearer || bearer === session) return;
  throw new HubError('exists', `a guest is called ${user} already; take another name`);
}

/** Takes the name for this session until it ends or is called otherwise. Error: `exists`. */
function enterAsGuest(domain: Domain, session: LiveSession, user: UserName, invite?: Invite): void {
  demandFreeName(domain, session, user);
  if (session.hasEnded) throw new HubError('cancelled', 'the session has ended');
  const former = session.person;
  const principal = former?.principal ?? (`g:${session.id}` as const);
  if (former) giveNameUp(domain, session);
  domain.guests.set(foldName(user), session);
  const { room: place, role } = invite ?? {};
  const invited = place !== undefined && role ? { ...former?.invited, [place]: role } : former?.invited;
  session.person = {
    principal,
    name: user,
    isGuest: true,
    isAdmin: false,
    address: session.origin.address,
    ...(invited && { invited }),
  } satisfies Person;
  if (former && former.name !== user) for (const room of session.rooms) room.renamed(session, former.name, user);
}

function giveNameUp(domain: Domain, session: LiveSession): void {
  if (session.person?.isGuest) domain.guests.delete(foldName(session.person.name));
}
