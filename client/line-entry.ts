/** How a session opens its connections on the line protocol: the version and heartbeats first; further ones by a ticket. */
import type { Clock } from '../shared/clock.ts';
import { limits } from '../shared/limits.ts';
import { sessionVerbs } from '../shared/line/session-verbs.ts';
import { PartylineError, TruncatedError } from './errors.ts';
import { lineWay } from './line-way.ts';
import { Link } from './link.ts';
import type { Entry } from './session-options.ts';
import type { OpenTransport } from './transport.ts';

export function lineEntry(transport: OpenTransport, clock: Clock, agent: string): Entry {
  const open = lineWay(transport);
  return {
    async open(events, signal) {
      const { link } = await Link.open(open, clock, events, signal);
      try {
        const greeted = await link.request('HELLO', { version: '1', caps: 'heartbeat', agent });
        const { caps } = sessionVerbs.HELLO.output.parse(greeted);
        if (caps.split(',').includes('heartbeat')) link.expectLife(3 * limits.heartbeatMs);
      } catch (error) {
        link.destroy();
        throw error;
      }
      return link;
    },

    async further(rows, signal) {
      const [row] = await rows('TICKET');
      const ticket = row?.fields['ticket'];
      const deaf = { event: () => undefined, over: () => undefined };
      const { link } = await Link.open(open, clock, deaf, signal).catch(error => {
        if (error instanceof PartylineError || signal?.aborted) throw error;
        throw new TruncatedError('a further connection could not be opened', { cause: error });
      });
      try {
        await link.request('ATTACH', { ticket }, { signal });
      } catch (error) {
        link.destroy();
        throw error;
      }
      return link;
    },
  };
}
