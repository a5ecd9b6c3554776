/** The sha256 of one open file that travels, computed in order behind what is said to be there. */
import { limits } from '../shared/limits.ts';
import type { HashThread } from './hash-thread.ts';
import { HashWalk, type Walked } from './hash-walk.ts';

/** Octets of one turn: a long file does not keep the others waiting. */
const turnPieces = 16;
/** Below, starting a thread costs more than it saves. */
const threadFromOctets = 8 * limits.pieceOctets;

export interface OpenFile {
  readonly fd: number;
  readonly size: number;
}

export class RunningHash {
  readonly #size: number;
  readonly #walkTo: (end: number, expected: readonly string[]) => Promise<Walked>;
  readonly #forget: () => Promise<unknown>;
  readonly #onDigests: (digests: readonly string[]) => void;
  #position = 0;
  #target = 0;
  #last = '';
  #failure: { readonly error: unknown } | undefined;
  #running: Promise<void> | undefined;

  /** `onDigests` is told, in order, the digest of all up to each piece's end. The file stays open until `close` is done. */
  constructor(
    thread: HashThread,
    { fd, size }: OpenFile,
    onDigests: (digests: readonly string[]) => void = () => undefined,
  ) {
    this.#size = size;
    this.#onDigests = onDigests;
    if (size < threadFromOctets) {
      const here = new HashWalk();
      const buffer = Buffer.allocUnsafeSlow(Math.min(size, limits.pieceOctets));
      this.#walkTo = async (end, expected) => here.walk(fd, end, expected, buffer);
      this.#forget = async () => undefined;
      return;
    }
    const id = thread.nextId();
    this.#walkTo = (end, expected) => thread.ask({ do: 'walk', id, fd, end, expected });
    this.#forget = () => thread.ask({ do: 'forget', id });
  }

  /** Octets from 0 that are hashed. */
  get position(): number {
    return this.#position;
  }

  /** Octets from 0 that may be read. */
  advance(octets: number): void {
    // In whole pieces, since the digests are at their ends.
    const target = octets < this.#size ? octets - (octets % limits.pieceOctets) : this.#size;
    this.#target = Math.max(this.#target, target);
    if (!this.#failure && this.#position < this.#target) this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    try {
      while (this.#position < this.#target) {
        const from = this.#position;
        this.#onDigests(await this.#turn(this.#target, []));
        if (this.#position === from) throw new Error('the file became shorter while it was hashed');
      }
    } catch (error) {
      this.#failure = { error };
    } finally {
      this.#running = undefined;
    }
  }

  /**
   * Goes over what an earlier run left, and compares it with that run's digests. Resolves with undefined at their end,
   * or with where a piece begins that is damaged or missing; asked again when that is mended, it goes on.
   */
  async confirm(known: readonly string[], tell: (octets: number) => void): Promise<number | undefined> {
    const end = Math.min(this.#size, known.length * limits.pieceOctets);
    while (this.#position < end) {
      const first = this.#position / limits.pieceOctets;
      const expected = known.slice(first, first + turnPieces);
      const digests = await this.#turn(end, expected);
      tell(this.#position);
      if (digests.length < expected.length) return this.#position;
    }
    return undefined;
  }

  async #turn(target: number, expected: readonly string[]): Promise<readonly string[]> {
    const end = Math.min(target, this.#position + turnPieces * limits.pieceOctets);
    const { position, digests } = await this.#walkTo(end, expected);
    this.#position = position;
    this.#last = digests.at(-1) ?? this.#last;
    return digests;
  }

  /** Resolves when all that was said to be there is hashed. Error: what reading the file says. */
  async settle(): Promise<void> {
    await this.#running;
    if (this.#failure) throw this.#failure.error;
  }

  /** `sha256:…` of the whole, which is there now. Errors: as `settle`. */
  async whole(): Promise<string> {
    this.advance(this.#size);
    await this.settle();
    return `sha256:${this.#last}`;
  }

  /** The file may be closed when this has resolved. */
  async close(): Promise<void> {
    this.#target = 0;
    await this.#running;
    await this.#forget().catch(() => undefined);
  }
}
