/** Wall time finer than a millisecond, as captures have it: what is told by several sources must be put in order. */

/** What `performance.now()` counts from, in milliseconds since 1970; anew where the machine's clock was set since the start. */
export function epochMs(): number {
  const fromStart = performance.timeOrigin;
  const byClock = Date.now() - performance.now();
  return Math.abs(fromStart - byClock) < 2 ? fromStart : byClock;
}
