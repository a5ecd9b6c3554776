/** A long text that is read a screenful at a time. It prints lines and asks for more; what was read stays in the scrollback. */
import type { Line } from './line.ts';
import { rowsOf } from './screen.ts';

export class Pager {
  readonly #lines: readonly Line[];
  readonly #over: () => void;
  #at = 0;

  constructor(lines: readonly Line[], over: () => void) {
    this.#lines = lines;
    this.#over = over;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#lines.length;
  }

  get prompt(): string {
    return `-- ${Math.floor((100 * this.#at) / this.#lines.length)} %: space goes on, Enter one line, q ends -- `;
  }

  /** The next lines that fill so many rows; one at least. */
  next(columns: number, rows: number): readonly Line[] {
    const start = this.#at;
    let taken = 0;
    while (!this.isAtEnd) {
      taken += rowsOf(this.#lines[this.#at]!, columns);
      if (taken > rows && this.#at > start) break;
      this.#at++;
    }
    return this.#lines.slice(start, this.#at);
  }

  end(): void {
    this.#over();
  }
}
