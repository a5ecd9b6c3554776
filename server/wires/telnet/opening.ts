/**
 * The first words of a connection, in which it is found out who is there: the names of the terminal are asked for, and
 * whoever says nothing at all is taken for a program that knows no TELNET.
 */
import { limits } from '../../../shared/limits.ts';
import type { Outcome } from '../../../shared/telnet/negotiation.ts';
import type { ClientKind } from '../../../shared/terminal/terminal.ts';
import { clientKind, type Learnt } from './client-kind.ts';
import { codeOf } from './options.ts';

export class Opening {
  readonly #names: string[] = [];
  #isTelnet = false;
  #keepsLines = false;
  /** Names may still come. */
  #isAsking = true;

  /** It said something in TELNET. */
  get isTelnet(): boolean {
    return this.#isTelnet;
  }

  /** All is known that will be. */
  get isDone(): boolean {
    return !this.#isAsking;
  }

  get kind(): ClientKind {
    const learnt: Learnt = { isTelnet: this.#isTelnet, names: this.#names, keepsLines: this.#keepsLines };
    return clientKind(learnt);
  }

  heard(): void {
    this.#isTelnet = true;
  }

  /** What became of an option. True: ask for a name of the terminal. */
  negotiated({ option, became, refused }: Outcome): boolean {
    if (refused && (option === suppressGoAhead || option === terminalType)) {
      this.#keepsLines = true;
      this.#isAsking = false;
    }
    return option === terminalType && became === 'on';
  }

  /** A name of the terminal. True: ask for the next one. */
  named(name: string): boolean {
    if (!this.#isAsking) return false;
    const isNew = !this.#names.includes(name);
    if (isNew) this.#names.push(name);
    this.#isAsking = isNew && this.#names.length < limits.terminalTypesMax;
    return this.#isAsking;
  }
}

const suppressGoAhead = codeOf('SUPPRESS-GO-AHEAD');
const terminalType = codeOf('TERMINAL-TYPE');
