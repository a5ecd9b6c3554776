/** Who may do what in a room: one table, one function, asked by every handler and by nobody else. */
import { formatTime } from '../../shared/clock.ts';
import { type Action, actions } from '../../shared/commands/command.ts';
import { HubError } from '../../shared/errors.ts';
import type { RoleName, Visibility } from '../../shared/model.ts';
import type { PrincipalId } from './host.ts';
import type { Person } from './session.ts';

/** `guest` is what a person without an account is in a public room. */
export type Role = RoleName | 'guest';

const all: readonly Action[] = actions;
const guest: readonly Action[] = ['see', 'read', 'post', 'list', 'download'];

/** The table: role → actions. `overwrite` and `delete-own` concern one's own things; `delete-any` everybody's. */
export const roleActions: Readonly<Record<Role, readonly Action[]>> = {
  owner: all,
  moderator: all.filter(action => action !== 'manage'),
  member: [...guest, 'upload', 'overwrite', 'delete-own'],
  guest,
  reader: ['see', 'read', 'list', 'download'],
  dropper: ['see', 'upload'],
  none: [],
};

/** What somebody is kept from in a room. */
export interface Sanction {
  /** As the moderator wrote it. */
  readonly user: string;
  readonly by: string;
  readonly reason: string;
  /** Milliseconds since 1970; without it for good. */
  readonly untilMs?: number;
}

/** What of a room, or of a home, the function looks at. */
export interface RoomRights {
  readonly name: string;
  readonly visibility: Visibility;
  /** Folded account name → role. */
  readonly roles: Readonly<Record<string, RoleName>>;
  /** `sanctionKey` → why; those that are over are not here any more. */
  readonly bans?: Readonly<Record<string, Sanction>>;
  readonly mutes?: Readonly<Record<string, Sanction>>;
  /** Written by the hub alone. */
  readonly isRecord?: true;
}

const recordActions: readonly Action[] = ['see', 'read', 'list', 'download', 'invite', 'manage'];

/** Under what a person is banned and muted: an account by name, a guest, who may come back under another one, by address. */
export function sanctionKey(person: Pick<Person, 'principal' | 'isGuest' | 'address'>): string {
  return person.isGuest ? `a:${person.address}` : person.principal;
}

function sanctionIn(sanctions: RoomRights['bans'], person: Person): Sanction | undefined {
  return ownValue(sanctions, sanctionKey(person));
}

/** A name may be one that every object has, such as `constructor`. */
function ownValue<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record && Object.hasOwn(record, key) ? record[key] : undefined;
}

/** The role a person has in a room or home. Administrators own every one. */
export function roleOf(person: Person, room: RoomRights): Role {
  if (person.isAdmin) return 'owner';
  const given = person.isGuest
    ? ownValue(person.invited, room.name)
    : ownValue(room.roles, person.principal.slice('u:'.length));
  if (given) return given;
  if (room.visibility !== 'public') return 'none';
  return person.isGuest ? 'guest' : 'member';
}

/** May this person do this in the room, to this object? */
export function may(
  person: Person,
  action: Action,
  room: RoomRights,
  object?: { readonly owner: PrincipalId },
): boolean {
  if (sanctionIn(room.bans, person) || (action === 'post' && sanctionIn(room.mutes, person))) return false;
  if (room.isRecord && !recordActions.includes(action)) return false;
  const { scope } = person;
  if (scope?.room !== undefined && scope.room !== room.name) return false;
  if (scope?.actions && action !== 'see' && !scope.actions.includes(action)) return false;
  const role = roleOf(person, room);
  // Who is not in a listed room knows that it is there.
  if (role === 'none' && action === 'see') return room.visibility === 'listed';
  const allowed = roleActions[role];
  if (object && (action === 'overwrite' || action === 'delete-own') && object.owner !== person.principal) {
    return allowed.includes('delete-any');
  }
  return allowed.includes(action);
}

const wants: Readonly<Record<Action, string>> = {
  see: 'see this room',
  read: 'read here',
  post: 'post here',
  list: 'list files here',
  download: 'download here',
  upload: 'upload here',
  overwrite: 'overwrite the file of another person',
  'delete-own': 'move or remove what another person owns',
  'delete-any': 'remove what another person owns',
  invite: 'invite people here',
  moderate: 'moderate this room',
  manage: 'manage this room',
};

/**
 * As `may`, but throws: `banned` with the reason; `no-room` for a room that the person may not see; else `forbidden` with
 * what to do.
 */
export function demand(
  person: Person,
  action: Action,
  room: RoomRights,
  object?: { readonly owner: PrincipalId },
): void {
  if (may(person, action, room, object)) return;
  const ban = sanctionIn(room.bans, person);
  if (ban) throw new HubError('banned', `you are banned from ${room.name}${why(ban)}`);
  if (!may(person, 'see', room)) throw new HubError('no-room', `there is no room ${room.name}; try ROOMS`);
  const mute = action === 'post' ? sanctionIn(room.mutes, person) : undefined;
  if (mute) throw new HubError('forbidden', `you are muted in ${room.name}${why(mute)}`);
  const advice = person.isGuest ? '; guests need an account for this: LOGIN' : '';
  throw new HubError('forbidden', `you may not ${wants[action]}${advice}`);
}

/**
 * What of the files here the person may look at: all, or those of their own where they may only bring some. Error: as
 * `demand`.
 */
export function demandLook(person: Person, room: RoomRights): 'all' | 'own' {
  if (!may(person, 'list', room) && may(person, 'upload', room)) return 'own';
  demand(person, 'list', room);
  return 'all';
}

const directActions: readonly Action[] = ['see', 'read', 'post'];

/** Both may see, read and post, administrators among the two no more than that; a token may leave less. Error: `forbidden`. */
export function demandDirect({ scope }: Person, action: Action): void {
  const isLeft = action === 'see' || !scope?.actions || scope.actions.includes(action);
  if (scope?.room === undefined && isLeft && directActions.includes(action)) return;
  throw new HubError('forbidden', 'you may not do this in a conversation of two');
}

/** What is nobody's but the person's own: not for a token that says less than everything. Error: `forbidden`. */
export function demandUnbound({ scope }: Person): void {
  if (scope) throw new HubError('forbidden', 'this token may not do that; LOGIN with the password');
}

/** ` until 2026-11-23T12:00:00Z: spam` */
export function why({ untilMs, reason }: Pick<Sanction, 'untilMs' | 'reason'>): string {
  const until = untilMs === undefined ? '' : ` until ${formatTime(untilMs)}`;
  return reason === '' ? until : `${until}: ${reason}`;
}
