/** Hashing passwords with scrypt (RFC 7914) in a thread of its own: on the pool of libuv it would stop all file I/O. */
import { HubError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { Passwords } from '../hub/host.ts';
import type { PasswordRequest } from './password-worker.ts';
import { WorkerLink } from './worker-link.ts';

/** The thread starts with the first password. `close` ends it; who still waits is rejected. */
export function createPasswords(): Passwords & { close(): Promise<void> } {
  let worker: WorkerLink<PasswordRequest> | undefined;
  const ask = async <T>(request: PasswordRequest): Promise<T> => {
    worker ??= new WorkerLink<PasswordRequest>(new URL('./password-worker.js', import.meta.url), undefined, () => {
      worker = undefined;
    });
    if (worker.waiting >= limits.passwordQueueMax) {
      throw new HubError('busy', 'too many people are signing in; try again in a moment', { retry: 2 });
    }
    return worker.ask<T>(request);
  };
  return {
    hash: password => ask({ password }),
    verify: (password, stored) => ask({ password, stored: stored ?? '' }),
    close: async () => worker?.end(),
  };
}
