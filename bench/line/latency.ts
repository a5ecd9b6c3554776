/** How long a reply takes while a big file moves on another connection. */
import { systemClock } from '../../server/net/system-clock.ts';
import { delay } from '../../shared/clock.ts';
import { interleave } from '../contest.ts';
import type { Latency, ProberAnswer, ProberRequest } from '../load/prober.ts';
import { type Role, startRole } from '../load/role.ts';
import { median, range } from '../statistics.ts';
import { short, spread, table } from '../table.ts';
import { type Depot, withDepot } from './depot.ts';

interface Sample extends ProberAnswer {
  /** Rate of the transfer beside it; 0 where nothing moved. */
  readonly mbPerSecond: number;
}

const quietMs = 1_000;
const MIB = 1024 * 1024;

export async function measureLatency(parent: string, size: number, rounds: number): Promise<string> {
  const prober: Role<ProberRequest, ProberAnswer> = startRole('./prober.js');
  try {
    return await withDepot(parent, size, async depot => {
      for (const by of ['line', 'bare'] as const) await depot.move('put', by, 'file');
      const samples = await interleave(contestants(depot, prober), rounds);
      return `${size / MIB} MiB in ${parent}, milliseconds.\n\n${report(samples)}`;
    });
  } finally {
    prober.stop();
  }
}

function contestants({ partyline, bare, move, source }: Depot, prober: Role<ProberRequest, ProberAnswer>) {
  let runs = 0;
  const during = (by: 'line' | 'bare', verb?: 'put' | 'get') => async (): Promise<Sample> => {
    const { port } = by === 'bare' ? bare : partyline;
    await prober.ask({ do: 'start', port, talks: by === 'line', prefix: `probe${runs++}` });
    const moved = verb ? await move(verb, by, 'file') : await delay(systemClock, quietMs);
    const answer = await prober.ask({ do: 'stop' });
    return { ...answer, mbPerSecond: moved ? source.size / 1e3 / moved.ms : 0 };
  };
  return [
    { name: 'partyline, nothing moves', run: during('line') },
    { name: 'partyline, upload', run: during('line', 'put') },
    { name: 'partyline, download', run: during('line', 'get') },
    { name: 'bare copy, upload', run: during('bare', 'put') },
    { name: 'bare copy, download', run: during('bare', 'get') },
  ];
}

function report(samples: ReadonlyMap<string, readonly Sample[]>): string {
  const rows = [...samples].map(([name, all]) => {
    const cells = (of: 'ping' | 'say') => {
      const by = (key: keyof Latency) => all.map(sample => sample[of][key]);
      if (median(by('count')) === 0) return ['', '', ''];
      return [
        short(median(by('p50'))),
        `**${short(median(by('p99')))}** (${spread(range(by('p99')))})`,
        short(Math.max(...by('max'))),
      ];
    };
    const rate = median(all.map(({ mbPerSecond }) => mbPerSecond));
    return [name, ...cells('ping'), ...cells('say'), rate === 0 ? '' : short(rate)];
  });
  return table(['', 'PING p50', 'p99 (rounds)', 'max', 'SAY p50', 'p99 (rounds)', 'max', 'MB/s meanwhile'], rows);
}
