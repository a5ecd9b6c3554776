/** Blobs as files: `incoming/` while they are written, `blobs/` from the moment they are sealed. */
import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import type { Hash } from '../../../shared/model.ts';
import type { BlobId, BlobReader, Blobs, BlobWriter } from '../../hub/host.ts';
import type { DiskSpace } from './disk-space.ts';
import type { FaultPoint } from './fault-point.ts';
import { blobFolder, blobPath, blobsFolder, incomingFolder, incomingPath, syncFolder } from './folders.ts';
import { HashFeed } from './hash-feed.ts';
import type { BlobHasher } from './hasher.ts';

export interface BlobFolder {
  readonly dataDir: string;
  readonly space: DiskSpace;
  readonly hasher: BlobHasher;
  readonly faultPoint: (point: FaultPoint) => void;
}

export function embeddedBlobs(folder: BlobFolder): Blobs {
  const { dataDir, space, hasher, faultPoint } = folder;
  return {
    create: async () => {
      await space.demand();
      const id: BlobId = randomBytes(16).toString('hex');
      const file = await open(incomingPath(dataDir, id), 'wx').catch(error => {
        throw space.explain('creating a blob', error);
      });
      faultPoint('blob-created');
      return new EmbeddedWriter(id, file, folder);
    },
    resume: async id => {
      const file = await open(incomingPath(dataDir, id), 'r+').catch(whenAbsent(undefined));
      return file && new EmbeddedWriter(id, file, folder);
    },
    open: id => openReader(blobPath(dataDir, id)),
    remove: async id => {
      hasher.forget(id);
      await rm(incomingPath(dataDir, id), { force: true });
      await rm(blobPath(dataDir, id), { force: true });
      faultPoint('blob-removed');
    },
    // While it is looked for it may go from the first place to the second.
    hashesOf: (id, ranges) => hasher.hashesOf([incomingPath(dataDir, id), blobPath(dataDir, id)], ranges),
    hash: hashOf,
    hasRoom: octets => space.hasRoom(octets),
  };
}

class EmbeddedWriter implements BlobWriter {
  readonly id: BlobId;
  readonly #folder: BlobFolder;
  readonly #path: string;
  #file: FileHandle | undefined;
  /** The file's name is safe too. */
  #isNamed = false;
  readonly #feed: HashFeed;

  constructor(id: BlobId, file: FileHandle, folder: BlobFolder) {
    this.id = id;
    this.#file = file;
    this.#folder = folder;
    this.#path = incomingPath(folder.dataDir, id);
    this.#feed = new HashFeed(folder.hasher, id, this.#path);
  }

  async write(offset: number, pieces: readonly Uint8Array[]): Promise<void> {
    const { space, faultPoint } = this.#folder;
    const file = this.#opened();
    if (space.trouble) await space.demand();
    faultPoint('write-begun');
    try {
      await writeAll(file, offset, pieces, () => faultPoint('write-half'));
    } catch (error) {
      throw space.explain('writing a blob', error);
    }
    faultPoint('write-done');
    await this.#feed.written(offset, pieces);
  }

  async sync(): Promise<void> {
    const { dataDir, faultPoint } = this.#folder;
    const file = this.#opened();
    faultPoint('sync-begun');
    await this.#makeSafe(() => file.datasync());
    if (!this.#isNamed) await this.#makeSafe(() => syncFolder(incomingFolder(dataDir)));
    this.#isNamed = true;
    faultPoint('sync-done');
  }

  settled(octets: number): void {
    if (this.#file) this.#feed.settled(octets);
  }

  async seal(size: number): Promise<Hash> {
    const { space, faultPoint } = this.#folder;
    const file = this.#opened();
    await file.truncate(size).catch(error => {
      throw space.explain('sealing a blob', error);
    });
    faultPoint('seal-cut');
    const synced = this.#makeSafe(() => file.datasync()).then(() => faultPoint('seal-synced'));
    const [hash] = await Promise.all([this.#feed.finish(size), synced]);
    faultPoint('seal-hashed');
    await this.#publish();
    this.#file = undefined;
    await file.close();
    return hash;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (!file) return;
    this.#feed.forget();
    await file.close();
  }

  async #publish(): Promise<void> {
    const { dataDir, space, faultPoint } = this.#folder;
    const target = blobFolder(dataDir, this.id);
    try {
      if (await mkdir(target, { recursive: true })) await this.#makeSafe(() => syncFolder(blobsFolder(dataDir)));
      await rename(this.#path, blobPath(dataDir, this.id));
    } catch (error) {
      throw space.explain('sealing a blob', error);
    }
    faultPoint('seal-renamed');
    await this.#makeSafe(() => syncFolder(target));
    faultPoint('seal-done');
  }

  /** What the kernel could not write once it may have thrown away: no second try can be believed. */
  async #makeSafe(sync: () => Promise<void>): Promise<void> {
    const { space } = this.#folder;
    if (space.trouble === 'read-only') throw space.refusal();
    try {
      await sync();
    } catch (error) {
      space.failed('making a blob safe', error);
      throw space.refusal();
    }
  }

  #opened(): FileHandle {
    if (!this.#file) throw new Error(`the blob ${this.id} is not being written`);
    return this.#file;
  }
}

/** One call writes everything, unless the disk is nearly full or the process is interrupted. */
async function writeAll(file: FileHandle, offset: number, pieces: readonly Uint8Array[], onPart: () => void) {
  let left = pieces.filter(piece => piece.length > 0);
  while (left.length > 0) {
    const { bytesWritten } = await file.writev(left, offset);
    onPart();
    offset += bytesWritten;
    left = behind(left, bytesWritten);
  }
}

function behind(pieces: readonly Uint8Array[], octets: number): Uint8Array[] {
  const left: Uint8Array[] = [];
  for (const piece of pieces) {
    if (octets < piece.length) left.push(piece.subarray(octets));
    octets = Math.max(0, octets - piece.length);
  }
  return left;
}

async function openReader(path: string): Promise<BlobReader> {
  const file = await open(path, 'r');
  const { size } = await file.stat();
  return {
    size,
    fd: file.fd,
    read: async (into, offset) => {
      let octets = 0;
      while (octets < into.length) {
        const { bytesRead } = await file.read(into, octets, into.length - octets, offset + octets);
        if (bytesRead === 0) break;
        octets += bytesRead;
      }
      return octets;
    },
    close: () => file.close(),
  };
}

function whenAbsent<T>(value: T): (error: unknown) => T {
  return error => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return value;
    throw error;
  };
}

function hashOf(pieces: readonly Uint8Array[]): Hash {
  const sum = createHash('sha256');
  for (const piece of pieces) sum.update(piece);
  return `sha256:${sum.digest('hex')}`;
}
