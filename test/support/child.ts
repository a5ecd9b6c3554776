/** A program that runs beside the test until it ends, or the test does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Test } from 'tap';
import { withDeadline } from './inbox.ts';

/** Resolves when it has said on standard error that it is ready. `output`: what it wrote to standard output until its end. */
export async function startChild(
  t: Test,
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  ready: RegExp,
) {
  const child = spawn(command, args, { env, stdio: 'pipe' });
  t.teardown(() => void child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (octets: Buffer) => {
    stdout += octets;
  });
  const ended = once(child, 'close');
  await withDeadline(
    `${command} to begin`,
    new Promise<void>(resolve => {
      child.stderr.on('data', (octets: Buffer) => {
        stderr += octets;
        if (ready.test(stderr)) resolve();
      });
    }),
  );
  return {
    child,
    async output() {
      await withDeadline(`${command} to end`, ended, 15_000);
      return stdout;
    },
  };
}
