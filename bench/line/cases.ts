/** What `bench line` consists of: each case starts its servers, measures and ends them. */

import { MIB } from '../../shared/limits.ts';
import { startBareFanout, startPartyline } from '../servers/node-servers.ts';
import { findPeers } from '../servers/peers.ts';
import type { Server } from '../servers/server.ts';
import { temporary } from '../servers/server.ts';
import { measureDepth } from './depth.ts';
import { type Crowd, measureFanout } from './fanout.ts';
import { measureIdle } from './idle.ts';
import { measureLatency } from './latency.ts';
import { memoryFolder } from './source.ts';
import { measureTransfer } from './transfer.ts';

async function withServers(use: (servers: readonly Server[]) => Promise<string>): Promise<string> {
  const notes: string[] = [];
  const servers: Server[] = [];
  try {
    servers.push(await startPartyline(), await startBareFanout());
    for (const { name, start } of await findPeers()) {
      if (start) servers.push(await start());
      else notes.push(`\n\nWithout ${name}, which is not installed.`);
    }
    return (await use(servers)) + notes.join('');
  } finally {
    for (const server of servers) await server.stop();
  }
}

const fanout = (crowd: Crowd) => (rounds: number) => withServers(servers => measureFanout(servers, crowd, rounds));

const GIB = 1024 * MIB;
/** What lies in the folder at once: the source, the server's copies, the bare copy, what the library received. */
const copies = 6;
const inMemory = async (size: number) => memoryFolder(copies * size);

/** Name → a measurement in so many rounds, as Markdown. */
export const cases: Readonly<Record<string, (rounds: number) => Promise<string>>> = {
  'fanout-1': fanout({ senders: 1, receivers: 1 }),
  'fanout-10': fanout({ senders: 1, receivers: 10 }),
  'fanout-100': fanout({ senders: 1, receivers: 100 }),
  'fanout-1000': fanout({ senders: 1, receivers: 1000 }),
  'talkers-16': fanout({ senders: 16, receivers: 100 }),
  transfer: async rounds => measureTransfer(await inMemory(GIB), GIB / 2, rounds),
  'transfer-disk': rounds => measureTransfer(temporary, GIB / 8, rounds),
  latency: async rounds => measureLatency(await inMemory(GIB), GIB, rounds),
  depth: measureDepth,
  'latency-disk': rounds => measureLatency(temporary, GIB / 4, rounds),
  // Weighed once: it does not depend on who else is running. ngircd, whose backlog is ten, lets people in too slowly.
  idle: async () =>
    measureIdle(
      (await findPeers()).filter(({ name }) => name !== 'ngircd'),
      1,
    ),
};
