/** Telling people who are named in a message where they do not listen. */
import { limits } from '../../shared/limits.ts';
import { foldName } from '../../shared/text.ts';
import { tell } from './fanout.ts';
import type { Domain } from './handlers.ts';
import type { PrincipalId } from './host.ts';
import type { LiveRoom } from './live-rooms.ts';
import { may } from './permissions.ts';
import type { Person } from './session.ts';

const mention = /(?<![\p{L}\p{M}\p{N}._-])@([\p{L}\p{N}][\p{L}\p{M}\p{N}._-]*)/gu;

/** MENTION to the sessions of those who are named, are here, may read the room and have not joined it. */
export function tellMentioned(domain: Domain, room: LiveRoom, person: Person, seq: number, text: string): void {
  const named = new Set<PrincipalId>();
  for (const [, name] of text.matchAll(mention)) {
    const principal = hereUnder(domain, name!) ?? hereUnder(domain, name!.replace(/[._-]+$/, ''));
    if (principal && principal !== person.principal) named.add(principal);
    if (named.size >= limits.mentionsMax) break;
  }
  const guest = person.isGuest ? { guest: true } : {};
  for (const session of [...named].flatMap(principal => domain.presence.sessionsOf(principal))) {
    if (session.rooms.has(room) || session.ignores?.has(person.principal)) continue;
    if (!session.person || !may(session.person, 'read', room.rights)) continue;
    tell(session, { event: 'MENTION', room: room.name, seq, from: person.name, ...guest });
  }
}

function hereUnder(domain: Domain, name: string): PrincipalId | undefined {
  const key = foldName(name);
  const guest = domain.guests.get(key)?.person;
  if (guest) return guest.principal;
  return domain.presence.isHere(`u:${key}`) ? `u:${key}` : undefined;
}
