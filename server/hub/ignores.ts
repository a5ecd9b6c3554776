/** Whom each person ignores: kept for accounts, until the session ends for guests. The fan-out looks at `LiveSession.ignores`. */
import { HubError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { documentsOf } from './documents.ts';
import type { PrincipalId, Store } from './host.ts';
import type { Named, Presence } from './presence.ts';

/** Who is ignored → the name as shown. */
export type Ignored = ReadonlyMap<PrincipalId, string>;

/** The document of kind `ignores` under the folded account name. */
type IgnoresDocument = readonly (readonly [PrincipalId, string])[];

export class Ignores {
  readonly #store: Store;
  readonly #presence: Presence;
  readonly #byPerson = new Map<PrincipalId, Ignored>();

  private constructor(store: Store, presence: Presence) {
    this.#store = store;
    this.#presence = presence;
    presence.come.add(session => {
      session.ignores = session.person && this.#byPerson.get(session.person.principal);
    });
    presence.gone.add(principal => {
      if (principal.startsWith('g:')) this.#byPerson.delete(principal);
    });
  }

  static async load({ store, presence }: { store: Store; presence: Presence }): Promise<Ignores> {
    const ignores = new Ignores(store, presence);
    for await (const { key, value } of documentsOf<IgnoresDocument>(store, 'ignores')) {
      ignores.#byPerson.set(`u:${key}`, new Map(value));
    }
    return ignores;
  }

  of(principal: PrincipalId): Ignored {
    return this.#byPerson.get(principal) ?? new Map();
  }

  /** Error: `quota`. */
  async add(principal: PrincipalId, other: Named): Promise<void> {
    const before = this.of(principal);
    if (before.size >= limits.ignoresMax)
      throw new HubError('quota', `you ignore ${before.size} people; that is the limit`);
    await this.#change(principal, new Map([...before, [other.principal, other.name]]));
  }

  async remove(principal: PrincipalId, other: PrincipalId): Promise<void> {
    await this.#change(principal, new Map([...this.of(principal)].filter(([known]) => known !== other)));
  }

  /** At once, so that two changes in a row both hold; a guest who is ignored is nobody after a restart, so not kept. */
  async #change(principal: PrincipalId, ignored: Ignored): Promise<void> {
    const isNone = ignored.size === 0;
    if (isNone) this.#byPerson.delete(principal);
    else this.#byPerson.set(principal, ignored);
    for (const session of this.#presence.sessionsOf(principal)) session.ignores = isNone ? undefined : ignored;
    if (principal.startsWith('g:')) return;
    const value: IgnoresDocument = [...ignored].filter(([other]) => other.startsWith('u:'));
    const key = principal.slice('u:'.length);
    await this.#store.commit([{ kind: 'put-document', document: 'ignores', key, value }]);
  }
}
