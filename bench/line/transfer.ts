/** Octets per second of one big file, up and down: the line wire and the client library beside a bare copy. */
import { compare, controlBand, interleave } from '../contest.ts';
import type { BulkAnswer } from '../load/bulk.ts';
import { cpuMsOf } from '../process.ts';
import { median, range } from '../statistics.ts';
import { short, spread, table } from '../table.ts';
import { type Depot, withDepot } from './depot.ts';
import { shown } from './verdict.ts';

interface Sample extends BulkAnswer {
  readonly serverCpuMs: number;
}

const MIB = 1024 * 1024;

/** Resolves with a table per direction. */
export async function measureTransfer(parent: string, size: number, rounds: number): Promise<string> {
  return withDepot(parent, size, async depot => {
    await warm(depot);
    const up = await direction(depot, 'put', rounds);
    const down = await direction(depot, 'get', rounds);
    return `${size / MIB} MiB in ${parent}, MB/s.\n\n${up}\n\n${down}`;
  });
}

/** Once each way, with the contents compared. */
async function warm({ move }: Depot): Promise<void> {
  for (const by of ['line', 'bare'] as const) {
    await move('put', by, 'file');
    await move('get', by, 'file', true);
  }
}

async function direction(depot: Depot, verb: 'put' | 'get', rounds: number): Promise<string> {
  const { partyline, bare, move } = depot;
  const contestant = (name: string, by: 'line' | 'bare' | 'library', file: string) => ({
    name,
    run: async (): Promise<Sample> => {
      const { pid } = by === 'bare' ? bare : partyline;
      const before = await cpuMsOf(pid);
      const answer = await move(verb, by, file);
      return { ...answer, serverCpuMs: (await cpuMsOf(pid)) - before };
    },
  });
  const first = verb === 'put' ? 'PUT until=fin' : 'GET';
  const copy = verb === 'put' ? 'library' : 'file';
  const samples = await interleave(
    [
      contestant(first, 'line', 'file'),
      contestant('bare copy', 'bare', ''),
      contestant(`client library ${verb}`, 'library', copy),
      contestant('again', 'line', 'file'),
    ],
    rounds,
  );
  return report(samples, first, depot.source.size);
}

function report(samples: ReadonlyMap<string, readonly Sample[]>, first: string, size: number): string {
  const rate = (name: string) => samples.get(name)!.map(({ ms }) => size / 1e3 / ms);
  const band = controlBand(rate(first), rate('again'));
  const share = (name: string, of: 'cpuMs' | 'serverCpuMs') =>
    `${Math.round(100 * median(samples.get(name)!.map(sample => sample[of] / sample.ms)))}`;
  const rows = [...samples.keys()]
    .filter(name => name !== 'again')
    .map(name => [
      name,
      short(median(rate(name))),
      spread(range(rate(name))),
      name === 'bare copy' ? '' : shown(compare(rate(name), rate('bare copy'), band)),
      `${share(name, 'serverCpuMs')} / ${share(name, 'cpuMs')}`,
    ]);
  const head = ['', 'MB/s', 'min–max', 'it / bare copy', 'CPU % server / client'];
  return `${table(head, rows)}\n\n${first} against itself: ${spread(band)}`;
}
