/** What a search found in several rooms, as one answer. */

/** The newest `limit` of the rows of each room, which ascend by number. One room stays as it is; several are told by time. */
export function newestOf<T extends { readonly event: { readonly time: string } }>(
  found: readonly (readonly T[])[],
  limit: number,
): readonly T[] {
  const rows = found.flatMap(ofRoom => ofRoom.slice(-limit));
  if (found.length > 1) rows.sort((a, b) => (a.event.time < b.event.time ? -1 : a.event.time > b.event.time ? 1 : 0));
  return rows.slice(-limit);
}
