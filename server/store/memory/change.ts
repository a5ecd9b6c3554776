/** What a transaction in memory has changed, so that a refused one leaves no trace. */
import type { BlobId, EntryRow } from '../../hub/host.ts';

export class Change {
  /** Blobs that lost an entry. */
  readonly dropped = new Set<BlobId>();
  readonly #inverses: (() => void)[] = [];
  readonly #touched = new Map<unknown, Set<unknown>>();

  set<K, V>(map: Map<K, V>, key: K, value: V): void {
    this.#keep(map, key);
    map.set(key, value);
  }

  remove<K, V>(map: Map<K, V>, key: K): undefined {
    this.#keep(map, key);
    map.delete(key);
  }

  /** True if this transaction set the key. */
  has<K, V>(map: Map<K, V>, key: K): boolean {
    return this.#touched.get(map)?.has(key) ?? false;
  }

  drop(entry: EntryRow | undefined): void {
    const id = entry && blobOf(entry);
    if (id !== undefined) this.dropped.add(id);
  }

  inverse(takeBack: () => void): void {
    this.#inverses.push(takeBack);
  }

  takeBack(): void {
    for (const inverse of this.#inverses.toReversed()) inverse();
  }

  #keep<K, V>(map: Map<K, V>, key: K): void {
    const old = map.get(key);
    this.#inverses.push(() => (old === undefined ? map.delete(key) : map.set(key, old)));
    this.#touched.set(map, (this.#touched.get(map) ?? new Set()).add(key));
  }
}

/** The blob in which the entry's content lies, if it does. */
export function blobOf(entry: EntryRow): BlobId | undefined {
  return entry.type === 'file' && entry.content.kind === 'blob' ? entry.content.id : undefined;
}
