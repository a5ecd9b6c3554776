/** Content that runs to the client's FIN, as the hub reads it: held in bounded pieces while the hub is behind. */
import { HubError } from '../../../shared/errors.ts';
import { MIB } from '../../../shared/limits.ts';
import { Pieces } from '../../../shared/line/pieces.ts';

const heldOctetsMax = 2 * MIB;

export class Incoming implements AsyncIterable<Uint8Array> {
  readonly #pieces = new Pieces();
  #state: 'open' | 'ended' | 'lost' = 'open';
  #isUnwanted = false;
  #wake: (() => void) | undefined;
  readonly #wanted: () => void;

  /** `wanted` is called when a full buffer has room again. */
  constructor(wanted: () => void) {
    this.#wanted = wanted;
  }

  get isFull(): boolean {
    return this.#pieces.octets >= heldOctetsMax;
  }

  push(octets: Uint8Array): void {
    if (this.#isUnwanted) return;
    this.#pieces.add(octets);
    this.#wake?.();
  }

  end(): void {
    if (this.#state === 'open') this.#state = 'ended';
    this.#wake?.();
  }

  /** The connection broke before FIN. */
  lose(): void {
    if (this.#state === 'open') this.#state = 'lost';
    this.#wake?.();
  }

  /** Nobody reads on: what still comes is thrown away. Resolves at the end of the stream. */
  async discard(): Promise<void> {
    this.#isUnwanted = true;
    this.#take();
    while (this.#state === 'open') await this.#woken();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (;;) {
      if (this.#pieces.octets > 0) yield* this.#take();
      else if (this.#state === 'open') await this.#woken();
      else if (this.#state === 'lost') throw new HubError('truncated', 'the connection broke before the end');
      else return;
    }
  }

  #take(): readonly Uint8Array[] {
    const wasFull = this.isFull;
    const pieces = this.#pieces.take();
    if (wasFull) this.#wanted();
    return pieces;
  }

  #woken(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
