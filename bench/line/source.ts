/** The content that transfers move, and where big files can lie without a disk. */
import { createHash, randomFillSync } from 'node:crypto';
import { open, statfs } from 'node:fs/promises';
import { MIB } from '../../shared/limits.ts';
import { temporary } from '../servers/server.ts';

export interface Source {
  readonly path: string;
  readonly size: number;
  /** `sha256:…` */
  readonly hash: string;
}

/** Content that does not repeat: a random MiB, numbered. */
export async function makeSource(path: string, size: number): Promise<Source> {
  const file = await open(path, 'w');
  const digest = createHash('sha256');
  const piece = randomFillSync(Buffer.allocUnsafeSlow(MIB));
  for (let at = 0; at < size; at += MIB) {
    piece.writeUInt32BE(at / MIB);
    digest.update(piece);
    await file.write(piece, 0, MIB, at);
  }
  await file.datasync();
  await file.close();
  return { path, size, hash: `sha256:${digest.digest('hex')}` };
}

/** A folder in memory if `octets` fit there, so that processors are compared and not a disk; else the temporary one. */
export async function memoryFolder(octets: number): Promise<string> {
  const shm = '/dev/shm';
  const facts = await statfs(shm).catch(() => undefined);
  return facts && facts.bavail * facts.bsize > octets ? shm : temporary;
}
