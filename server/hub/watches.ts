/** Following the files of a folder without joining the room: who does, and whom an event reaches. */
import type { Clock } from '../../shared/clock.ts';
import { HubError } from '../../shared/errors.ts';
import type { EventOf } from '../../shared/events.ts';
import { limits } from '../../shared/limits.ts';
import type { FilePath } from '../../shared/names.ts';
import { isWithin } from '../../shared/paths.ts';
import { tellAll } from './fanout.ts';
import type { Domain, Handlers } from './handlers.ts';
import type { PrincipalId } from './host.ts';
import type { LiveRoom } from './live-rooms.ts';
import type { LiveSession } from './live-session.ts';
import { may, type RoomRights } from './permissions.ts';
import { demandNoTranscript } from './transcripts.ts';
import { entryAt, isRoomRoot } from './tree.ts';

export interface Watch {
  readonly session: LiveSession;
  /** Who set it: the session may be somebody else's later. */
  readonly principal: PrincipalId;
  readonly path: FilePath;
}

/** Whoever set it sits there still and may still list. */
function isOn({ session, principal }: Watch, rights: RoomRights): boolean {
  return session.person?.principal === principal && may(session.person, 'list', rights);
}

/** Also what happens to a folder above it happens to what is watched. */
function concerns(watched: FilePath, { op, path, to }: EventOf<'FILE'>): boolean {
  const isAbove = (place: string) => op !== 'put' && op !== 'mkdir' && isWithin(watched, place);
  return [path, to].some(place => place !== undefined && (isWithin(place, watched) || isAbove(place)));
}

/** Tells them once, and not those who hear the room anyway. Watches that are over are forgotten. */
export function tellWatchers(room: LiveRoom, event: EventOf<'FILE'>, clock: Pick<Clock, 'soon'>): void {
  endWatches(room);
  const meant = [...room.watches].filter(({ path }) => concerns(path, event)).map(({ session }) => session);
  const hearers = new Set(meant.filter(({ rooms }) => !rooms.has(room)));
  if (hearers.size > 0) clock.soon(() => tellAll(hearers, event));
}

/** Forgets the watches of those who may not list any more; gives their sessions. */
export function endWatches({ watches, rights }: LiveRoom): ReadonlySet<LiveSession> {
  const over = [...watches].filter(watch => !isOn(watch, rights));
  for (const watch of over) watches.delete(watch);
  return new Set(over.map(({ session }) => session));
}

export type WatchHandlers = Pick<Handlers, 'WATCH' | 'UNWATCH'>;

export function watchHandlers(domain: Domain): WatchHandlers {
  const placed = new Map<LiveSession, Map<FilePath, { readonly room: LiveRoom; readonly watch: Watch }>>();

  /** Those of a session that are not over. */
  function watchesOf(session: LiveSession) {
    const own = placed.get(session) ?? new Map();
    for (const [path, { room, watch }] of own) {
      if (!room.watches.has(watch) || !isOn(watch, room.rights)) remove(session, path);
    }
    return own;
  }

  function remove(session: LiveSession, path: FilePath): void {
    const own = placed.get(session);
    const known = own?.get(path);
    known?.room.watches.delete(known.watch);
    own?.delete(path);
    if (own?.size === 0) placed.delete(session);
  }

  domain.endings.add(session => {
    for (const path of placed.get(session)?.keys() ?? []) remove(session, path);
  });

  return {
    async WATCH({ session, person, room }, { path }) {
      if (path === '/') throw new HubError('bad-argument', 'name a folder of a room: /room/folder', { at: 'path' });
      demandNoTranscript(path);
      if (room.rights.isHome) throw new HubError('forbidden', 'files in a home have no events to watch');
      if (!isRoomRoot(path)) await entryAt(domain, path);
      if (session.hasEnded) throw new HubError('cancelled', 'the session has ended');
      const own = watchesOf(session);
      if (own.has(path)) return { path };
      if (own.size >= limits.watchesMax)
        throw new HubError('quota', `you watch ${own.size} folders; that is the limit, UNWATCH some`);
      const watch = { session, principal: person.principal, path };
      placed.set(session, own.set(path, { room, watch }));
      room.watches.add(watch);
      return { path };
    },

    UNWATCH({ session }, { path }) {
      if (!watchesOf(session).has(path)) throw new HubError('conflict', `you do not watch ${path}`);
      remove(session, path);
      return { path };
    },
  };
}
