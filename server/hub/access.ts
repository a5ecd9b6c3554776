/** Invites, tokens, sessions and blocks as commands: who may make, see and end which. */
import { formatTime } from '../../shared/clock.ts';
import { HubError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { RoomName, UserName } from '../../shared/names.ts';
import { foldName } from '../../shared/text.ts';
import type { BlockKey } from './blocks.ts';
import type { Domain, Handlers } from './handlers.ts';
import { type Invite, makeInvite, openInvites } from './invites.ts';
import type { LiveSession } from './live-session.ts';
import { type AccountDocument, deviceDocument } from './people.ts';
import { demand, demandUnbound } from './permissions.ts';
import { changeRoom } from './room-changes.ts';
import type { Person } from './session.ts';
import { mintToken, tokensOf } from './tokens.ts';

export type AccessHandlers = Pick<
  Handlers,
  'INVITE' | 'INVITES' | 'MINT' | 'TOKENS' | 'SESSIONS' | 'REVOKE' | 'BLOCK' | 'UNBLOCK' | 'BLOCKS'
>;

export function accessHandlers(domain: Domain): AccessHandlers {
  const { store, clock } = domain;

  /** A device is an account that no password opens; who may manage the room makes it. */
  async function foundDevice(person: Person, device: UserName, roomName: RoomName | undefined): Promise<void> {
    if (roomName === undefined) throw new HubError('bad-argument', 'a device belongs to a room: room=', { at: 'room' });
    const room = domain.rooms.get(roomName);
    demand(person, 'manage', room.rights);
    const key = foldName(device);
    const known = (await store.document<AccountDocument>('account', key))?.value;
    if (known && !known.device) throw new HubError('exists', `${device} is a person’s account`);
    if (!known) {
      const { value } = deviceDocument(device, clock.now());
      await store.commit([{ kind: 'put-document', document: 'account', key, value, expect: 0 }]);
    }
    if (room.rights.roles[key]) return;
    await changeRoom(domain, room, rights => ({ ...rights, roles: { ...rights.roles, [key]: 'member' } }));
  }

  function revokeSessions(isMeant: (session: LiveSession) => boolean): number {
    const meant = [...domain.sessions.values()].filter(isMeant);
    for (const session of meant) session.revoke();
    return meant.length;
  }

  return {
    async INVITE({ person }, { room: name, role, kind = 'guest', uses = 1, for: forMs = limits.inviteMs }) {
      demandAccount(person);
      const room = name === undefined ? undefined : domain.rooms.get(name);
      if (room) demand(person, role === 'moderator' ? 'manage' : 'invite', room.rights);
      if (kind === 'account') demandAdmin(person);
      else if (!room) throw new HubError('bad-argument', 'a guest is invited to a room', { at: 'room' });
      const untilMs = clock.now() + forMs;
      const place = room ? { room: room.name, role: role ?? 'member' } : {};
      const used = Math.max(1, Math.min(uses, limits.inviteUsesMax));
      const invite = await makeInvite(domain, { kind, by: foldName(person.name), uses: used, untilMs, ...place });
      return { invite, ...(room && { room: room.name as RoomName }), kind, uses: used, until: formatTime(untilMs) };
    },

    async INVITES({ person, exchange }) {
      demandUnbound(person);
      let count = 0;
      for (const { key, value } of await openInvites(domain)) {
        if (!person.isAdmin && value.by !== foldName(person.name)) continue;
        const { kind, by, uses, untilMs, room, role } = value;
        const place = { ...(room !== undefined && { room }), ...(role && { role }) };
        await exchange.row?.({ invite: key, by, ...place, kind, uses, until: formatTime(untilMs) });
        count++;
      }
      return { count };
    },

    async MINT({ person }, { label, device, room: name, actions, for: forMs }) {
      demandAccount(person);
      demandUnbound(person);
      if (device !== undefined) await foundDevice(person, device, name);
      const room = name === undefined ? undefined : domain.rooms.get(name);
      if (room) demand(person, 'see', room.rights);
      const user = device ?? (person.name as UserName);
      const untilMs = forMs === undefined ? undefined : clock.now() + forMs;
      const { secret, id } = await mintToken(domain, {
        account: foldName(user),
        ...(label !== undefined && { label }),
        ...(room && { room: room.name }),
        ...(actions && { actions }),
        ...(untilMs !== undefined && { untilMs }),
      });
      return { token: secret, id, user, ...(untilMs !== undefined && { until: formatTime(untilMs) }) };
    },

    async TOKENS({ person, exchange }) {
      demandAccount(person);
      demandUnbound(person);
      let count = 0;
      for await (const { value } of tokensOf(domain, person.isAdmin ? undefined : foldName(person.name))) {
        const { id, account: user, label, room, actions, createdMs, untilMs } = value;
        await exchange.row?.({
          id,
          user,
          ...(label !== undefined && { label }),
          ...(room !== undefined && { room }),
          ...(actions && { actions: actions.join() }),
          created: formatTime(createdMs),
          ...(untilMs !== undefined && { until: formatTime(untilMs) }),
        });
        count++;
      }
      return { count };
    },

    async SESSIONS({ person, session: own, exchange }, { user }) {
      demandUnbound(person);
      let count = 0;
      for (const session of domain.sessions.values()) {
        const { id, person: other, origin, sinceMs } = session;
        if (!other || !(person.isAdmin || other.principal === person.principal)) continue;
        if (user !== undefined && foldName(other.name) !== foldName(user)) continue;
        await exchange.row?.({
          id,
          user: other.name,
          ...(other.isGuest && { guest: true }),
          ...(session === own && { own: true }),
          wire: origin.wire,
          address: origin.address,
          since: formatTime(sinceMs),
        });
        count++;
      }
      return { count };
    },

    async REVOKE({ person }, { id }) {
      demandUnbound(person);
      const mine = (account: string) => person.isAdmin || (!person.isGuest && account === foldName(person.name));
      const session = domain.sessions.get(id);
      if (session?.person && (person.isAdmin || session.person.principal === person.principal)) {
        session.revoke();
        return { id, sessions: 1 };
      }
      const invite = await store.document<Invite>('invite', id);
      if (invite && mine(invite.value.by)) {
        await store.commit([{ kind: 'remove-document', document: 'invite', key: id }]);
        return { id, sessions: 0 };
      }
      for await (const { key, value } of tokensOf(domain)) {
        if (value.id !== id || !mine(value.account)) continue;
        await store.commit([{ kind: 'remove-document', document: 'token', key }]);
        return { id, sessions: revokeSessions(({ token }) => token === id) };
      }
      throw new HubError('no-user', `nothing of yours has the id ${id}; see SESSIONS, TOKENS and INVITES`);
    },

    async BLOCK({ person }, { user, address, for: forMs, reason = '' }) {
      const key = blockKey(person, user, address);
      const until = forMs === undefined ? {} : { untilMs: clock.now() + forMs };
      if (key === `account:${foldName(person.name)}`) throw new HubError('forbidden', 'not yourself');
      const sessions = await domain.blocks.add(key, { by: person.name, reason, ...until });
      const shown = forMs === undefined ? {} : { until: formatTime(clock.now() + forMs) };
      return { ...(user !== undefined && { user }), ...(address !== undefined && { address }), ...shown, sessions };
    },

    async UNBLOCK({ person }, { user, address }) {
      await domain.blocks.remove(blockKey(person, user, address));
      return { ...(user !== undefined && { user }), ...(address !== undefined && { address }) };
    },

    async BLOCKS({ person, exchange }) {
      demandAdmin(person);
      let count = 0;
      for (const { key, by, reason, until } of domain.blocks.all()) {
        const [kind, who] = [key.slice(0, key.indexOf(':')), key.slice(key.indexOf(':') + 1)];
        const whom = kind === 'account' ? { user: who } : { address: who };
        await exchange.row?.({
          ...whom,
          by,
          ...(until !== undefined && { until }),
          ...(reason !== '' && { text: reason }),
        });
        count++;
      }
      return { count };
    },
  };
}

function blockKey(person: Person, user: UserName | undefined, address: string | undefined): BlockKey {
  demandAdmin(person);
  if ((user === undefined) === (address === undefined)) {
    throw new HubError('bad-argument', 'name an account, user=, or an address, address=', { at: 'user' });
  }
  return user === undefined ? `address:${address}` : `account:${foldName(user)}`;
}

function demandAdmin(person: Person): void {
  if (!person.isAdmin) throw new HubError('forbidden', 'this is for administrators');
}

function demandAccount(person: Person): void {
  if (person.isGuest) throw new HubError('forbidden', 'guests need an account for this: LOGIN');
}
