/**
 * Other people's programs in tests: finding them, and running any program to its end with a deadline.
 */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { delimiter, join } from 'node:path';
import workerThreads from 'node:worker_threads';
import processOnSpawn from 'process-on-spawn';
import type { Test } from 'tap';
import { withDeadline } from './inbox.ts';

const RUN_DEADLINE_MS = 30_000;

/** Netcats differ in how they half-close, and Debian installs any of them as `nc`: its help tells which one it is. */
const NETCATS: Readonly<Record<string, RegExp>> = { 'nc.openbsd': /OpenBSD/, 'nc.traditional': /\[v1\.\d+/ };

const onPath = (name: string): string | undefined => {
  const paths = (process.env['PATH'] ?? '').split(delimiter).map(folder => join(folder, name));
  return paths.find(path => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
};

const findTool = (name: string): string | undefined => {
  const flavour = NETCATS[name];
  if (flavour === undefined) return onPath(name);
  return [name, 'nc'].map(onPath).find(path => {
    if (path === undefined) return false;
    const help = spawnSync(path, ['-h'], { encoding: 'utf8', timeout: RUN_DEADLINE_MS });
    return flavour.test(help.stdout + help.stderr);
  });
};

/**
 * The path of the first of these programs that is installed. Where none is, the test is skipped with its reason, or
 * fails if CI=true, and undefined is returned: return from the test then. `nc.openbsd` and `nc.traditional` are
 * recognised under the name `nc` too.
 */
export const requireTool = (t: Test, ...names: readonly string[]): string | undefined => {
  for (const name of names) {
    const path = findTool(name);
    if (path !== undefined) return path;
  }
  const reason = `${names.join(' or ')} is not installed`;
  if (process.env['CI'] === 'true') t.fail(reason);
  else t.pass(reason, { skip: reason });
  return undefined;
};

export interface RunOptions {
  /** Written to standard input, which is then closed. */
  readonly input?: string | Buffer;
  /** The whole environment. Default: `cleanEnv()`. */
  readonly env?: NodeJS.ProcessEnv;
  readonly deadlineMs?: number;
}

export interface RunResult {
  /** Null after a signal. */
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

const without = (env: NodeJS.ProcessEnv, foreign: RegExp): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([key]) => !foreign.test(key)));

/** Our environment without what would steer the product. */
export const cleanEnv = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  ...without(process.env, /^PARTYLINE_/),
  ...more,
});

// Tap loads its hooks into every child that a test spawns, whatever environment it is given: a start of Node then takes
// twice as long, and the program that is tested is not the one that people run. Listeners go in turn: this is the last.
const hooks = /^(_?TAP|NODE_OPTIONS$)/;
processOnSpawn.addListener(child => {
  child.env = without(child.env, hooks);
});

// And into every thread, which costs it more than all that it does here.
workerThreads.Worker = class extends workerThreads.Worker {
  constructor(file: string | URL, options: workerThreads.WorkerOptions = {}) {
    super(file, { execArgv: [], env: without(process.env, hooks), ...options });
  }
};
syncBuiltinESMExports();

/** Runs a program to its end. Rejects when it cannot be started, and when it outlives the deadline, which kills it. */
export const run = async (command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> => {
  const child = spawn(command, args, { env: options.env ?? cleanEnv(), stdio: 'pipe' });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A program may end before it read its input; its exit code tells.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const result = new Promise<RunResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => {
      resolve({ code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString('utf8') });
    });
  });
  try {
    return await withDeadline(`${command} to end`, result, options.deadlineMs ?? RUN_DEADLINE_MS);
  } finally {
    child.kill('SIGKILL');
    // Its own children may hold the pipes open longer than it lived.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  }
};
