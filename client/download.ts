/** Receiving one file into `.name.plpart`, resumed where an earlier attempt ended, verified, then renamed. */
import { createHash } from 'node:crypto';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { limits } from '../shared/limits.ts';
import type { Range } from '../shared/ranges.ts';
import type { BulkLinks } from './bulk.ts';
import { HashMismatchError, PartylineError } from './errors.ts';
import { receiveGrowing } from './growing.ts';
import type { BulkLink } from './link.ts';
import { Part, partOf, settle } from './part.ts';
import type { RemoteFile } from './remote-tree.ts';
import type { Row } from './request.ts';
import type { FileOptions } from './transfer-options.ts';

export interface Received {
  readonly path: string;
  readonly local: string;
  readonly size: number;
  readonly hash: string;
  readonly resumedFrom: number;
}

/** What one connection of several fetches at a time: what they hold beyond a hole is lost with the process. */
const spanOctets = 4 * limits.pieceOctets;

/** Errors: HashMismatchError when what came twice is not what the hub announced; PartylineError; what the disk says. */
export async function receive(
  bulk: BulkLinks,
  remote: RemoteFile,
  local: string,
  options: FileOptions,
): Promise<Received> {
  const { path, size, hash } = remote;
  if (hash === '') return receiveGrowing(bulk, remote, local, options);
  if (size <= limits.chunkOctets) {
    await options.pacer?.pace(size, options.signal);
    return bulk.persist(link => receiveSmall(link, remote, local, options), options.signal);
  }
  const part = await Part.open(local, remote, bulk.hashes);
  let resumedFrom: number;
  try {
    resumedFrom = await receiveWhole({ bulk, part, remote, options });
  } finally {
    await part.close();
  }
  await part.finish(local);
  options.onStep?.({ phase: 'done', path, octets: size, total: size, resumedFrom });
  return { path, local, size, hash, resumedFrom };
}

/** A file of one row: nothing to resume, so no journal; still seen only when it is whole. */
async function receiveSmall(
  link: BulkLink,
  remote: RemoteFile,
  local: string,
  { signal, timeoutMs, onStep }: FileOptions,
): Promise<Received> {
  const { path, size, hash } = remote;
  const part = partOf(local);
  const pieces: Uint8Array[] = [];
  const onRow = ({ blob }: Row) => void pieces.push(...(blob?.pieces ?? []));
  await link.request('GET', { path, 'if-hash': hash }, { onRow, signal, timeoutMs });
  const octets = Buffer.concat(pieces);
  if (`sha256:${createHash('sha256').update(octets).digest('hex')}` !== hash) {
    throw new HashMismatchError(`${path} did not arrive as announced`);
  }
  await writeFile(part, octets).catch(async error => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await mkdir(dirname(local), { recursive: true });
    await writeFile(part, octets);
  });
  await settle(part, local, remote);
  onStep?.({ phase: 'done', path, octets: size, total: size, resumedFrom: 0 });
  return { path, local, size, hash, resumedFrom: 0 };
}

interface Receiving {
  readonly bulk: BulkLinks;
  readonly part: Part;
  readonly remote: RemoteFile;
  readonly options: FileOptions;
}

/** Resolves with what was there already. */
async function receiveWhole(receiving: Receiving): Promise<number> {
  const { bulk, part, remote, options } = receiving;
  for (let tries = 0; tries < 2; tries++) {
    const resumedFrom = await bulk.again(() => fetchRest(receiving), options.signal);
    if ((await part.whole()) === remote.hash) return resumedFrom;
    await part.discard();
  }
  throw new HashMismatchError(`${remote.path} did not arrive as announced, twice`);
}

/** Resolves with what was there already, when nothing is missing any more. */
async function fetchRest(receiving: Receiving): Promise<number> {
  const { bulk, part, remote, options } = receiving;
  const { path, size: total } = remote;
  const { signal, onStep, parallel } = options;
  const confirm = () => part.confirm(octets => onStep?.({ phase: 'verify', path, octets, total, resumedFrom: octets }));
  for (let span = await confirm(); span; span = await confirm()) {
    const damaged = span;
    await bulk.use(link => fetchSpan(link, receiving, damaged, signal, () => undefined), signal);
  }
  const resumedFrom = part.octets;
  const tell = () => onStep?.({ phase: 'receive', path, octets: part.octets, total, resumedFrom });
  const connections = bulk.connectionsFor(total - resumedFrom, parallel);
  const spans = connections === 1 ? [...part.missing] : part.missing.flatMap(split);
  const work = async (link: BulkLink, until: AbortSignal) => {
    for (let span = spans.shift(); span; span = spans.shift()) await fetchSpan(link, receiving, span, until, tell);
  };
  await bulk.share(Math.min(connections, spans.length), work, signal);
  return resumedFrom;
}

function split({ start, end }: Range): readonly Range[] {
  const count = Math.ceil((end - start) / spanOctets);
  return Array.from({ length: count }, (_, n) => ({
    start: start + n * spanOctets,
    end: Math.min(end, start + (n + 1) * spanOctets),
  }));
}

async function fetchSpan(
  link: BulkLink,
  { part, remote, options }: Receiving,
  { start, end }: Range,
  signal: AbortSignal | undefined,
  tell: () => void,
): Promise<void> {
  const { path, hash } = remote;
  const { timeoutMs, pacer } = options;
  const writer = part.writer(start);
  let at = start;
  const onRow = ({ blob }: Row) => {
    if (!blob) return undefined;
    at += blob.octets;
    const written = writer.take(blob.pieces, blob.octets);
    tell();
    return pacer?.pace(blob.octets, signal) ?? written;
  };
  const input = { path, offset: start, length: end - start, 'if-hash': hash };
  try {
    await link.request('GET', input, { onRow, signal, timeoutMs });
    if (at !== end) throw new PartylineError('truncated', `${path} ended at ${at} of ${end} octets`);
  } finally {
    await writer.settle();
  }
}

/** True if the local file has the size and date of the remote one. */
export async function isUnchanged(local: string, remote: RemoteFile): Promise<boolean> {
  const facts = await stat(local).catch(() => undefined);
  if (!facts?.isFile() || facts.size !== remote.size || remote.modified === undefined) return false;
  return Math.floor(facts.mtimeMs / 1000) * 1000 === Date.parse(remote.modified);
}
