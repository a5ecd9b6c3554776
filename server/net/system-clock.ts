/** The machine's own time as a Clock. With `connection.ts` and `listener.ts` the only place where timers are made. */
import type { Clock } from '../../shared/clock.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
  soon: run => void setImmediate(run),
};
