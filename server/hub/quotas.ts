/** Octets that files take and may take: asked when an upload begins, with what other unfinished uploads have reserved. */
import { HubError } from '../../shared/errors.ts';
import type { FilePath } from '../../shared/names.ts';
import type { Domain } from './handlers.ts';
import type { LiveRoom } from './live-rooms.ts';
import type { UploadShelf } from './upload-shelf.ts';

export async function usedOctets({ store }: Pick<Domain, 'store'>, room: LiveRoom): Promise<number> {
  return (await store.usage(`/${room.key}`)).octets;
}

/** Error: `quota`. Beside the files counts what unfinished uploads have announced, but for the one to this path. */
export async function demandQuota(
  domain: Pick<Domain, 'store'>,
  shelf: Pick<UploadShelf, 'reservedIn'>,
  room: LiveRoom,
  octets: number,
  path: FilePath,
): Promise<void> {
  const { quotaOctets = 0 } = room.rights;
  if (quotaOctets === 0) return;
  const free = quotaOctets - shelf.reservedIn(room.key, path) - (await usedOctets(domain, room));
  if (octets <= free) return;
  throw new HubError(
    'quota',
    `${room.name} has room for ${Math.max(0, free)} of its ${quotaOctets} octets; remove files, or ask its owner`,
  );
}
