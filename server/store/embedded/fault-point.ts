/** Places where a test lets the process die, so that every state a crash can leave is met. Nothing happens elsewhere. */

/** In the order in which an upload and its announcement pass them. */
export const FAULT_POINTS = [
  'blob-created',
  'write-begun',
  'write-half',
  'write-done',
  'sync-begun',
  'sync-done',
  'seal-cut',
  'seal-synced',
  'seal-hashed',
  'seal-renamed',
  'seal-done',
  'commit-begun',
  'commit-half',
  'commit-written',
  'commit-done',
  'blob-removed',
  'ballast-released',
  'ballast-restored',
] as const;
export type FaultPoint = (typeof FAULT_POINTS)[number];

/** Gives the function that is called at each place; it kills the process at the armed one, as a power failure would. */
export function armFaultPoint(armed: string | undefined): (point: FaultPoint) => void {
  if (armed === undefined) return () => {};
  return point => {
    if (point === armed) process.kill(process.pid, 'SIGKILL');
  };
}
