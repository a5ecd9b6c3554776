/** Receiving a file that grows, a transcript: as many octets as it had; there is no hash to resume or to verify by. */
import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { BulkLinks } from './bulk.ts';
import type { Received } from './download.ts';
import { PartylineError } from './errors.ts';
import type { BulkLink } from './link.ts';
import { partOf, settle } from './part.ts';
import type { RemoteFile } from './remote-tree.ts';
import type { Row } from './request.ts';
import type { FileOptions } from './transfer-options.ts';

/** The result's `hash` is that of what came. Errors: PartylineError; what the disk says. */
export async function receiveGrowing(
  bulk: BulkLinks,
  remote: RemoteFile,
  local: string,
  options: FileOptions,
): Promise<Received> {
  const { path, size } = remote;
  const { signal, pacer, onStep } = options;
  await pacer?.pace(size, signal);
  await mkdir(dirname(local), { recursive: true });
  const part = partOf(local);
  const hash = await bulk.persist(link => fetchWhole(link, remote, part, options), signal);
  await settle(part, local, remote);
  onStep?.({ phase: 'done', path, octets: size, total: size, resumedFrom: 0 });
  return { path, local, size, hash, resumedFrom: 0 };
}

async function fetchWhole(
  link: BulkLink,
  { path, size }: RemoteFile,
  part: string,
  { signal, timeoutMs, onStep }: FileOptions,
): Promise<string> {
  const digest = createHash('sha256');
  let octets = 0;
  const file = await open(part, 'w');
  try {
    const onRow = async ({ blob }: Row) => {
      for (const piece of blob?.pieces ?? []) {
        digest.update(piece);
        octets += piece.length;
        await file.writeFile(piece);
      }
      onStep?.({ phase: 'receive', path, octets, total: size, resumedFrom: 0 });
    };
    await link.request('GET', { path, length: size }, { onRow, signal, timeoutMs });
  } finally {
    await file.close();
  }
  if (octets !== size) throw new PartylineError('truncated', `${path} ended at ${octets} of ${size} octets`);
  return `sha256:${digest.digest('hex')}`;
}
