/** How long others wait while big files move: a NOOP on another control connection, and talk on the line wire. */
import { interleave } from '../contest.ts';
import type { Latency, ProberAnswer, ProberRequest } from '../load/prober.ts';
import { type Role, startRole } from '../load/role.ts';
import type { FtpServer } from '../servers/ftp-peers.ts';
import { median, range } from '../statistics.ts';
import { short, spread, table } from '../table.ts';
import { type Field, move } from './field.ts';

type Prober = Role<ProberRequest, ProberAnswer>;

interface Sample {
  readonly latency: Latency;
  readonly mbPerSecond: number;
}

export async function measureLatency(field: Field, rounds: number): Promise<string> {
  const prober: Prober = startRole('./prober.js');
  try {
    const noops = await interleave(
      field.servers.map(server => ({ name: `NOOP, ${server.name}`, run: () => noop(field, server, prober) })),
      rounds,
    );
    const talk = await interleave(
      [{ name: 'SAY on the line wire, RETR and STOR run', run: () => say(field, prober) }],
      rounds,
    );
    const rows = [...noops, ...talk].map(([name, samples]) => rowOf(name, samples));
    return `One RETR runs unless it says otherwise; milliseconds.\n\n${table(['', 'p50', 'p99 (rounds)', 'max', 'MB/s meanwhile'], rows)}${field.note}`;
  } finally {
    prober.stop();
  }
}

async function noop({ source }: Field, server: FtpServer, prober: Prober): Promise<Sample> {
  const { port, user, password } = server;
  const steps = [
    { send: '', until: '220' },
    { send: `USER ${user}\r\n`, until: user === 'anonymous' ? '230' : '331' },
    ...(user === 'anonymous' ? [] : [{ send: `PASS ${password}\r\n`, until: '230' }]),
  ];
  await prober.ask({ do: 'repeat', port, steps, request: 'NOOP\r\n' });
  const seconds = await move(server, 'get', '/dev/null', 'big');
  const { ping } = await prober.ask({ do: 'stop' });
  return { latency: ping, mbPerSecond: source.size / 1e6 / seconds };
}

let talks = 0;

async function say({ servers, linePort, source }: Field, prober: Prober): Promise<Sample> {
  const [server] = servers as [FtpServer];
  await prober.ask({ do: 'start', port: linePort, talks: true, prefix: `ftp${talks++}` });
  const both = await Promise.all([move(server, 'get', '/dev/null', 'big'), move(server, 'put', source.path, 'sent')]);
  const { say } = await prober.ask({ do: 'stop' });
  return { latency: say, mbPerSecond: (2 * source.size) / 1e6 / Math.max(...both) };
}

function rowOf(name: string, samples: readonly Sample[]): readonly string[] {
  const by = (key: keyof Latency) => samples.map(({ latency }) => latency[key]);
  return [
    name,
    short(median(by('p50'))),
    `**${short(median(by('p99')))}** (${spread(range(by('p99')))})`,
    short(Math.max(...by('max'))),
    short(median(samples.map(({ mbPerSecond }) => mbPerSecond))),
  ];
}
