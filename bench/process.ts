/** Programs under measurement: started on loopback, waited for, their processor time and memory read, ended by pid. */
import { type ChildProcess, spawn } from 'node:child_process';
import { access, constants, readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { systemClock } from '../server/net/system-clock.ts';
import { delay } from '../shared/clock.ts';

const readyDeadlineMs = 20_000;
const stopDeadlineMs = 10_000;
/** `sysconf(_SC_CLK_TCK)`, which is 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

export interface Program {
  readonly pid: number;
  /** All it wrote so far. */
  output(): string;
  /** Resolves when the process is gone. */
  stop(): Promise<void>;
}

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Stands in the output when the program is ready; without it, `port` must take connections. */
  readonly ready?: RegExp;
  readonly port?: number;
}

/** Errors: the program's output, if it ends or is not ready in time. */
export async function startProgram(
  command: string,
  args: readonly string[],
  { env = {}, ready, port }: ProgramOptions,
): Promise<Program> {
  const child = spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      output += text;
    });
  }
  // An interrupted bench leaves nothing behind.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  const program = { pid: child.pid ?? 0, output: () => output, stop: () => stop(child) };
  const isReady = async () => (ready ? ready.test(output) : await accepts(port ?? 0));
  const deadline = Date.now() + readyDeadlineMs;
  while (!(await isReady())) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await program.stop();
      throw new Error(`${command} did not start:\n${output}`);
    }
    await delay(systemClock, 20);
  }
  return program;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const cancel = systemClock.after(stopDeadlineMs, () => child.kill('SIGKILL'));
  await exited;
  cancel();
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** A port that nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === 'object' && bound ? bound.port : 0));
    });
  });
}

/** The path of an installed program, or undefined. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']) {
    const path = join(folder, name);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}

/** Processor time of a process with all its threads, in milliseconds; its resolution is 10 ms. */
export async function cpuMsOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
}

/** Resident memory of a process. */
export async function rssOctetsOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
}
