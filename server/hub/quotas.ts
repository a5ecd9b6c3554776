/** Octets that files take and may take: asked when an upload begins, with what other unfinished uploads have reserved. */
import { HubError } from '../../shared/errors.ts';
import type { Domain } from './handlers.ts';
import type { LiveRoom } from './live-rooms.ts';

export async function usedOctets({ store }: Pick<Domain, 'store'>, room: LiveRoom): Promise<number> {
  return (await store.usage(`/${room.key}`)).octets;
}

/** Error: `quota`. `reserved` is what unfinished uploads to this room will take. */
export async function demandQuota(domain: Domain, room: LiveRoom, octets: number, reserved: number): Promise<void> {
  const { quotaOctets = 0 } = room.rights;
  if (quotaOctets === 0) return;
  const free = quotaOctets - reserved - (await usedOctets(domain, room));
  if (octets <= free) return;
  throw new HubError(
    'quota',
    `${room.name} has room for ${Math.max(0, free)} of its ${quotaOctets} octets; remove files, or ask its owner`,
  );
}
