/** Who is here: the sessions of every person, and why somebody does not answer. Rules of commands are in `whereabouts.ts`. */
import { HubError } from '../../shared/errors.ts';
import type { UserName } from '../../shared/names.ts';
import { foldName } from '../../shared/text.ts';
import type { Domain } from './handlers.ts';
import type { PrincipalId } from './host.ts';
import type { LiveSession } from './live-session.ts';
import type { AccountDocument } from './people.ts';
import type { Person } from './session.ts';

export class Presence {
  /** Told when a person's last session has ended or is somebody else. */
  readonly gone = new Set<(principal: PrincipalId) => void>();
  /** Told when a session is somebody. */
  readonly come = new Set<(session: LiveSession) => void>();
  readonly #sessions: ReadonlyMap<string, LiveSession>;
  /** Accounts only: a guest has one session, which its principal names. */
  readonly #byAccount = new Map<PrincipalId, readonly LiveSession[]>();
  readonly #away = new Map<PrincipalId, string>();

  constructor(sessions: ReadonlyMap<string, LiveSession>) {
    this.#sessions = sessions;
    this.gone.add(principal => void this.#away.delete(principal));
  }

  sessionsOf(principal: PrincipalId): readonly LiveSession[] {
    if (principal.startsWith('u:')) return this.#byAccount.get(principal) ?? [];
    const session = this.#sessions.get(principal.slice('g:'.length));
    return session?.person?.principal === principal ? [session] : [];
  }

  isHere(principal: PrincipalId): boolean {
    return this.sessionsOf(principal).length > 0;
  }

  away(principal: PrincipalId): string | undefined {
    return this.#away.get(principal);
  }

  setAway(principal: PrincipalId, text: string | undefined): void {
    if (text === undefined || text === '') this.#away.delete(principal);
    else this.#away.set(principal, text);
  }

  /** The session was somebody else, or nobody, before. */
  changed(session: LiveSession, former: Person | undefined): void {
    const { person } = session;
    if (person?.principal !== former?.principal) {
      if (former) this.#left(session, former.principal);
      if (person?.isGuest === false) {
        this.#byAccount.set(person.principal, [...this.sessionsOf(person.principal), session]);
      }
    }
    for (const tell of this.come) tell(session);
  }

  ended(session: LiveSession): void {
    if (session.person) this.#left(session, session.person.principal);
  }

  #left(session: LiveSession, principal: PrincipalId): void {
    const others = (this.#byAccount.get(principal) ?? []).filter(other => other !== session);
    if (others.length > 0) this.#byAccount.set(principal, others);
    else {
      this.#byAccount.delete(principal);
      for (const tell of this.gone) tell(principal);
    }
  }
}

/** Somebody who was named: with an account, or a guest who is here. */
export type Named = Pick<Person, 'principal' | 'name' | 'isGuest'>;

/** Errors: `no-user`. */
export async function findPerson(domain: Domain, user: UserName): Promise<Person> {
  const key = foldName(user);
  const guest = domain.guests.get(key)?.person;
  if (guest) return guest;
  const account = (await domain.store.document<AccountDocument>('account', key))?.value;
  if (!account) throw new HubError('no-user', `there is no account ${user}, and no guest of that name is here`);
  return { principal: `u:${key}`, name: account.name, isGuest: false, isAdmin: account.admin, address: '' };
}
