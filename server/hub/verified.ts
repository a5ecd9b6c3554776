/** Passwords that were right a moment ago, so that a mirror of ten thousand logins pays for one hash. */
import { createHmac } from 'node:crypto';
import { limits } from '../../shared/limits.ts';
import type { Domain } from './handlers.ts';

/** Verified passwords by a keyed digest; it covers the stored hash, so a changed password is another key. */
export class Verified {
  readonly #domain: Domain;
  readonly #secret: string;
  readonly #until = new Map<string, number>();
  /** Fifty logins of one person at once wait for one hash. */
  readonly #running = new Map<string, Promise<boolean>>();

  constructor(domain: Domain) {
    this.#domain = domain;
    this.#secret = domain.random.token(32);
  }

  async check(password: string, stored: string | undefined): Promise<boolean> {
    const { clock } = this.#domain;
    const key = createHmac('sha256', this.#secret).update(`${stored}\0${password}`).digest('base64');
    if ((this.#until.get(key) ?? 0) > clock.now()) return true;
    this.#until.delete(key);
    let running = this.#running.get(key);
    if (!running) {
      running = this.#verify(key, password, stored).finally(() => this.#running.delete(key));
      this.#running.set(key, running);
    }
    return running;
  }

  async #verify(key: string, password: string, stored: string | undefined): Promise<boolean> {
    const { clock, passwords } = this.#domain;
    if (!(await passwords.verify(password, stored))) return false;
    this.#until.set(key, clock.now() + limits.verifiedMs);
    if (this.#until.size > 1_000) this.#until.delete(this.#until.keys().next().value!);
    return true;
  }
}
