/** Who may do what in a room: one table, one function, asked by every handler and by nobody else. */
import { type Action, actions } from '../../shared/commands/command.ts';
import { HubError } from '../../shared/errors.ts';
import type { PrincipalId } from './host.ts';
import type { Person } from './session.ts';

/** `guest` is what a person without an account is in a public room. */
export type Role = 'owner' | 'moderator' | 'member' | 'guest' | 'reader' | 'dropper' | 'none';

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

/** What of a room the function looks at. */
export interface RoomRights {
  readonly name: string;
  readonly visibility: 'public' | 'listed' | 'private';
  /** Folded account name → role. */
  readonly roles: Readonly<Record<string, Role>>;
}

/** The role a person has in a room. Administrators own every room. */
export function roleOf(person: Person, room: RoomRights): Role {
  if (person.isAdmin) return 'owner';
  const given = person.isGuest ? undefined : room.roles[person.principal.slice('u:'.length)];
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
  const allowed = roleActions[roleOf(person, room)];
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

/** As `may`, but throws: `no-room` for a room that the person may not see, else `forbidden` with what to do. */
export function demand(
  person: Person,
  action: Action,
  room: RoomRights,
  object?: { readonly owner: PrincipalId },
): void {
  if (may(person, action, room, object)) return;
  if (!may(person, 'see', room)) throw new HubError('no-room', `there is no room ${room.name}; try ROOMS`);
  const advice = person.isGuest ? '; guests need an account for this: LOGIN' : '';
  throw new HubError('forbidden', `you may not ${wants[action]}${advice}`);
}
