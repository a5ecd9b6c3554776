/** What the kernel counted of each connection, told as it ends: `ss -E` as a child process. Linux with iproute2, no privilege. */
import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Source } from './source.ts';

const run = promisify(execFile);

/** TCP_INFO of one end, as far as it is of use to people. Times in milliseconds. */
export interface SsReport {
  readonly localPort: number;
  readonly peerPort: number;
  readonly facts: Readonly<Record<string, number>>;
}

export const ssSource: Source<SsReport> = {
  name: 'ss',
  async find() {
    try {
      // Without line buffering its words would come much later, or never.
      await Promise.all([run('ss', ['--version']), run('stdbuf', ['--version'])]);
      return { isFound: true, words: 'counters from ss' };
    } catch {
      return { isFound: false, words: 'no ss with stdbuf here, so no counters from the kernel' };
    }
  },
  start({ tell, lost }, { ports }) {
    const filter = ports.flatMap(port => ['or', `sport = :${port}`, 'or', `dport = :${port}`]).slice(1);
    const child = spawn('stdbuf', ['-oL', 'ss', '-tEHni', ...filter], { stdio: ['ignore', 'pipe', 'ignore'] });
    child.unref();
    child.on('error', error => lost(`ss failed: ${error.message}`));
    let ends: Pick<SsReport, 'localPort' | 'peerPort'> | undefined;
    createInterface({ input: child.stdout }).on('line', line => {
      ends = parseEnds(line) ?? ends;
      const facts = /^\s/.test(line) ? parseFacts(line) : undefined;
      if (ends && facts) tell({ ...ends, facts });
    });
    return { ready: Promise.resolve(), watch: () => undefined, stop: () => void child.kill('SIGKILL') };
  },
};

/** `UNCONN 0 0 127.0.0.1:7070 127.0.0.1:51122` */
function parseEnds(line: string): Pick<SsReport, 'localPort' | 'peerPort'> | undefined {
  const [, local, peer] = /^[A-Z]\S+\s+\d+\s+\d+\s+\S*:(\d+)\s+\S*:(\d+)/.exec(line) ?? [];
  return local === undefined ? undefined : { localPort: Number(local), peerPort: Number(peer) };
}

/** What ss calls it → what it is called here. */
const wanted = [
  [/\brtt:([\d.]+)/, 'rtt'],
  [/\bcwnd:(\d+)/, 'cwnd'],
  [/\bbytes_acked:(\d+)/, 'acknowledged'],
  [/\bbytes_received:(\d+)/, 'received'],
  [/\bsegs_out:(\d+)/, 'segments-out'],
  [/\bsegs_in:(\d+)/, 'segments-in'],
  [/\bretrans:\d+\/(\d+)/, 'retransmissions'],
] as const;

function parseFacts(line: string): Readonly<Record<string, number>> {
  return Object.fromEntries(
    wanted.flatMap(([pattern, name]) => {
      const value = pattern.exec(line)?.[1];
      return value === undefined ? [] : [[name, Number(value)]];
    }),
  );
}
