/**
 * The machine's own time for the library, in Node and in a browser. Unlike a server's clock its timers keep the process
 * alive, since a caller waits for them: every one is cancelled with the link, session or transfer it belongs to.
 */
import type { Clock } from '../shared/clock.ts';

export const clientClock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  soon: run => void setTimeout(run, 0),
};
