/**
 * Homes: the folder of an account, `/~ada`. To the files' rules a home is a room that its owner alone has; nobody talks
 * there, nothing is numbered, and no document is kept of it.
 */
import { HubError } from '../../shared/errors.ts';
import type { FilePath } from '../../shared/names.ts';
import { pathComponents } from '../../shared/paths.ts';
import type { Domain } from './handlers.ts';
import type { RoomDocument } from './live-rooms.ts';

/** True for `/~ada` and all below it. */
export function isInHome(path: FilePath): boolean {
  return path.startsWith('/~');
}

/** What the home `~ada` is; whether there is such an account is not looked at. 0 octets are no limit. */
export function homeDocument(name: string, quotaOctets: number): RoomDocument {
  const roles = { [name.slice(1)]: 'owner' } as const;
  return { name, visibility: 'private', roles, topic: '', created: '', quotaOctets, isHome: true };
}

/** Those who may enter every home must not fill one that nobody has. Error: `no-file` where there is no such account. */
export async function demandOwner({ store }: Pick<Domain, 'store'>, path: FilePath): Promise<void> {
  if (!isInHome(path)) return;
  const name = pathComponents(path)[0]!.slice(1);
  if (!(await store.document('account', name))) throw new HubError('no-file', `there is no account ${name}`);
}
