/** Roles, visibility, and what moderators do: kick, ban, mute, slow down, limit. Rules and handlers of the subject `rights`. */
import { formatTime } from '../../shared/clock.ts';
import { HubError } from '../../shared/errors.ts';
import { type RoleName, roleNames } from '../../shared/model.ts';
import type { RoomName, UserName } from '../../shared/names.ts';
import { foldName } from '../../shared/text.ts';
import { tell } from './fanout.ts';
import type { Call, Domain, Handlers } from './handlers.ts';
import type { LiveRoom } from './live-rooms.ts';
import { demand, type Role, roleOf, type Sanction, sanctionKey, why } from './permissions.ts';
import { findPerson } from './presence.ts';
import { usedOctets } from './quotas.ts';
import { changeRoom } from './room-changes.ts';
import type { Person } from './session.ts';

export type RightsHandlers = Pick<
  Handlers,
  'ROLE' | 'ROLES' | 'VISIBILITY' | 'KICK' | 'BAN' | 'UNBAN' | 'MUTE' | 'UNMUTE' | 'BANS' | 'SLOW' | 'QUOTA'
>;

type SanctionInput = {
  readonly user: UserName;
  readonly for?: number | undefined;
  readonly reason?: string | undefined;
};

export function rightsHandlers(domain: Domain): RightsHandlers {
  /** Somebody with an account, or a guest who is there. Error: `no-user`. */
  /** The one who is to be sanctioned stands below the one who does it. */
  async function below({ person, room }: Call, user: UserName): Promise<Person> {
    const target = await findPerson(domain, user);
    const [own, other] = [rank(roleOf(person, room.rights)), rank(roleOf(target, room.rights))];
    if (target.principal === person.principal) throw new HubError('forbidden', 'not yourself');
    if (own < other || (own === 0 && !target.isAdmin)) return target;
    throw new HubError('forbidden', `${target.name} stands as high as you here`);
  }

  async function sanction(call: Call, kind: 'bans' | 'mutes', { user, for: forMs, reason = '' }: SanctionInput) {
    const { room, person } = call;
    const target = await below(call, user);
    const until = forMs === undefined ? {} : { untilMs: domain.clock.now() + forMs };
    const entry: Sanction = { user: target.name, by: person.name, reason, ...until };
    await changeRoom(domain, room, rights => ({
      ...rights,
      [kind]: { ...rights[kind], [sanctionKey(target)]: entry },
    }));
    const shown = entry.untilMs === undefined ? {} : { until: formatTime(entry.untilMs) };
    return { room: room.name as RoomName, user: target.name as UserName, ...shown };
  }

  /** By the name that was sanctioned: a guest may be gone. */
  async function lift({ room }: Call, kind: 'bans' | 'mutes', user: UserName) {
    const entries = Object.entries(room.rights[kind] ?? {});
    const kept = entries.filter(([, entry]) => foldName(entry.user) !== foldName(user));
    if (kept.length === entries.length) throw new HubError('no-user', `${user} is not on the list; BANS ${room.name}`);
    await changeRoom(domain, room, rights => ({ ...rights, [kind]: Object.fromEntries(kept) }));
    return { room: room.name as RoomName, user };
  }

  async function setRole(call: Call, user: UserName, role: RoleName): Promise<void> {
    const { person, room } = call;
    const target = await findPerson(domain, user);
    if (target.isGuest)
      throw new HubError('forbidden', `${target.name} is a guest; roles are for accounts, INVITE for guests`);
    demand(person, role === 'owner' || role === 'moderator' ? 'manage' : 'moderate', room.rights);
    if (target.principal !== person.principal) await below(call, user);
    const key = foldName(user);
    await changeRoom(domain, room, rights => {
      const roles = { ...rights.roles, [key]: role };
      const hadOwner = Object.values(rights.roles).includes('owner');
      if (hadOwner && !Object.values(roles).includes('owner'))
        throw new HubError('forbidden', 'a room keeps an owner; name another one first');
      return { ...rights, roles };
    });
  }

  return {
    async ROLE(call, { room, user, role }) {
      if (role !== undefined) await setRole(call, user, role);
      const target = await findPerson(domain, user);
      return { room, user: target.name as UserName, role: roleOf(target, call.room.rights) };
    },

    async ROLES({ room, exchange }) {
      const entries = Object.entries(room.rights.roles);
      for (const [user, role] of entries) await exchange.row?.({ user, role });
      return { room: room.name as RoomName, count: entries.length };
    },

    async VISIBILITY({ room, person }, { visibility }) {
      if (visibility !== undefined) {
        demand(person, 'manage', room.rights);
        await changeRoom(domain, room, rights => ({ ...rights, visibility }));
      }
      return { room: room.name as RoomName, visibility: room.rights.visibility };
    },

    async KICK(call, { user, reason = '' }) {
      const { room, person } = call;
      const target = await below(call, user);
      let sessions = 0;
      for (const session of [...room.sessions()]) {
        if (session.person?.principal !== target.principal) continue;
        room.part(session);
        tell(session, { event: 'NOTICE', text: `${person.name} made you leave ${room.name}${why({ reason })}` });
        sessions++;
      }
      return { room: room.name as RoomName, user: target.name as UserName, sessions };
    },

    BAN: (call, input) => sanction(call, 'bans', input),
    UNBAN: (call, { user }) => lift(call, 'bans', user),
    MUTE: (call, input) => sanction(call, 'mutes', input),
    UNMUTE: (call, { user }) => lift(call, 'mutes', user),

    async BANS({ room, exchange }) {
      const { bans = {}, mutes = {} } = room.rights;
      const list = [
        ...Object.values(bans).map(entry => ({ kind: 'ban', ...entry })),
        ...Object.values(mutes).map(entry => ({ kind: 'mute', ...entry })),
      ];
      for (const { kind, user, by, untilMs, reason } of list) {
        const until = untilMs === undefined ? {} : { until: formatTime(untilMs) };
        await exchange.row?.({ kind, user, by, ...until, ...(reason !== '' && { text: reason }) });
      }
      return { room: room.name as RoomName, count: list.length };
    },

    async SLOW({ room, person }, { seconds }) {
      if (seconds !== undefined) {
        demand(person, 'moderate', room.rights);
        await changeRoom(domain, room, rights => ({ ...rights, slowS: seconds }));
      }
      return { room: room.name as RoomName, seconds: room.rights.slowS ?? 0 };
    },

    async QUOTA({ room, person }, { octets }) {
      if (octets !== undefined) {
        if (room.rights.isHome) throw new HubError('forbidden', 'homes share one limit: the setting home-octets');
        demand(person, 'manage', room.rights);
        await changeRoom(domain, room, rights => ({ ...rights, quotaOctets: octets }));
      }
      return {
        room: room.name as RoomName,
        octets: room.rights.quotaOctets ?? 0,
        used: await usedOctets(domain, room),
      };
    },
  };
}

/** 0 is the highest. */
function rank(role: Role): number {
  return role === 'guest' ? roleNames.length : roleNames.indexOf(role);
}

/** Slow-mode of one room: who said something when. */
export class Pace {
  readonly #saidMs = new Map<string, number>();

  /** Error: `rate-limited` with the seconds to wait. Moderators are not slowed. */
  take(room: LiveRoom, person: Person, nowMs: number): void {
    const { slowS = 0 } = room.rights;
    if (slowS === 0 || rank(roleOf(person, room.rights)) <= 1) return;
    const key = `${room.key} ${sanctionKey(person)}`;
    const retry = Math.ceil(((this.#saidMs.get(key) ?? 0) + slowS * 1000 - nowMs) / 1000);
    if (retry > 0 && retry <= slowS)
      throw new HubError('rate-limited', `slow mode: one message in ${slowS} s; wait ${retry} s`, { retry });
    this.#saidMs.delete(key);
    this.#saidMs.set(key, nowMs);
    if (this.#saidMs.size > paceKeysMax) this.#saidMs.delete(this.#saidMs.keys().next().value!);
  }
}

const paceKeysMax = 10_000;
