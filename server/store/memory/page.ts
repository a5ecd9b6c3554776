/** A page of rows in the order of octets, as a database compares. */

/** Those whose name is behind `after`, at most `limit`. */
export function pageOf<T>(
  rows: readonly T[],
  name: (row: T) => string,
  page: { after?: string; limit: number },
): readonly T[] {
  const { after, limit } = page;
  return rows
    .map(row => ({ row, octets: Buffer.from(name(row)) }))
    .filter(({ octets }) => after === undefined || Buffer.compare(octets, Buffer.from(after)) > 0)
    .sort((a, b) => Buffer.compare(a.octets, b.octets))
    .slice(0, limit)
    .map(({ row }) => row);
}
