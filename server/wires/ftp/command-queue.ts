/**
 * The commands of one FTP control connection, in the order in which they came: one runs at a time, and while it transfers,
 * those that may are answered beside it, one by one. Knows no socket, and not what commands mean.
 */
import { CommandDecoder, type Decoded } from '../../../shared/ftp/command-line.ts';
import type { Reply } from '../../../shared/ftp/reply.ts';
import { limits } from '../../../shared/limits.ts';

interface Owner {
  /** Whether the next command may begin; `next` is to be called when it may again. */
  isReady(): boolean;
  /** Whether it is answered while a transfer runs. */
  isBeside(command: Decoded): boolean;
  /** Never rejects. */
  run(command: Decoded): Promise<Reply>;
  /** In the order of the commands, but for those that are answered beside a transfer. */
  answered(answer: Reply): void;
  /** No command is left, and none runs. */
  atRest(): void;
}

interface Running {
  readonly abort: AbortController;
  isTransfer: boolean;
}

export class CommandQueue {
  readonly #owner: Owner;
  readonly #decoder = new CommandDecoder(limits);
  readonly #held: Decoded[] = [];
  #running: Running | undefined;
  /** A command is being answered while a transfer runs: replies keep the order of what was said. */
  #isAnsweringBeside = false;
  /** Who waits for the command that runs. */
  #waiting: (() => void)[] = [];

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  push(octets: Uint8Array): void {
    this.#held.push(...this.#decoder.push(octets));
    this.next();
  }

  /** More than should be held. */
  get isFull(): boolean {
    return this.#held.length > limits.commandsHeldMax;
  }

  /** Something came that was not begun, a part of a line at least. */
  get hasMore(): boolean {
    return this.#held.length > 0 || this.#decoder.isAmid;
  }

  holds(verb: string): boolean {
    return this.#held.some(held => held.kind === 'command' && held.verb === verb);
  }

  /** What was not begun will not be. */
  clear(): void {
    this.#held.length = 0;
  }

  /** Begins what may begin. */
  next(): void {
    for (;;) {
      const next = this.#held[0];
      if (this.#isAnsweringBeside) return;
      if (this.#running && !(next && this.isTransferring && this.#owner.isBeside(next))) return;
      if (!next) return this.#owner.atRest();
      if (!this.#owner.isReady()) return;
      this.#held.shift();
      this.#begin(next);
    }
  }

  get isTransferring(): boolean {
    return this.#running?.isTransfer === true;
  }

  /** The command that runs is a transfer from here on; the signal is that of `abort`. */
  becomeTransfer(): AbortSignal {
    const running = this.#running;
    if (!running) throw new Error('no command runs');
    running.isTransfer = true;
    return running.abort.signal;
  }

  abort(): void {
    this.#running?.abort.abort();
  }

  /** Resolves when the command that runs has been answered. */
  idle(): Promise<void> {
    return new Promise(resolve => {
      if (this.#running) this.#waiting.push(resolve);
      else resolve();
    });
  }

  #begin(command: Decoded): void {
    const isBeside = this.#running !== undefined;
    if (isBeside) this.#isAnsweringBeside = true;
    else this.#running = { abort: new AbortController(), isTransfer: false };
    this.#owner.run(command).then(answer => {
      this.#owner.answered(answer);
      if (isBeside) this.#isAnsweringBeside = false;
      else {
        this.#running = undefined;
        for (const resolve of this.#waiting.splice(0)) resolve();
      }
      this.next();
    });
  }
}
