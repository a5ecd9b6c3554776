/**
 * The queue of files on their way to the hub. Each goes in pieces of which only the missing ones are sent, into the hub's own
 * upload object, so that any other client can finish it. What a reload forgets is the file, not how far it was.
 */

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { effect, signal } from '@preact/signals';
import { limits } from '../../shared/limits.ts';
import { heldOctets, parseRanges, type Range } from '../../shared/ranges.ts';
import { clientClock } from '../clock.ts';
import { command, Offline, Refused } from './api.ts';
import type { Link } from './link.ts';
import { keep, kept, say } from './preferences.ts';

export interface Upload {
  readonly key: string;
  readonly path: string;
  readonly size: number;
  readonly modifiedMs: number;
  readonly state: 'waiting' | 'running' | 'paused' | 'failed' | 'done' | 'needs-file';
  /** Octets that the hub holds. */
  readonly held: number;
  readonly perSecond: number;
  readonly mode: 'new' | 'replace';
  readonly isChecking?: boolean;
  readonly error?: string;
  /** The name is taken. */
  readonly isTaken?: boolean;
}

const atOnce = 3;
const piecesAtOnce = 4;
/** How long a queue that is done is still shown. */
const shownDoneMs = 4_000;
const piece = limits.pieceOctets;

export class Uploads {
  readonly all = signal<readonly Upload[]>(read());
  readonly #link: Link;
  readonly #files = new Map<string, File>();
  readonly #running = new Map<string, AbortController>();

  constructor(link: Link) {
    this.#link = link;
    effect(() => {
      const open = this.all.value.filter(({ state }) => state !== 'done').slice(0, 200);
      keep('uploads', open.length > 0 ? JSON.stringify(open) : undefined);
    });
    // What waits for the hub goes on by itself.
    effect(() => {
      if (link.state.value.kind === 'up') clientClock.soon(() => this.#next());
    });
  }

  /** The same name and size as one that waits for its file goes on there. */
  add(files: readonly { readonly file: File; readonly path: string }[]): void {
    const all = new Map(this.all.value.map(one => [one.key, one]));
    for (const { file, path } of files) {
      const waiting = [...all.values()].find(
        one => one.state === 'needs-file' && one.size === file.size && one.path.endsWith(`/${file.name}`),
      );
      const key = waiting?.key ?? path;
      if (this.#running.has(key)) continue;
      this.#files.set(key, file);
      const fresh = { key, path, size: file.size, modifiedMs: file.lastModified, held: 0, mode: 'new' } as const;
      all.set(key, { ...(waiting ?? fresh), state: 'waiting', perSecond: 0 });
    }
    this.all.value = [...all.values()];
    this.#next();
  }

  pause(key: string): void {
    this.#running.get(key)?.abort();
    this.#change(key, { state: 'paused', perSecond: 0 });
  }

  resume(key: string, change: Partial<Upload> = {}): void {
    const upload = this.all.value.find(one => one.key === key);
    if (!upload) return;
    const { error: _, isTaken: __, ...rest } = { ...upload, ...change };
    const state = this.#files.has(key) ? 'waiting' : 'needs-file';
    this.all.value = this.all.value.map(one => (one.key === key ? { ...rest, state } : one));
    this.#next();
  }

  /** Beside the one that is there: `name (2).ext`. */
  keepBoth(key: string): void {
    const upload = this.all.value.find(one => one.key === key);
    if (!upload) return;
    const [, stem, number, ending] = /^(.*?)(?: \((\d+)\))?(\.[^./]+)?$/.exec(upload.path) ?? [];
    this.resume(key, { path: `${stem} (${Number(number ?? 1) + 1})${ending ?? ''}` });
  }

  async cancel(key: string): Promise<void> {
    const upload = this.all.value.find(one => one.key === key);
    this.#running.get(key)?.abort();
    this.#files.delete(key);
    this.all.value = this.all.value.filter(one => one.key !== key);
    if (!upload || upload.size <= piece || upload.state === 'done' || upload.isTaken) return;
    const { rows } = await this.#link.rows('UPLOADS', {});
    const held = rows.find(row => row['path'] === upload.path);
    if (held) await this.#link.request('ABORT', { upload: String(held['upload']) });
  }

  clearDone(): void {
    this.all.value = this.all.value.filter(({ state }) => state !== 'done');
  }

  #clearAll(): void {
    if (this.all.value.every(({ state }) => state === 'done')) this.clearDone();
  }

  #change(key: string, change: Partial<Upload>): void {
    this.all.value = this.all.value.map(one => (one.key === key ? { ...one, ...change } : one));
  }

  #next(): void {
    for (const upload of this.all.value) {
      if (this.#running.size >= atOnce || this.#link.state.value.kind !== 'up') return;
      const file = this.#files.get(upload.key);
      if (upload.state === 'waiting' && file) void this.#run(upload, file);
    }
  }

  async #run(upload: Upload, file: File): Promise<void> {
    const { key } = upload;
    const abort = new AbortController();
    this.#running.set(key, abort);
    this.#change(key, { state: 'running' });
    const meter = meterOf(held => this.#change(key, held));
    try {
      await (file.size <= piece
        ? sendWhole(upload, file, abort.signal)
        : sendPieces(upload, file, meter, abort.signal));
      this.#files.delete(key);
      this.#change(key, { state: 'done', held: upload.size, perSecond: 0, isChecking: false });
    } catch (error) {
      if (!abort.signal.aborted) this.#change(key, { perSecond: 0, isChecking: false, ...outcomeOf(error) });
    } finally {
      this.#running.delete(key);
      this.#next();
      if (this.all.value.every(({ state }) => state === 'done')) clientClock.after(shownDoneMs, () => this.#clearAll());
    }
  }
}

function outcomeOf(error: unknown): Partial<Upload> {
  // It waits, and goes on when the hub is back.
  if (error instanceof Offline) return { state: 'waiting' };
  const isTaken = error instanceof Refused && error.code === 'exists';
  const isGone = error instanceof DOMException;
  return {
    state: isGone ? 'needs-file' : 'failed',
    error: isGone ? say('chooseAgain') : (error as Error).message,
    isTaken,
  };
}

type Tell = (held: Partial<Upload>) => void;

/** Octets that have come since, over the last moments. */
function meterOf(tell: Tell): Tell {
  let atMs = clientClock.now();
  let from: number | undefined;
  let perSecond = 0;
  return change => {
    const { held = 0 } = change;
    from ??= held;
    const nowMs = clientClock.now();
    if (nowMs - atMs > 500) {
      const rate = ((held - from) * 1000) / (nowMs - atMs);
      perSecond = perSecond === 0 ? rate : perSecond * 0.6 + rate * 0.4;
      [atMs, from] = [nowMs, held];
    }
    tell({ ...change, perSecond });
  };
}

async function sendWhole({ path, mode, modifiedMs }: Upload, file: File, signal: AbortSignal): Promise<void> {
  const octets = new Uint8Array(await file.arrayBuffer());
  const modified = new Date(modifiedMs).toISOString();
  try {
    await command('PUT', { path, mode, parents: '1', modified } as never, { octets, signal });
  } catch (error) {
    const isTaken = error instanceof Refused && error.code === 'exists';
    // An answer that was lost on the way: it is there already, and the same.
    if (!isTaken || (await command('STAT', { path })).hash !== hashText(sha256(octets))) throw error;
  }
}

/** Reads and hashes the file in order, and sends the pieces that the hub does not hold. */
async function sendPieces(upload: Upload, file: File, tell: Tell, signal: AbortSignal, isFresh = false): Promise<void> {
  const { path, mode, size, modifiedMs } = upload;
  const modified = new Date(modifiedMs).toISOString();
  const begun = await command(
    'PUT',
    { path, size, mode, parents: true, modified, ...(isFresh && { fresh: true }) },
    { signal },
  );
  if (begun.upload === undefined) return;
  const id = begun.upload;
  const ranges = parseRanges(begun.have ?? '');
  let held = heldOctets(ranges);
  tell({ held });
  const sum = sha256.create();
  const sending = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  for (let offset = 0; offset < size; offset += piece) {
    const octets = new Uint8Array(await file.slice(offset, offset + piece).arrayBuffer());
    sum.update(octets);
    if (isHeld(ranges, offset, offset + octets.length)) continue;
    while (sending.size >= piecesAtOnce) await Promise.race(sending);
    if (failure) throw failure.error;
    const sent: Promise<void> = command('CHUNK', { upload: id, offset }, { octets, signal })
      .then(
        () => tell({ held: (held = Math.min(size, held + octets.length)) }),
        error => void (failure ??= { error }),
      )
      .finally(() => sending.delete(sent));
    sending.add(sent);
  }
  await Promise.all(sending);
  if (failure) throw failure.error;
  tell({ held: size, isChecking: true });
  try {
    await command('COMMIT', { upload: id, size, hash: hashText(sum.digest()) }, { signal });
  } catch (error) {
    // What was held came from another content: all of it anew, once.
    if (isFresh || !(error instanceof Refused) || error.code !== 'hash-mismatch') throw error;
    await sendPieces(upload, file, tell, signal, true);
  }
}

function isHeld(ranges: readonly Range[], start: number, end: number): boolean {
  return ranges.some(range => range.start <= start && end <= range.end);
}

function hashText(digest: Uint8Array): string {
  return `sha256:${bytesToHex(digest)}`;
}

function read(): readonly Upload[] {
  try {
    const all = JSON.parse(kept('uploads') ?? '[]') as Upload[];
    return all.map(one => ({ ...one, state: 'needs-file', perSecond: 0 }));
  } catch {
    return [];
  }
}
