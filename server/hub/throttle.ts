/** Slows guessing of passwords: by the pair of account and address, and by the address, so that strangers cannot slow the owner. */
import { HubError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { Domain } from './handlers.ts';
import type { Write } from './writes.ts';

interface Failures {
  count: number;
  /** No try before this. */
  until: number;
  last: number;
}

/** Failures from one address for any account that are free: a classroom behind one address mistypes more often. */
const addressFailuresFree = 4 * limits.loginFailuresFree;
const forgetMs = 600_000;
const keysMax = 10_000;

export class Throttle {
  readonly #domain: Pick<Domain, 'clock' | 'store' | 'report'>;
  readonly #failures = new Map<string, Failures>();

  private constructor(domain: Pick<Domain, 'clock' | 'store' | 'report'>) {
    this.#domain = domain;
  }

  /** With those whose wait a restart must not end. */
  static async load(domain: Pick<Domain, 'clock' | 'store' | 'report'>): Promise<Throttle> {
    const throttle = new Throttle(domain);
    const known = await domain.store.documents<Failures>('throttle', { limit: keysMax });
    for (const { key, value } of known) {
      if (domain.clock.now() - value.last < forgetMs) throttle.#failures.set(key, value);
      else throttle.#keep({ kind: 'remove-document', document: 'throttle', key });
    }
    return throttle;
  }

  /** Error: `rate-limited` with the seconds to wait. Asked before the password is hashed. */
  check(account: string, address: string): void {
    const now = this.#domain.clock.now();
    for (const key of [address, `${account} ${address}`]) {
      const waitMs = (this.#failures.get(key)?.until ?? 0) - now;
      if (waitMs <= 0) continue;
      const retry = Math.min(Math.ceil(waitMs / 1000), limits.loginWaitMsMax / 1000);
      throw new HubError('rate-limited', `too many wrong passwords; wait ${retry} s`, { retry });
    }
  }

  /** Gives the failures from this address so far. */
  failed(account: string, address: string): number {
    this.#count(`${account} ${address}`, limits.loginFailuresFree);
    return this.#count(address, addressFailuresFree);
  }

  succeeded(account: string, address: string): void {
    const key = `${account} ${address}`;
    const known = this.#failures.get(key);
    this.#failures.delete(key);
    if (known && known.until > 0) this.#keep({ kind: 'remove-document', document: 'throttle', key });
  }

  #count(key: string, free: number): number {
    const now = this.#domain.clock.now();
    const known = this.#failures.get(key);
    const count = known && now - known.last < forgetMs ? known.count + 1 : 1;
    const waitMs = count < free ? 0 : Math.min(1000 * 2 ** (count - free), limits.loginWaitMsMax);
    // Deleted first, so that the map stays in the order of last use and the oldest goes when it is full.
    this.#failures.delete(key);
    const value = { count, until: waitMs === 0 ? 0 : now + waitMs, last: now };
    this.#failures.set(key, value);
    if (this.#failures.size > keysMax) this.#failures.delete(this.#failures.keys().next().value!);
    if (waitMs > 0) this.#keep({ kind: 'put-document', document: 'throttle', key, value });
    return count;
  }

  /** Nobody waits for it: at worst a restart forgets the last failures. */
  #keep(write: Write): void {
    this.#domain.store
      .commit([write])
      .catch(error => this.#domain.report({ what: 'remembering failed logins', error }));
  }
}
