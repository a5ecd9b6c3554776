/** Slows guessing of passwords: by the pair of account and address, and by the address, so that strangers cannot slow the owner. */
import type { Clock } from '../../shared/clock.ts';
import { HubError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';

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
  readonly #clock: Clock;
  readonly #failures = new Map<string, Failures>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Error: `rate-limited` with the seconds to wait. Asked before the password is hashed. */
  check(account: string, address: string): void {
    const now = this.#clock.now();
    for (const key of [address, `${account} ${address}`]) {
      const waitMs = (this.#failures.get(key)?.until ?? 0) - now;
      if (waitMs <= 0) continue;
      const retry = Math.min(Math.ceil(waitMs / 1000), limits.loginWaitMsMax / 1000);
      throw new HubError('rate-limited', `too many wrong passwords; wait ${retry} s`, { retry });
    }
  }

  failed(account: string, address: string): void {
    this.#count(address, addressFailuresFree);
    this.#count(`${account} ${address}`, limits.loginFailuresFree);
  }

  succeeded(account: string, address: string): void {
    this.#failures.delete(`${account} ${address}`);
  }

  #count(key: string, free: number): void {
    const now = this.#clock.now();
    const known = this.#failures.get(key);
    const count = known && now - known.last < forgetMs ? known.count + 1 : 1;
    const waitMs = count < free ? 0 : Math.min(1000 * 2 ** (count - free), limits.loginWaitMsMax);
    // Deleted first, so that the map stays in the order of last use and the oldest goes when it is full.
    this.#failures.delete(key);
    this.#failures.set(key, { count, until: now + waitMs, last: now });
    if (this.#failures.size > keysMax) this.#failures.delete(this.#failures.keys().next().value!);
  }
}
