/** Receiving one file into `.name.plpart`, resumed where an earlier attempt ended, verified, then renamed. */
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { commands } from '../shared/commands/index.ts';
import { limits } from '../shared/limits.ts';
import { HashMismatchError, PartylineError } from './errors.ts';
import type { Link, Row } from './link.ts';
import type { OnStep } from './progress.ts';

export interface RemoteFile {
  readonly path: string;
  readonly size: number;
  readonly hash: string;
  /** RFC 3339. */
  readonly modified?: string | undefined;
}

export interface ReceiveOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  readonly onStep?: OnStep | undefined;
}

export interface Received {
  readonly path: string;
  readonly local: string;
  readonly size: number;
  readonly hash: string;
  readonly resumedFrom: number;
}

/** Errors: HashMismatchError when what came twice is not what the hub announced; PartylineError; what the disk says. */
export async function receive(
  link: Link,
  remote: RemoteFile,
  local: string,
  options: ReceiveOptions,
): Promise<Received> {
  const part = join(dirname(local), partName(basename(local)));
  if (remote.size <= limits.chunkOctets) return receiveSmall(link, remote, local, part, options);
  await mkdir(dirname(local), { recursive: true });
  const journal = `${part}.json`;
  // The part belongs to one content: another file of the name begins anew.
  const known = await readFile(journal, 'utf8').then(JSON.parse, () => undefined);
  const isSame = (known as { hash?: unknown } | undefined)?.hash === remote.hash;
  if (!isSame) await rm(part, { force: true });
  await writeFile(journal, JSON.stringify({ hash: remote.hash, size: remote.size }));
  for (let tries = 0; ; tries++) {
    const resumedFrom = await fetchRest(link, remote, part, options);
    if (resumedFrom !== undefined) {
      await settle(part, journal, local, remote);
      options.onStep?.({ phase: 'done', path: remote.path, octets: remote.size, total: remote.size, resumedFrom });
      return { path: remote.path, local, size: remote.size, hash: remote.hash, resumedFrom };
    }
    await rm(part, { force: true });
    if (tries > 0) throw new HashMismatchError(`${remote.path} did not arrive as announced, twice`);
  }
}

/** `.name.plpart`, and with its journal's ending still a name that file systems hold. */
function partName(name: string): string {
  const isLong = Buffer.byteLength(name) > limits.fileNameOctetsMax - '..plpart.json'.length;
  return `.${isLong ? createHash('sha256').update(name).digest('hex') : name}.plpart`;
}

/** A file of one row: nothing to resume, so no journal; still seen only when it is whole. */
async function receiveSmall(
  link: Link,
  remote: RemoteFile,
  local: string,
  part: string,
  { signal, timeoutMs, onStep }: ReceiveOptions,
): Promise<Received> {
  const { path, size, hash } = remote;
  const parts: Uint8Array[] = [];
  const onRow = ({ blob }: Row) => void parts.push(...(blob?.pieces ?? []));
  await link.request('GET', commands.GET, { path, 'if-hash': hash }, { onRow, signal, timeoutMs });
  const octets = Buffer.concat(parts);
  if (`sha256:${createHash('sha256').update(octets).digest('hex')}` !== hash) {
    throw new HashMismatchError(`${path} did not arrive as announced`);
  }
  await writeFile(part, octets).catch(async error => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await mkdir(dirname(local), { recursive: true });
    await writeFile(part, octets);
  });
  await settle(part, undefined, local, remote);
  onStep?.({ phase: 'done', path, octets: size, total: size, resumedFrom: 0 });
  return { path, local, size, hash, resumedFrom: 0 };
}

/** Resolves with where it began, or undefined when the whole does not have the hash. */
async function fetchRest(
  link: Link,
  { path, size, hash }: RemoteFile,
  part: string,
  { signal, timeoutMs, onStep }: ReceiveOptions,
): Promise<number | undefined> {
  const file = await open(part, 'a+').then(async handle => {
    await handle.close();
    return open(part, 'r+');
  });
  try {
    const digest = createHash('sha256');
    const resumedFrom = await hashHeld(file, size, digest, octets =>
      onStep?.({ phase: 'verify', path, octets, total: size, resumedFrom: octets }),
    );
    let offset = resumedFrom;
    const onRow = async ({ blob }: { blob: { octets: number; pieces: readonly Uint8Array[] } | undefined }) => {
      if (!blob) return;
      for (const piece of blob.pieces) digest.update(piece);
      const position = offset;
      offset += blob.octets;
      await writeAll(file, blob.pieces, blob.octets, position);
      onStep?.({ phase: 'receive', path, octets: offset, total: size, resumedFrom });
    };
    if (offset < size) {
      await link.request('GET', commands.GET, { path, offset, 'if-hash': hash }, { onRow, signal, timeoutMs });
    }
    if (offset !== size) throw new PartylineError('truncated', `${path} ended at ${offset} of ${size} octets`);
    await file.datasync();
    return `sha256:${digest.digest('hex')}` === hash ? resumedFrom : undefined;
  } finally {
    await file.close();
  }
}

async function writeAll(
  file: FileHandle,
  pieces: readonly Uint8Array[],
  octets: number,
  position: number,
): Promise<void> {
  const { bytesWritten } = await file.writev([...pieces], position);
  if (bytesWritten === octets) return;
  const rest = Buffer.concat(pieces).subarray(bytesWritten);
  await file.write(rest, 0, rest.length, position + bytesWritten);
}

/** Feeds what is there already to the digest; it was written from the start without holes. */
async function hashHeld(file: FileHandle, size: number, digest: Hash, tell: (octets: number) => void): Promise<number> {
  const held = Math.min((await file.stat()).size, size);
  const buffer = Buffer.allocUnsafeSlow(limits.pieceOctets);
  for (let at = 0; at < held; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, held - at), at);
    if (bytesRead === 0) return at;
    digest.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
    tell(at);
  }
  return held;
}

async function settle(
  part: string,
  journal: string | undefined,
  local: string,
  { modified }: RemoteFile,
): Promise<void> {
  if (modified !== undefined) {
    const date = new Date(modified);
    await utimes(part, date, date);
  }
  await rename(part, local);
  if (journal !== undefined) await rm(journal, { force: true });
}

/** True if the local file has the size and date of the remote one. */
export async function isUnchanged(local: string, remote: RemoteFile): Promise<boolean> {
  const facts = await stat(local).catch(() => undefined);
  if (!facts?.isFile() || facts.size !== remote.size || remote.modified === undefined) return false;
  return Math.floor(facts.mtimeMs / 1000) * 1000 === Date.parse(remote.modified);
}
