/** The mapped type that makes the compiler demand a handler for every command of table 1, and what a handler is given. */

import type { Clock } from '../../shared/clock.ts';
import type { CommandName, OutputOf, ParsedOf } from '../../shared/commands/index.ts';
import type { Blocks } from './blocks.ts';
import type { DirectRooms } from './direct-rooms.ts';
import type { Blobs, Passwords, Post, Random, Report, Store, WireView } from './host.ts';
import type { Ignores } from './ignores.ts';
import type { LiveRoom, Rooms } from './live-rooms.ts';
import type { Endings, LiveSession } from './live-session.ts';
import type { Presence } from './presence.ts';
import type { ReadMarks } from './read-marks.ts';
import type { Exchange, Person } from './session.ts';

/** One execution. `person` is there for every command that is not open; `room` for those that need an action in one. */
export interface Call {
  readonly session: LiveSession;
  readonly person: Person;
  readonly room: LiveRoom;
  readonly exchange: Exchange;
}

export type Handlers = {
  readonly [N in CommandName]: (call: Call, input: ParsedOf<N>) => OutputOf<N> | Promise<OutputOf<N>>;
};

export interface HubSettings {
  /** People without an account may enter. */
  readonly guests: boolean;
  /** Passwords may come in clear from other hosts. */
  readonly clearPasswords: boolean;
  /** Everybody may make an account. */
  readonly registration: boolean;
  /** What the files of a home may take; 0 or left out for no limit. */
  readonly homeOctets?: number;
  /** Days of history that rooms without a rule of their own keep; all if 0 or left out. */
  readonly retentionDays?: number;
  /** Octets that a person may own over all rooms, unless an administrator says otherwise; no limit if 0 or left out. */
  readonly personQuotaOctets?: number;
}

/** What handlers stand on. */
export interface Domain {
  /** The hub's. */
  readonly name: string;
  readonly store: Store;
  readonly blobs: Blobs;
  readonly passwords: Passwords;
  readonly clock: Clock;
  readonly random: Random;
  readonly report: Report;
  /** Left out: the hub calls nobody. */
  readonly post?: Post;
  /** Left out: connections are not shown. */
  readonly wireView?: WireView;
  readonly settings: HubSettings;
  readonly rooms: Rooms;
  /** Folded name → the guest who bears it. */
  readonly guests: Map<string, LiveSession>;
  readonly endings: Endings;
  /** Told of every room in which something was published; must not throw and must not wait. */
  readonly published: Set<(room: LiveRoom) => void>;
  /** Id → session, of all that are connected. */
  readonly sessions: Map<string, LiveSession>;
  readonly blocks: Blocks;
  readonly presence: Presence;
  readonly ignores: Ignores;
  readonly reads: ReadMarks;
  readonly directs: DirectRooms;
  /** `formatTime`, remembering the last second. */
  stamp(timeMs: number): string;
}
