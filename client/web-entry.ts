/** How a session opens its connections on the web: one WebSocket, on which contents travel too. */
import type { Clock } from '../shared/clock.ts';
import { limits } from '../shared/limits.ts';
import { Link } from './link.ts';
import type { Entry } from './session-options.ts';
import { type Connect, webWay } from './web-way.ts';

/** `connect` begins to open a socket at the hub's `/ws`. */
export function webEntry(connect: Connect, clock: Clock): Entry {
  const open = webWay(connect);
  return {
    async open(events, signal) {
      const { link } = await Link.open(open, clock, events, signal);
      // A page does not hear the protocol's own pings, so that what has died silently must be asked.
      link.expectLife(3 * limits.heartbeatMs);
      const beat = () => {
        if (link.isEnding) return;
        link.request('WHOAMI', {}).catch(() => undefined);
        clock.after(limits.heartbeatMs, beat);
      };
      clock.after(limits.heartbeatMs, beat);
      return link;
    },
  };
}
