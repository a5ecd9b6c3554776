/** Sets of octets as ascending, disjoint ranges: what of an upload is held, what is missing. Text form `0-99,200-299`, inclusive. */

/** Half-open: `start` belongs to it, `end` does not. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Adds a range; the result is again ascending and disjoint. */
export function addRange(ranges: readonly Range[], added: Range): readonly Range[] {
  if (added.start >= added.end) return ranges;
  const last = ranges.at(-1);
  // The usual case: pieces arrive in order.
  if (last?.end === added.start) return [...ranges.slice(0, -1), { start: last.start, end: added.end }];
  const before = ranges.filter(range => range.end < added.start);
  const after = ranges.filter(range => range.start > added.end);
  const touched = ranges.slice(before.length, ranges.length - after.length);
  const start = Math.min(added.start, ...touched.map(range => range.start));
  const end = Math.max(added.end, ...touched.map(range => range.end));
  return [...before, { start, end }, ...after];
}

/** The parts of `0 … size` that are not covered. */
export function missingRanges(ranges: readonly Range[], size: number): readonly Range[] {
  const missing: Range[] = [];
  let at = 0;
  for (const range of ranges) {
    if (range.start >= size) break;
    if (range.start > at) missing.push({ start: at, end: range.start });
    at = Math.max(at, range.end);
  }
  if (at < size) missing.push({ start: at, end: size });
  return missing;
}

/** Octets from 0 that are held without a hole. */
export function heldPrefix(ranges: readonly Range[]): number {
  return ranges[0]?.start === 0 ? ranges[0].end : 0;
}

export function heldOctets(ranges: readonly Range[]): number {
  return ranges.reduce((sum, range) => sum + range.end - range.start, 0);
}

export function formatRanges(ranges: readonly Range[]): string {
  return ranges.map(range => `${range.start}-${range.end - 1}`).join(',');
}

/** The inverse of `formatRanges`, for text that matched the schema `Ranges`. */
export function parseRanges(text: string): readonly Range[] {
  if (text === '') return [];
  return text.split(',').map(part => {
    const [first, last] = part.split('-').map(Number);
    return { start: first!, end: last! + 1 };
  });
}
