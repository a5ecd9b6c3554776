/** Steps of transactions as the contract's tests write them, and how a refusal looks. */
import type { Test } from 'tap';
import type { PrincipalId, Store } from '../../server/hub/host.ts';
import type { Write } from '../../server/hub/writes.ts';
import { HubError } from '../../shared/errors.ts';
import type { Hash } from '../../shared/model.ts';
import type { FilePath } from '../../shared/names.ts';

export const ada: PrincipalId = 'u:ada';
export const at = (path: string) => path as FilePath;
export const hashNamed = (digit: string): Hash => `sha256:${digit.repeat(64)}`;

export function message(room: string, text: string, repeat?: { key: string; sinceMs: number }, timeMs = 1_000): Write {
  const event = { event: 'MSG' as const, room, time: '2026-11-23T01:00:03Z', from: 'ada', text };
  return { kind: 'append', by: ada, timeMs, event, ...(repeat && { repeat }) };
}

export function fileRow(path: string, blob: string, digit = 'a', expect: 'absent' | 'any' | { hash: Hash } = 'absent') {
  const content = { kind: 'blob' as const, id: blob };
  return putEntry({ ...common(path), type: 'file', size: 3, hash: hashNamed(digit), content }, expect);
}

export function folderRow(path: string, expect: 'absent' | 'any' = 'absent') {
  return putEntry({ ...common(path), type: 'dir' }, expect);
}

export function common(path: string) {
  return { path: at(path), owner: ada, ownerName: 'Ada', modified: '2026-11-23T01:00:03Z' };
}

type PutEntry = Extract<Write, { kind: 'put-entry' }>;

export function putEntry(entry: PutEntry['entry'], expect: PutEntry['expect']): PutEntry {
  return { kind: 'put-entry', entry, expect };
}

/** Refused as a conflict whose message names `named`. */
export async function refuses(
  t: Test,
  store: Store,
  writes: readonly Write[],
  named: string,
  what: string,
): Promise<void> {
  const error = await store.commit(writes).then(
    () => undefined,
    reason => reason,
  );
  t.ok(error instanceof HubError, `${what}: refused`);
  t.equal(error?.code, 'conflict', what);
  t.match(error?.message, named, `${what}: the message names ${named}`);
}

/** Folders and files whose names are neighbours of `/lobby/a/`. */
export async function tree(store: Store): Promise<void> {
  await store.commit([
    folderRow('/lobby/a'),
    folderRow('/lobby/a/b'),
    fileRow('/lobby/a/b/f', 'b1'),
    fileRow('/lobby/a/g', 'b2'),
    fileRow('/lobby/a.txt', 'b3'),
    fileRow('/lobby/a0', 'b4'),
    folderRow('/lobby/ab'),
    fileRow('/lobby/ab/f', 'b5'),
  ]);
}

export async function names(store: Store, folder: string): Promise<readonly string[]> {
  return (await store.children(at(folder), { limit: 100 })).map(({ path }) => path);
}
