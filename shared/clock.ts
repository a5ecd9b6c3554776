/**
 * Time as the program sees it: every timer and every "now" of hub, wires and client goes through a Clock, so that tests
 * and the lab can run on virtual time. This is the contract; the clock of the machine is `server/net/system-clock.ts`.
 */

export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z; may step backwards, as the machine's clock may. */
  now(): number;
  /** Calls `run` once after `delayMs`; the returned function cancels it. Does not keep the process alive. */
  after(delayMs: number, run: () => void): () => void;
  /** Calls `run` at the end of this turn of the event loop, after the promises that are ready have gone on. */
  soon(run: () => void): void;
}

/** RFC 3339 in UTC with whole seconds, such as `2026-11-23T01:00:03Z`. */
export function formatTime(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}

/** A promise that resolves after `delayMs`, or rejects with the signal's reason as soon as it aborts. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}
