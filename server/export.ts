/** A room written into a folder that needs no partyline to be read: its events as JSON lines, its files as files. */
import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HubError } from '../shared/errors.ts';
import { MIB } from '../shared/limits.ts';
import type { FilePath } from '../shared/names.ts';
import { foldName } from '../shared/text.ts';
import type { Blobs, FileRow, Store } from './hub/host.ts';
import type { RoomDocument } from './hub/live-rooms.ts';

export interface Exported {
  readonly events: number;
  readonly files: number;
}

interface Source {
  readonly store: Store;
  readonly blobs: Blobs;
}

const PAGE = 500;

/**
 * Makes `folder`, missing or empty, hold `events.jsonl` (every numbered event, oldest first, with its present text) and
 * `files/`. A file that is removed meanwhile may be left out. Errors: `no-room`, `exists`, `no-space`.
 */
export async function exportRoom(source: Source, room: string, folder: string): Promise<Exported> {
  const key = foldName(room);
  const document = await source.store.document<RoomDocument>('room', key);
  if (!document) throw new HubError('no-room', `there is no room ${room}`);
  const held = await readdir(folder).catch(error => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (held.length > 0) throw new HubError('exists', `${folder} is not empty: name a new folder`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    const events = await exportEvents(source.store, document.value.name, join(folder, 'events.jsonl'));
    const files = await exportFolder(source, `/${key}` as FilePath, join(folder, 'files'));
    return { events, files };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    throw new HubError('no-space', `there is not enough room for ${room} in ${folder}; what lies there is not whole`);
  }
}

async function exportEvents(store: Store, room: string, path: string): Promise<number> {
  let events = 0;
  const lines = async function* () {
    for (let after = 0; ; ) {
      const rows = await store.history(room, { after, limit: PAGE });
      events += rows.length;
      if (rows.length > 0) yield rows.map(({ event }) => `${JSON.stringify(event)}\n`).join('');
      if (rows.length < PAGE) return;
      after = rows.at(-1)!.event.seq;
    }
  };
  await pipeline(Readable.from(lines()), createWriteStream(path, { flags: 'wx' }));
  return events;
}

async function exportFolder(source: Source, path: FilePath, folder: string): Promise<number> {
  await mkdir(folder);
  let files = 0;
  for (let after = ''; ; ) {
    const rows = await source.store.children(path, { after, limit: PAGE });
    for (const row of rows) {
      after = row.path.slice(path.length + 1);
      if (row.type === 'dir') files += await exportFolder(source, row.path, join(folder, after));
      else if (await exportFile(source, row.path, join(folder, after))) files++;
    }
    if (rows.length < PAGE) return files;
  }
}

/** False if it is gone. Replaced between the look at its row and at its content, it is looked at again. */
async function exportFile({ store, blobs }: Source, path: FilePath, target: string): Promise<boolean> {
  for (let earlier: string | undefined; ; ) {
    const row = await store.entry(path);
    if (row?.type !== 'file') return false;
    if (row.content.kind === 'inline') {
      await pipeline(Readable.from([row.content.octets]), createWriteStream(target, { flags: 'wx' }));
      return true;
    }
    const { id } = row.content;
    const reader = await blobs.open(id).catch(error => {
      if (id === earlier) throw error;
    });
    earlier = id;
    if (reader) return copyOctets(reader, row, target).finally(() => reader.close());
  }
}

async function copyOctets(reader: Awaited<ReturnType<Blobs['open']>>, { size }: FileRow, target: string) {
  const file = await open(target, 'wx');
  try {
    const piece = Buffer.allocUnsafe(Math.min(size, MIB));
    for (let offset = 0; offset < size; ) {
      const octets = await reader.read(piece, offset);
      if (octets === 0) throw new Error(`the content of ${target} is shorter than it should be`);
      await file.writeFile(piece.subarray(0, octets));
      offset += octets;
    }
    return true;
  } finally {
    await file.close();
  }
}
