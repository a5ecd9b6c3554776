/**
 * Messages scroll as in any program, and the line that is typed is drawn anew below them: scrollback, selecting and
 * copying stay the terminal's. Messages are wrapped by the terminal, which wraps them again when its width changes.
 */
import { paint } from './paint.ts';
import { type Cell, cellsOf, drawCells, type Frame, type Input, lastThatFit, type Screen } from './screen.ts';

interface Painted {
  readonly input: Input;
  readonly rows: number;
  readonly cursorRow: number;
  /** Of the widest row. */
  readonly columns: number;
}

interface Layout {
  readonly rows: readonly (readonly Cell[])[];
  readonly cursorRow: number;
  readonly cursorColumn: number;
}

const simple = /^[ -~]+$/;

export class InlineScreen implements Screen {
  #painted: Painted | undefined;
  readonly isPrompt = true;

  draw(frame: Frame): string {
    const { lines, input } = frame;
    if (lines.length === 0) {
      if (this.#painted && isSame(this.#painted.input, input)) return '';
      const typed = this.#appended(frame);
      if (typed !== undefined) return typed;
    }
    return this.#erased() + printed(frame) + this.#drawInput(frame);
  }

  /** One row that is one row still needs no more than itself. Otherwise nobody knows where the terminal left what was wrapped. */
  refresh(frame: Frame): string {
    const painted = this.#painted;
    if (!painted) return this.draw(frame);
    if (painted.rows === 1 && painted.columns < frame.columns) {
      return this.#erased() + printed(frame) + this.#drawInput(frame);
    }
    const { rows } = layOut(frame);
    const recent = lastThatFit(frame.recent, frame.columns, frame.rows - rows.length);
    return `\x1b[H\x1b[J${printed({ ...frame, lines: recent })}${this.#drawInput(frame)}`;
  }

  leave(): string {
    const erased = this.#erased();
    this.#painted = undefined;
    return erased;
  }

  #erased(): string {
    if (!this.#painted) return '';
    const { cursorRow } = this.#painted;
    return `\r${cursorRow > 0 ? `\x1b[${cursorRow}A` : ''}\x1b[J`;
  }

  /** Most keys: simple characters at the end of the row. Undefined if it is more than that. */
  #appended({ input, columns }: Frame): string | undefined {
    const painted = this.#painted;
    if (!painted || painted.rows > 1 || painted.input.prompt !== input.prompt) return undefined;
    const before = painted.input;
    const isAtEnd = before.cursor === before.text.length && input.cursor === input.text.length;
    if (!isAtEnd || !input.text.startsWith(before.text)) return undefined;
    const added = input.text.slice(before.text.length);
    const width = painted.columns + added.length;
    if (!simple.test(added) || width >= columns - 1) return undefined;
    this.#painted = { ...painted, input, columns: width };
    return added;
  }

  #drawInput(frame: Frame): string {
    const { rows, cursorRow, cursorColumn } = layOut(frame);
    const up = rows.length - 1 - cursorRow;
    const widths = rows.map(row => row.reduce((sum, cell) => sum + cell.columns, 0));
    this.#painted = { input: frame.input, rows: rows.length, cursorRow, columns: Math.max(...widths) };
    const drawn = rows.map(row => drawCells(row, 0)).join('\n');
    if (up === 0 && cursorColumn === widths.at(-1)) return drawn;
    return `${drawn}${up > 0 ? `\x1b[${up}A` : ''}\r${cursorColumn > 0 ? `\x1b[${cursorColumn}C` : ''}`;
  }
}

function printed({ lines, look }: Frame): string {
  return lines.map(line => `${paint(line, look)}\n`).join('');
}

function isSame(one: Input, other: Input): boolean {
  return one.prompt === other.prompt && one.text === other.text && one.cursor === other.cursor;
}

/** Rows of the input, one column short, since terminals disagree about the last one; half of the screen at most, around the cursor. */
function layOut({ input, columns, rows: screenRows }: Frame): Layout {
  const width = columns - 1;
  const rows: Cell[][] = [[]];
  let column = 0;
  let cursorRow = -1;
  let cursorColumn = 0;
  for (const cell of cellsOf(input)) {
    if (column + cell.columns > width) {
      rows.push([]);
      column = 0;
    }
    if (cursorRow < 0 && cell.at >= input.cursor) [cursorRow, cursorColumn] = [rows.length - 1, column];
    rows.at(-1)!.push(cell);
    column += cell.columns;
  }
  if (cursorRow < 0) {
    if (column >= width) {
      rows.push([]);
      column = 0;
    }
    [cursorRow, cursorColumn] = [rows.length - 1, column];
  }
  const rowsMax = Math.max(1, Math.floor(screenRows / 2));
  const first = Math.max(0, Math.min(cursorRow - rowsMax + 1, rows.length - rowsMax));
  const start = cursorRow - first >= rowsMax ? cursorRow - rowsMax + 1 : first;
  return { rows: rows.slice(start, start + rowsMax), cursorRow: cursorRow - start, cursorColumn };
}
