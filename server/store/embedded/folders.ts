/** Where things lie in the data folder, and making them durable there. */
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobId } from '../../hub/host.ts';

export const databasePath = (dataDir: string): string => join(dataDir, 'hub.db');
/** SQLite's own lock on this file dies with the process. */
export const lockPath = (dataDir: string): string => join(dataDir, 'lock.db');
export const ballastPath = (dataDir: string): string => join(dataDir, 'ballast');
export const blobsFolder = (dataDir: string): string => join(dataDir, 'blobs');
export const incomingFolder = (dataDir: string): string => join(dataDir, 'incoming');
/** One of 256 folders, so that none grows large. */
export const blobFolder = (dataDir: string, id: BlobId): string => join(blobsFolder(dataDir), safe(id).slice(0, 2));
/** A sealed blob. */
export const blobPath = (dataDir: string, id: BlobId): string => join(blobFolder(dataDir, id), id);
/** A blob that is being written. */
export const incomingPath = (dataDir: string, id: BlobId): string => join(incomingFolder(dataDir), safe(id));

const idShape = /^[0-9a-f]{32}$/;

export function isBlobId(name: string): name is BlobId {
  return idShape.test(name);
}

/** An id comes back from documents and rows: only one of our own shape becomes a path. */
function safe(id: BlobId): BlobId {
  if (!isBlobId(id)) throw new Error(`${JSON.stringify(id)} is not the name of a blob`);
  return id;
}

export async function makeFolders(dataDir: string): Promise<void> {
  await mkdir(blobsFolder(dataDir), { recursive: true });
  await mkdir(incomingFolder(dataDir), { recursive: true });
  await syncFolder(dataDir);
}

/** Names made, moved or removed in the folder are safe. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
