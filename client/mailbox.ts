/** A queue between one who tells and one who reads with `for await`. It is unbounded unless the teller waits for `push`. */

export class Mailbox<T> implements AsyncIterable<T> {
  #items: T[] = [];
  #end: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;
  #emptied: (() => void) | undefined;
  readonly #wanted: number;

  /** `wanted`: how many items may lie here before the teller is asked to wait. */
  constructor(wanted: number = Number.POSITIVE_INFINITY) {
    this.#wanted = wanted;
  }

  /** A promise where the teller should wait until the reader has caught up. */
  push(item: T): Promise<void> | undefined {
    if (this.#end) return undefined;
    this.#items.push(item);
    this.#wake?.();
    if (this.#items.length < this.#wanted) return undefined;
    return new Promise(resolve => {
      this.#emptied = resolve;
    });
  }

  /** No more will come: the reader gets what lies here, then the error if there is one. */
  end(error?: unknown): void {
    this.#end ??= { error };
    this.#wake?.();
    this.#emptied?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      for (;;) {
        const items = this.#items;
        this.#items = [];
        yield* items;
        if (this.#items.length > 0) continue;
        if (this.#end) break;
        this.#emptied?.();
        await new Promise<void>(resolve => {
          this.#wake = resolve;
        });
      }
      if (this.#end.error !== undefined) throw this.#end.error;
    } finally {
      this.end();
    }
  }
}
