/**
 * Conversations of two: rooms that are found by who asks, so that nobody else can name them. They are no part of `Rooms`;
 * one with a guest ends with the guest, and its log with it.
 */
import { type Clock, formatTime } from '../../shared/clock.ts';
import { HubError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { foldName } from '../../shared/text.ts';
import { documentsOf } from './documents.ts';
import type { Domain } from './handlers.ts';
import type { PrincipalId, Random, Report, Store } from './host.ts';
import { LiveRoom, type RoomDocument } from './live-rooms.ts';
import type { LiveSession } from './live-session.ts';
import type { Named, Presence } from './presence.ts';
import type { Person } from './session.ts';
import type { Write } from './writes.ts';

/** The document of kind `direct` under the room's name, `@ada+bob`. */
interface DirectDocument extends RoomDocument {
  readonly pair: readonly [PrincipalId, PrincipalId];
  /** Who began it, and when in milliseconds. */
  readonly by: PrincipalId;
  readonly begunMs: number;
}

interface World {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly report: Report;
  readonly presence: Presence;
  readonly guests: ReadonlyMap<string, LiveSession>;
}

const pairKey = (pair: readonly PrincipalId[]) => pair.toSorted().join(' ');
const hasGuest = ({ pair }: DirectDocument) => pair.some(principal => principal.startsWith('g:'));

interface Direct {
  readonly room: LiveRoom;
  readonly document: DirectDocument;
}

export class DirectRooms {
  readonly #world: World;
  readonly #byPair = new Map<string, Direct>();
  readonly #byName = new Map<string, Direct>();
  readonly #byPerson = new Map<PrincipalId, Set<Direct>>();
  readonly #beginning = new Map<string, Promise<LiveRoom>>();

  private constructor(world: World) {
    this.#world = world;
    world.presence.gone.add(principal => void (principal.startsWith('g:') && this.#endAll(principal)));
  }

  /** Reads every conversation; those of guests are over since the program ended. */
  static async load(world: World): Promise<DirectRooms> {
    const rooms = new DirectRooms(world);
    const { store } = world;
    for await (const { key, value } of documentsOf<DirectDocument>(store, 'direct')) {
      if (hasGuest(value)) await store.commit(removal(key));
      else rooms.#add(value, await store.head(key));
    }
    return rooms;
  }

  /** The conversation that `@bob` or `@ada+bob` is for this person. Error: `no-room`, also for those of others. */
  get(person: Person, name: string): LiveRoom {
    const found = name.includes('+') ? this.#byName.get(foldName(name)) : this.#with(person, foldName(name.slice(1)));
    if (!found?.document.pair.includes(person.principal) || person.scope?.room !== undefined)
      throw new HubError('no-room', `there is no room ${name}; try ROOMS`);
    return found.room;
  }

  #with(person: Person, name: string): Direct | undefined {
    const guest = this.#world.guests.get(name)?.person;
    return this.#byPair.get(pairKey([person.principal, guest?.principal ?? `u:${name}`]));
  }

  all(): readonly LiveRoom[] {
    return [...this.#byName.values()].map(({ room }) => room);
  }

  of(person: Person): readonly LiveRoom[] {
    if (person.scope?.room !== undefined) return [];
    return [...(this.#byPerson.get(person.principal) ?? [])].map(({ room }) => room);
  }

  /** The conversation of the two, made if there is none. Errors: `quota`; `no-user` if a guest went meanwhile. */
  async withOther(person: Person, other: Named): Promise<LiveRoom> {
    const key = pairKey([person.principal, other.principal]);
    const known = this.#byPair.get(key);
    if (known) return known.room;
    let beginning = this.#beginning.get(key);
    if (!beginning) {
      beginning = this.#begin(person, other).finally(() => this.#beginning.delete(key));
      this.#beginning.set(key, beginning);
    }
    return beginning;
  }

  async #begin(person: Person, other: Named): Promise<LiveRoom> {
    const { store, clock, random, presence } = this.#world;
    const begunMs = clock.now();
    const recent = [...(this.#byPerson.get(person.principal) ?? [])].filter(
      ({ document: { by, begunMs: thenMs } }) => by === person.principal && thenMs > begunMs - limits.newDirectsMs,
    ).length;
    if (recent >= limits.newDirectsMax)
      throw new HubError('quota', `you began ${recent} conversations since yesterday; that is the limit`);
    const isBrief = person.isGuest || other.isGuest;
    // A guest's name is somebody else's tomorrow.
    const mark = isBrief ? `~${random.token(9).toLowerCase()}` : '';
    const document: DirectDocument = {
      name: `@${[person.name, other.name].map(foldName).sort().join('+')}${mark}`,
      visibility: 'private',
      roles: {},
      topic: '',
      created: formatTime(begunMs),
      pair: [person.principal, other.principal],
      by: person.principal,
      begunMs,
    };
    const { name } = document;
    await store.commit([{ kind: 'put-document', document: 'direct', key: name, value: document, expect: 0 }]);
    const missing = document.pair.some(principal => principal.startsWith('g:') && !presence.isHere(principal));
    if (missing) {
      await store.commit(removal(name));
      throw new HubError('no-user', `${other.name} is not here any more`);
    }
    return this.#add(document, 0);
  }

  #add(document: DirectDocument, last: number): LiveRoom {
    const { clock, presence } = this.#world;
    const { name, pair } = document;
    const ears = () => pair.flatMap(principal => presence.sessionsOf(principal));
    const direct = { document, room: new LiveRoom({ key: name, version: 1, value: document }, last, clock, ears) };
    this.#byPair.set(pairKey(pair), direct);
    this.#byName.set(name, direct);
    for (const principal of pair) {
      const known = this.#byPerson.get(principal);
      if (known) known.add(direct);
      else this.#byPerson.set(principal, new Set([direct]));
    }
    return direct.room;
  }

  #endAll(guest: PrincipalId): void {
    for (const direct of this.#byPerson.get(guest) ?? []) {
      const { document, room } = direct;
      for (const session of [...room.sessions()]) room.part(session);
      this.#byPair.delete(pairKey(document.pair));
      this.#byName.delete(document.name);
      for (const principal of document.pair) this.#leave(principal, direct);
      this.#world.store
        .commit(removal(document.name))
        .catch(error => this.#world.report({ what: `removing ${document.name}`, error }));
    }
  }

  #leave(principal: PrincipalId, direct: Direct): void {
    const known = this.#byPerson.get(principal);
    known?.delete(direct);
    if (known?.size === 0) this.#byPerson.delete(principal);
  }
}

function removal(name: string): Write[] {
  return [
    { kind: 'remove-document', document: 'direct', key: name },
    { kind: 'remove-log', room: name },
  ];
}

/** The room of that name, or the person's conversation. Error: `no-room`. */
export function roomFor(domain: Domain, person: Person, name: string): LiveRoom {
  return name.startsWith('@') ? domain.directs.get(person, name) : domain.rooms.get(name);
}
