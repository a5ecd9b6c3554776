/** Contents that need not be sent: those of files that the person may already download. Of no others anything is told. */
import { limits } from '../../shared/limits.ts';
import type { Hash } from '../../shared/model.ts';
import type { FilePath } from '../../shared/names.ts';
import type { Received } from './content.ts';
import type { Domain } from './handlers.ts';
import { may } from './permissions.ts';
import type { Person } from './session.ts';

export interface KnownContent extends Received {
  readonly contentOf: FilePath;
}

/** Undefined where there is none, or size or hash is not said. */
export async function knownContent(
  { store, rooms }: Domain,
  person: Person,
  size: number | undefined,
  hash: Hash | undefined,
): Promise<KnownContent | undefined> {
  if (size === undefined || hash === undefined) return undefined;
  for (const row of await store.filesWith(hash, limits.sameContentsMax)) {
    if (row.type !== 'file' || row.size !== size) continue;
    if (!may(person, 'download', rooms.ofPath(row.path).rights)) continue;
    return { contentOf: row.path, content: row.content, size, hash };
  }
  return undefined;
}
