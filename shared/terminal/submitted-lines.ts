/** Lines that a person has sent: they go to whoever listens one after the other, each when the one before is answered. */
import type { Listener, TerminalHost } from './terminal-host.ts';

const waitingMax = 64;

export class SubmittedLines {
  readonly #host: Pick<TerminalHost, 'flow'>;
  /** Called when a line is answered. */
  readonly #answered: () => void;
  readonly #waiting: string[] = [];
  #isWorking = false;

  constructor(host: Pick<TerminalHost, 'flow'>, answered: () => void) {
    this.#host = host;
    this.#answered = answered;
  }

  /** None waits, and none is being worked on. */
  get isDone(): boolean {
    return !this.#isWorking && this.#waiting.length === 0;
  }

  /** With too many the client is not read any more until one is answered. */
  push(text: string): void {
    this.#waiting.push(text);
    if (this.#waiting.length === waitingMax) this.#host.flow?.(false);
  }

  /** The oldest that nobody has got. */
  shift(): string | undefined {
    if (this.#waiting.length === waitingMax) this.#host.flow?.(true);
    return this.#waiting.shift();
  }

  feed(listener: Listener): void {
    while (!this.#isWorking && this.#waiting.length > 0) {
      const working = listener.line(this.shift()!);
      if (!working) continue;
      this.#isWorking = true;
      void working.then(() => {
        this.#isWorking = false;
        this.feed(listener);
        this.#answered();
      });
    }
  }
}
