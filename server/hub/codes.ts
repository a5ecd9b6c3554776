/** Words that enter once instead of a password, for links that others can read: in memory, one an account, short-lived. */
import type { Clock } from '../../shared/clock.ts';
import { limits } from '../../shared/limits.ts';
import type { Random } from './host.ts';

interface Code {
  readonly word: string;
  readonly untilMs: number;
}

/** What is not mistaken for something else when it is read from one screen and typed at another. */
const clear = /[a-hj-km-np-z2-9]/g;
const lettersPerPart = 5;

export class Codes {
  readonly #clock: Clock;
  readonly #random: Random;
  /** By folded account name. */
  readonly #codes = new Map<string, Code>();

  constructor({ clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = clock;
    this.#random = random;
  }

  /** A new one; the account's former one is void. */
  issue(account: string): { readonly code: string; readonly untilMs: number } {
    let letters = '';
    // 10 letters of 31 are 49 bits; guesses are throttled like those of passwords.
    while (letters.length < 2 * lettersPerPart) {
      letters += this.#random.token(16).toLowerCase().match(clear)?.join('') ?? '';
    }
    const word = `${letters.slice(0, lettersPerPart)}-${letters.slice(lettersPerPart, 2 * lettersPerPart)}`;
    const untilMs = this.#clock.now() + limits.codeMs;
    for (const [key, { untilMs: end }] of this.#codes) if (end <= this.#clock.now()) this.#codes.delete(key);
    this.#codes.set(account, { word, untilMs });
    return { code: word, untilMs };
  }

  /** A word would enter now. */
  isOut(account: string): boolean {
    return (this.#codes.get(account)?.untilMs ?? 0) > this.#clock.now();
  }

  /** True once for the right word in time. */
  redeem(account: string, word: string): boolean {
    if (!this.isOut(account) || this.#codes.get(account)?.word !== word.trim().toLowerCase()) return false;
    return this.#codes.delete(account);
  }

  /** The account's word, if there is one, enters no more. */
  withdraw(account: string): void {
    this.#codes.delete(account);
  }
}
