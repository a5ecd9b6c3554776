/** Octets that files take and may take, in a room and of a person. Whoever asks reserves in the same turn, so that two cannot share what is left. */
import { HubError } from '../../shared/errors.ts';
import type { FilePath, UserName } from '../../shared/names.ts';
import { foldName } from '../../shared/text.ts';
import type { Domain, Handlers } from './handlers.ts';
import type { PrincipalId } from './host.ts';
import type { LiveRoom } from './live-rooms.ts';
import { findPerson } from './presence.ts';
import type { Person } from './session.ts';
import type { UploadShelf } from './upload-shelf.ts';

export async function usedOctets({ store }: Pick<Domain, 'store'>, room: LiveRoom): Promise<number> {
  return (await store.usage(`/${room.key}`)).octets;
}

/** What a person may own over all rooms; 0 for no limit. */
async function allowanceOf({ store, settings }: Domain, principal: PrincipalId): Promise<number> {
  const own = principal.startsWith('u:') && (await store.document<number>('allowance', principal.slice('u:'.length)));
  return own ? own.value : (settings.personQuotaOctets ?? 0);
}

export interface Claim {
  readonly room: LiveRoom;
  /** Whose the file will be; left out where a file only moves. */
  readonly owner?: PrincipalId;
  readonly path: FilePath;
  readonly octets: number;
  /** What of them an unfinished upload to this path has reserved already. */
  readonly reserved?: number;
}

/** What is about to become files, beside the unfinished uploads. */
export class Quotas {
  readonly #domain: Domain;
  readonly #shelf: UploadShelf;
  readonly #held = new Set<Claim>();

  constructor(domain: Domain, shelf: UploadShelf) {
    this.#domain = domain;
    this.#shelf = shelf;
  }

  /** Runs with the octets held. Error: `quota`; then it does not run. */
  async holding<T>(claim: Claim, run: () => Promise<T>): Promise<T> {
    // Counted before anything is waited for: what becomes a file meanwhile counts twice, and never not at all.
    const others = { inRoom: this.#reservedIn(claim), ofOwner: this.#reservedOf(claim) };
    this.#held.add(claim);
    try {
      await this.#demandRoom(claim, others.inRoom);
      await this.#demandOwner(claim, others.ofOwner);
      return await run();
    } finally {
      this.#held.delete(claim);
    }
  }

  #reservedIn({ room, path }: Claim): number {
    return this.#shelf.reservedIn(room.key, path) + this.#sum(held => held.room.key === room.key);
  }

  #reservedOf({ owner, path }: Claim): number {
    return owner === undefined ? 0 : this.#shelf.reservedOf(owner, path) + this.#sum(held => held.owner === owner);
  }

  #sum(counts: (held: Claim) => boolean): number {
    let octets = 0;
    for (const held of this.#held) if (counts(held)) octets += Math.max(0, held.octets - (held.reserved ?? 0));
    return octets;
  }

  async #demandRoom({ room, octets }: Claim, reserved: number): Promise<void> {
    const { quotaOctets = 0 } = room.rights;
    if (quotaOctets === 0) return;
    const free = quotaOctets - reserved - (await usedOctets(this.#domain, room));
    if (octets <= free) return;
    throw new HubError(
      'quota',
      `${room.name} has room for ${Math.max(0, free)} of its ${quotaOctets} octets; remove files, or ask its owner`,
    );
  }

  async #demandOwner({ owner, octets }: Claim, reserved: number): Promise<void> {
    const allowed = owner === undefined ? 0 : await allowanceOf(this.#domain, owner);
    if (owner === undefined || allowed === 0) return;
    const free = allowed - reserved - (await this.#domain.store.owned(owner)).octets;
    if (octets <= free) return;
    throw new HubError(
      'quota',
      `you may own ${Math.max(0, free)} more of ${allowed} octets over all rooms; remove files, or ask an administrator`,
    );
  }
}

export function quotaHandlers(domain: Domain): Pick<Handlers, 'ALLOWANCE'> {
  const { store } = domain;
  return {
    async ALLOWANCE({ person }, { user, octets }) {
      const target = user === undefined ? person : await whose(domain, person, user, octets !== undefined);
      if (octets !== undefined) {
        await store.commit([
          { kind: 'put-document', document: 'allowance', key: foldName(target.name), value: octets },
        ]);
      }
      const [allowed, { octets: used }] = await Promise.all([
        allowanceOf(domain, target.principal),
        store.owned(target.principal),
      ]);
      return { user: target.name as UserName, octets: allowed, used };
    },
  };
}

/** Errors: `forbidden` for others than administrators, and where a guest is to be given one; `no-user`. */
async function whose(domain: Domain, person: Person, user: UserName, isChange: boolean): Promise<Person> {
  if (!person.isAdmin && (isChange || foldName(user) !== foldName(person.name)))
    throw new HubError('forbidden', 'this is for administrators');
  const target = await findPerson(domain, user);
  if (isChange && target.isGuest) throw new HubError('forbidden', `${target.name} is a guest; quotas are for accounts`);
  return target;
}
