/** The machine's own time for the library, in Node and in a browser. Timers of the CLI's and library's waits are made here only. */
import type { Clock } from '../shared/clock.ts';

export const clientClock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs) as unknown as { unref?(): void };
    timer.unref?.();
    return () => clearTimeout(timer as unknown as Parameters<typeof clearTimeout>[0]);
  },
  soon: run => void setTimeout(run, 0),
};
