/** The kernel's table of sockets as a source: a thread that runs while there is something to look at. Linux only, no privilege. */
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { ProcReport, ProcRequest } from './proc-worker.ts';
import type { Source } from './source.ts';

export const procSource: Source<ProcReport> = {
  name: '/proc',
  async find() {
    try {
      accessSync('/proc/net/tcp', constants.R_OK);
      return { isFound: true, words: 'states from /proc/net/tcp' };
    } catch {
      return { isFound: false, words: 'no /proc/net/tcp here, so no states from the kernel' };
    }
  },
  start({ tell, lost }) {
    const worker = new Worker(new URL('./proc-worker.js', import.meta.url));
    worker.unref();
    worker.on('message', tell);
    worker.on('error', error => lost(`reading /proc failed: ${error.message}`));
    return {
      ready: once(worker, 'online'),
      watch: watched => worker.postMessage(watched satisfies ProcRequest),
      stop: () => void worker.terminate(),
    };
  },
};
