/** Rooms as they live in memory: their rights, their newest number, who hears them. The store holds the truth. */
import type { Clock } from '../../shared/clock.ts';
import { HubError } from '../../shared/errors.ts';
import type { LogEvent } from '../../shared/events.ts';
import { pathComponents } from '../../shared/paths.ts';
import { foldName } from '../../shared/text.ts';
import { documentsOf } from './documents.ts';
import { Fanout } from './fanout.ts';
import { homeDocument } from './homes.ts';
import type { Document, PrincipalId, Store } from './host.ts';
import type { LiveSession } from './live-session.ts';
import type { RoomRights, Sanction } from './permissions.ts';
import type { RetentionRule } from './retention.ts';
import type { Person } from './session.ts';
import { tellWatchers, type Watch } from './watches.ts';

/** The document of kind `room` under the folded name. */
export interface RoomDocument extends RoomRights {
  readonly topic: string;
  readonly created: string;
  /** Folded account name of who made it. */
  readonly creator?: string;
  /** Seconds between two messages of a person. */
  readonly slowS?: number;
  readonly quotaOctets?: number;
  /** Of a home, which has no log. */
  readonly isHome?: true;
  readonly retention?: RetentionRule;
  /** Of a conversation of two. */
  readonly pair?: readonly [PrincipalId, PrincipalId];
}

export class LiveRoom {
  readonly key: string;
  #document: Document<RoomDocument>;
  readonly #clock: Clock;
  /** When the next ban or mute is over. */
  #untilMs: number;
  /** The newest number that was published. */
  last: number;
  readonly #fanout: Fanout<LiveSession>;
  /** Who follows its files without having joined. */
  readonly watches = new Set<Watch>();
  /** Principal → sessions in the room, so that a person with two of them joins and parts once. */
  readonly #present = new Map<string, number>();

  /** Who hears what is said without having joined. */
  readonly #ears: (() => readonly LiveSession[]) | undefined;

  constructor(document: Document<RoomDocument>, last: number, clock: Clock, ears?: () => readonly LiveSession[]) {
    this.key = document.key;
    this.#document = document;
    this.#untilMs = firstEnd(document.value);
    this.#clock = clock;
    this.last = last;
    this.#ears = ears;
    this.#fanout = new Fanout(document.value.name, clock);
  }

  get document(): Document<RoomDocument> {
    if (this.#clock.now() >= this.#untilMs) {
      const { bans = {}, mutes = {}, ...others } = this.#document.value;
      const value = { ...others, bans: this.#stillOn(bans), mutes: this.#stillOn(mutes) };
      this.document = { ...this.#document, value };
    }
    return this.#document;
  }

  set document(document: Document<RoomDocument>) {
    this.#document = document;
    this.#untilMs = firstEnd(document.value);
  }

  #stillOn(sanctions: Sanctions): Sanctions {
    const now = this.#clock.now();
    return Object.fromEntries(
      Object.entries(sanctions).filter(([, { untilMs }]) => untilMs === undefined || untilMs > now),
    );
  }

  get rights(): RoomDocument {
    return this.document.value;
  }

  get name(): string {
    return this.#document.value.name;
  }

  get memberCount(): number {
    return this.#present.size;
  }

  sessions(): Iterable<LiveSession> {
    return this.#fanout.hearers.keys();
  }

  /** Goes live behind `after`. */
  join(session: LiveSession, person: Person, after: number): void {
    const isThere = session.rooms.has(this);
    this.#fanout.add(session, after);
    if (isThere) return;
    session.rooms.add(this);
    const count = (this.#present.get(person.principal) ?? 0) + 1;
    this.#present.set(person.principal, count);
    if (count === 1) this.#tell('JOINED', session, person);
  }

  part(session: LiveSession): void {
    const person = session.person;
    if (!session.rooms.delete(this) || !person) return;
    this.#fanout.remove(session);
    const count = (this.#present.get(person.principal) ?? 1) - 1;
    if (count > 0) {
      this.#present.set(person.principal, count);
      return;
    }
    this.#present.delete(person.principal);
    this.#tell('PARTED', session, person);
  }

  renamed(session: LiveSession, from: string, to: string): void {
    this.#fanout.publish({ event: 'RENAMED', room: this.name, user: from, to }, session);
  }

  /** `by`: who did it, for those who ignore them. */
  publish(event: LogEvent, by: PrincipalId): void {
    if (event.seq > this.last) this.last = event.seq;
    for (const session of this.#ears?.() ?? []) {
      if (session.person && !session.rooms.has(this)) this.join(session, session.person, event.seq - 1);
    }
    this.#fanout.publish(event, undefined, by);
    if (this.watches.size > 0 && event.event === 'FILE') tellWatchers(this, event, this.#clock);
  }

  typing(session: LiveSession, person: Person): void {
    const guest = person.isGuest ? { guest: true } : {};
    const event = { event: 'TYPING', room: this.name, from: person.name, ...guest } as const;
    this.#fanout.publish(event, session, person.principal);
  }

  #tell(event: 'JOINED' | 'PARTED', session: LiveSession, person: Person): void {
    if (this.#ears) return;
    const guest = person.isGuest ? { guest: true } : {};
    this.#fanout.publish({ event, room: this.name, user: person.name, ...guest }, session);
  }
}

type Sanctions = Readonly<Record<string, Sanction>>;

function firstEnd({ bans = {}, mutes = {} }: RoomDocument): number {
  const ends = [...Object.values(bans), ...Object.values(mutes)].map(
    ({ untilMs }) => untilMs ?? Number.POSITIVE_INFINITY,
  );
  return Math.min(Number.POSITIVE_INFINITY, ...ends);
}

export class Rooms {
  readonly #clock: Clock;
  readonly #homeOctets: number;
  readonly #byKey = new Map<string, LiveRoom>();
  /** Spellings that were asked for and found; folding a name costs more than all else of a lookup. */
  readonly #bySpelling = new Map<string, LiveRoom>();

  /** `homeOctets`: what the files of a home may take, 0 for no limit. */
  constructor(clock: Clock, homeOctets = 0) {
    this.#clock = clock;
    this.#homeOctets = homeOctets;
  }

  /** Reads every room of the store. */
  async load(store: Store): Promise<void> {
    for await (const document of documentsOf<RoomDocument>(store, 'room')) {
      this.add(document, await store.head(document.value.name));
    }
  }

  add(document: Document<RoomDocument>, last: number): LiveRoom {
    const room = new LiveRoom(document, last, this.#clock);
    this.#byKey.set(document.key, room);
    this.#bySpelling.set(document.value.name, room);
    return room;
  }

  find(name: string): LiveRoom | undefined {
    return this.#bySpelling.get(name) ?? this.#byKey.get(foldName(name));
  }

  /** Error: `no-room`. */
  get(name: string): LiveRoom {
    const room = this.find(name);
    if (!room) throw new HubError('no-room', `there is no room ${name}; try ROOMS`);
    return room;
  }

  /** The room or home in which a path lies. Errors: `no-room`; `bad-argument` for `/` itself. */
  ofPath(path: string): LiveRoom {
    const first = pathComponents(path)[0];
    if (first === undefined) throw new HubError('bad-argument', 'name a room: /room/path', { at: 'path' });
    if (first.startsWith('~')) return this.home(first);
    return this.get(first);
  }

  /** The home `~ada`, made anew each time. Of any name: only `demand` tells whose it is. */
  home(name: string): LiveRoom {
    const key = foldName(name);
    return new LiveRoom({ key, version: 1, value: homeDocument(key, this.#homeOctets) }, 0, this.#clock);
  }

  /** Without homes. */
  all(): Iterable<LiveRoom> {
    return this.#byKey.values();
  }
}
