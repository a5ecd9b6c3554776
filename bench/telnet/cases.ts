/** What is measured of the TELNET wire: the echo of a key beside busy sessions, and what a silent session weighs. */
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../server/net/system-clock.ts';
import { delay } from '../../shared/clock.ts';
import type { Latency } from '../load/prober.ts';
import { startRole } from '../load/role.ts';
import type { TypistsRequest } from '../load/typists.ts';
import { rssOctetsOf } from '../process.ts';
import { startPartyline } from '../servers/node-servers.ts';
import { median, range } from '../statistics.ts';
import { short, spread, table } from '../table.ts';

const busySessions = 200;
const keyEveryMs = 200;
const probeMs = 8_000;
const silentSessions = 1_000;
const restMs = 1_000;
const collectable = fileURLToPath(new URL('../load/collectable.js', import.meta.url));

/** By name; each gives its table in Markdown. */
export const cases: Readonly<Record<string, (rounds: number) => Promise<string>>> = {
  echo: measureEcho,
  idle: measureIdle,
};

const startTypists = () => startRole<TypistsRequest, Latency>('./typists.js');

async function measureEcho(rounds: number): Promise<string> {
  const alone: Latency[] = [];
  const busy: Latency[] = [];
  for (let round = 0; round < rounds; round++) {
    const [typists, prober, server] = [startTypists(), startTypists(), await startPartyline()];
    try {
      const port = server.ports.telnet;
      alone.push(await prober.ask({ do: 'probe', port, forMs: probeMs / 4 }));
      await typists.ask({ do: 'open', port, count: busySessions, prefix: 't' });
      await typists.ask({ do: 'type', everyMs: keyEveryMs });
      busy.push(await prober.ask({ do: 'probe', port, forMs: probeMs }));
    } finally {
      typists.stop();
      prober.stop();
      await server.stop();
    }
  }
  const row = (name: string, all: readonly Latency[]) => [
    name,
    short(median(all.map(({ p50 }) => p50))),
    short(median(all.map(({ p99 }) => p99))),
    spread(range(all.map(({ p99 }) => p99))),
  ];
  const head = ['', 'p50 ms', 'p99 ms', 'min–max'];
  const about = `A key until it is shown; ${busySessions} others in the same room, each typing a key every ${keyEveryMs} ms and a message every ${(keyEveryMs * 20) / 1000} s.`;
  return `${about}\n\n${table(head, [row('alone', alone), row(`beside ${busySessions}`, busy)])}`;
}

async function measureIdle(rounds: number): Promise<string> {
  const weights: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const typists = startTypists();
    const server = await startPartyline({ flags: ['--expose-gc', '--import', collectable] });
    try {
      const weight = async () => {
        await delay(systemClock, restMs);
        process.kill(server.pid, 'SIGUSR2');
        await delay(systemClock, restMs);
        return rssOctetsOf(server.pid);
      };
      const empty = await weight();
      for (const prefix of ['a', 'b']) {
        await typists.ask({ do: 'open', port: server.ports.telnet, count: silentSessions, prefix });
      }
      weights.push(((await weight()) - empty) / (2 * silentSessions) / 1024);
    } finally {
      typists.stop();
      await server.stop();
    }
  }
  const head = ['', `KiB a session, from none to ${2 * silentSessions}`, 'min–max'];
  return table(head, [['partyline', short(median(weights)), spread(range(weights))]]);
}
