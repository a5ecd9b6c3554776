/** Lines on their way to a screen: bounded while nobody takes them, and the last of them once more for what is drawn anew. */
import { type Line, line, plainText } from './line.ts';

const heldLinesMax = 500;
const heldCharsMax = 128 * 1024;
/** A high window's; each terminal keeps them. */
const recentLinesMax = 120;
const recentCharsMax = 16 * 1024;

/** Lines with a bound on their number and characters; the oldest go. */
class Bounded {
  lines: Line[] = [];
  #chars = 0;
  readonly #linesMax: number;
  readonly #charsMax: number;

  constructor(linesMax: number, charsMax: number) {
    this.#linesMax = linesMax;
    this.#charsMax = charsMax;
  }

  /** How many had to go. */
  add(added: Line): number {
    this.lines.push(added);
    this.#chars += plainText(added).length;
    let gone = 0;
    while (this.lines.length > this.#linesMax || (this.#chars > this.#charsMax && this.lines.length > 1)) {
      this.#chars -= plainText(this.lines.shift()!).length;
      gone++;
    }
    return gone;
  }

  takeAll(): Line[] {
    const { lines } = this;
    this.lines = [];
    this.#chars = 0;
    return lines;
  }
}

export class Outbox {
  #next: Line[] = [];
  readonly #held = new Bounded(heldLinesMax, heldCharsMax);
  readonly #recent = new Bounded(recentLinesMax, recentCharsMax);
  #skipped = 0;
  isHeld = false;

  add(added: Line): void {
    if (this.isHeld) this.#skipped += this.#held.add(added);
    else this.#next.push(added);
  }

  /** Past those that are held: what a person asked for themselves. */
  addAtOnce(added: Line): void {
    this.#next.push(added);
  }

  /** What is to be printed now; it counts as printed. */
  take(): readonly Line[] {
    const taken = this.#next;
    this.#next = [];
    if (!this.isHeld) {
      if (this.#skipped > 0) taken.push(line`skipped ${this.#skipped} messages; /history has them`);
      this.#skipped = 0;
      taken.push(...this.#held.takeAll());
    }
    for (const printed of taken) this.#recent.add(printed);
    return taken;
  }

  /** What waits is not wanted any more. */
  drop(): void {
    this.#next = [];
    this.#held.takeAll();
    this.#skipped = 0;
  }

  get recent(): readonly Line[] {
    return this.#recent.lines;
  }
}
