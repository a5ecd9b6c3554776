/**
 * What was said in a room as files below `/room/.chat`: read, never written, and only found by those who name the folder,
 * so that what mirrors a room leaves them alone.
 */
import { HubError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { FilePath } from '../../shared/names.ts';
import { baseName, pathComponents } from '../../shared/paths.ts';
import type { Call, Domain } from './handlers.ts';
import { isInHome } from './homes.ts';
import type { TranscriptFile } from './host.ts';
import { demand } from './permissions.ts';

const FOLDER = '.chat';

/** True for `/room/.chat` and all below it; nobody talks in a home. */
export function isTranscript(path: FilePath): boolean {
  return pathComponents(path)[1] === FOLDER && !isInHome(path);
}

/** Error: `forbidden`. */
export function demandNoTranscript(path: FilePath): void {
  if (isTranscript(path)) throw new HubError('forbidden', `${FOLDER} holds what was said; it is read and nothing else`);
}

function isFolder(path: FilePath): boolean {
  return pathComponents(path).length === 2;
}

/** Error: `no-file`. */
async function fileAt(domain: Domain, { room }: Call, path: FilePath): Promise<TranscriptFile> {
  const files = pathComponents(path).length === 3 ? await domain.store.transcripts(room.name) : [];
  const file = files.find(({ name }) => name === baseName(path));
  if (!file) throw new HubError('no-file', isFolder(path) ? `${path} is a folder` : `there is no ${path}`);
  return file;
}

export async function listTranscripts(domain: Domain, call: Call, path: FilePath, after = '') {
  demand(call.person, 'read', call.room.rights);
  const files = isFolder(path) ? await domain.store.transcripts(call.room.name) : [await fileAt(domain, call, path)];
  const shown = files.filter(({ name }) => !isFolder(path) || name > after);
  for (const { name, size, modified } of shown) await call.exchange.row?.({ name, type: 'file', size, modified });
  return { path, count: shown.length };
}

export async function statTranscript(domain: Domain, call: Call, path: FilePath) {
  demand(call.person, 'read', call.room.rights);
  if (isFolder(path)) return { path, type: 'dir' } as const;
  const { size, modified } = await fileAt(domain, call, path);
  return { path, type: 'file', size, modified } as const;
}

interface Range {
  readonly path: FilePath;
  readonly offset: number;
  readonly length: number | undefined;
  readonly ifHash: string | undefined;
}

/** Up to the end that the file has now: what comes meanwhile is the next range's. */
export async function getTranscript(domain: Domain, call: Call, { path, offset, length, ifHash }: Range) {
  const { room, person, session, exchange } = call;
  demand(person, 'read', room.rights);
  const { name, size } = await fileAt(domain, call, path);
  if (ifHash !== undefined) throw new HubError('if-match', `${path} grows and has no hash`);
  if (offset > size) throw new HubError('bad-argument', `offset is past the end at ${size}`, { at: 'offset' });
  const end = Math.min(size, offset + (length ?? size));
  for (let at = offset; at < end; ) {
    if (session.hasEnded || exchange.signal?.aborted) throw new HubError('cancelled');
    const octets = await domain.store.transcript(room.name, name, at, Math.min(limits.transcriptOctets, end - at));
    if (octets.length === 0) throw new Error(`the transcript ${path} is shorter than its size`);
    await exchange.row?.({ offset: at }, undefined, octets);
    at += octets.length;
  }
  return { path, size };
}
