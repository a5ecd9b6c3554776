/**
 * The kernel's own changes of state, each as it happens, by its tracepoint inet_sock_set_state: root on Linux, with
 * tracefs mounted. In an instance of its own, so that nobody else's tracing is touched; a helper process reads it.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TcpState } from './socket-table.ts';
import type { Finding, Ports, Source } from './source.ts';

/** One end of a connection came into a state. */
export interface StateChange {
  readonly localPort: number;
  readonly peerPort: number;
  readonly state: TcpState;
  /** Of the machine's monotonic clock, as `process.hrtime`. */
  readonly monotonicMs: number;
}

const instances = '/sys/kernel/tracing/instances';
const point = 'events/sock/inet_sock_set_state';
const own = /^partyline-(\d+)$/;

const names: Readonly<Record<string, TcpState>> = {
  TCP_ESTABLISHED: 'ESTABLISHED',
  TCP_SYN_SENT: 'SYN_SENT',
  TCP_SYN_RECV: 'SYN_RCVD',
  TCP_FIN_WAIT1: 'FIN_WAIT_1',
  TCP_FIN_WAIT2: 'FIN_WAIT_2',
  TCP_CLOSE: 'CLOSED',
  TCP_CLOSE_WAIT: 'CLOSE_WAIT',
  TCP_LAST_ACK: 'LAST_ACK',
  TCP_CLOSING: 'CLOSING',
};

export function traceSource(isAllowed: boolean): Source<StateChange> {
  return {
    name: 'the tracepoint',
    find: async () => finding(isAllowed),
    start({ tell, lost }, ports) {
      const folder = join(instances, `partyline-${process.pid}`);
      let child: ReturnType<typeof spawn> | undefined;
      try {
        removeStale();
        begin(folder, ports);
        const reader = spawn('cat', [join(folder, 'trace_pipe')], { stdio: ['ignore', 'pipe', 'ignore'] });
        reader.unref();
        reader.on('error', error => lost(error.message));
        createInterface({ input: reader.stdout }).on('line', line => {
          const change = parseChange(line);
          if (change) tell(change);
        });
        child = reader;
      } catch (error) {
        lost(error instanceof Error ? error.message : String(error));
      }
      const stop = () => {
        child?.once('close', () => end(folder));
        if (child) child.kill('SIGKILL');
        else end(folder);
      };
      return { ready: Promise.resolve(), watch: () => undefined, stop };
    },
  };
}

function finding(isAllowed: boolean): Finding {
  try {
    if (!isAllowed) throw new Error();
    accessSync(instances, constants.W_OK);
    return { isFound: true, words: 'every change of state from the kernel’s tracepoint' };
  } catch {
    return { isFound: false, words: '' };
  }
}

/** The filter stands before anything is let through. */
function begin(folder: string, { ports }: Ports): void {
  mkdirSync(folder, { recursive: true });
  const set = (file: string, value: string) => writeFileSync(join(folder, file), value);
  set('trace_clock', 'mono');
  set(`${point}/filter`, ports.flatMap(port => [`sport==${port}`, `dport==${port}`]).join('||'));
  set(`${point}/enable`, '1');
}

function end(folder: string): void {
  try {
    writeFileSync(join(folder, point, 'enable'), '0');
    rmdirSync(folder);
  } catch {
    // Somebody reads it still: it is removed with the next view.
  }
}

/** What a server that was killed left behind. */
function removeStale(): void {
  for (const name of readdirSync(instances)) {
    const pid = own.exec(name)?.[1];
    if (pid !== undefined && (Number(pid) === process.pid || !existsSync(`/proc/${pid}`))) end(join(instances, name));
  }
}

/** `cat-1 [001] ..s2. 12.345678: inet_sock_set_state: … sport=7070 dport=51122 … oldstate=TCP_CLOSE_WAIT newstate=TCP_LAST_ACK` */
function parseChange(line: string): StateChange | undefined {
  const found = /\s([\d.]+): inet_sock_set_state: .*? sport=(\d+) dport=(\d+) .*oldstate=(\w+) newstate=(\w+)/.exec(
    line,
  );
  if (!found) return undefined;
  const [, seconds, sport, dport, former = '', latter = ''] = found;
  const state = names[latter];
  // What the tracepoint calls closed is TIME_WAIT from there on, and not this socket's any more.
  if (state === undefined || (former === 'TCP_FIN_WAIT2' && state === 'CLOSED')) return undefined;
  return { localPort: Number(sport), peerPort: Number(dport), state, monotonicMs: Number(seconds) * 1000 };
}
