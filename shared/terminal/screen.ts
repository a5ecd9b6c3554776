/** What every way of showing a terminal's lines and input has in common: a frame goes in once a turn, the text to write comes out. */
import { columnsOf, columnsOfGrapheme, graphemes, isRisky } from './graphemes.ts';
import { type Line, plainText } from './line.ts';
import type { Look } from './paint.ts';
import { printable } from './sanitiser.ts';

/** The line that is typed, as it is shown. */
export interface Input {
  readonly prompt: string;
  readonly text: string;
  /** Index in `text`. */
  readonly cursor: number;
}

export interface Frame {
  /** To be printed now. */
  readonly lines: readonly Line[];
  /** What was printed lately, with `lines` at its end: for what must be drawn anew. */
  readonly recent: readonly Line[];
  readonly input: Input;
  readonly status: string;
  readonly columns: number;
  readonly rows: number;
  readonly look: Look;
}

export interface Screen {
  /** What to write so that the frame is seen; LF begins a new row at column 0. */
  draw(frame: Frame): string;
  /** All anew: the window has another size, or the person asked. */
  refresh(frame: Frame): string;
  /** What to write so that others may write again, on a row of their own. */
  leave(): string;
  /** What was drawn last ends in a prompt, and the cursor behind it. */
  readonly isPrompt: boolean;
}

/** Grapheme by grapheme, with its columns. */
export interface Cell {
  readonly text: string;
  readonly columns: number;
  /** The index of `Input.text` at which it begins; negative in the prompt. */
  readonly at: number;
}

export function cellsOf({ prompt, text }: Input): Cell[] {
  const cells: Cell[] = [];
  const add = (shown: string, start: number) => {
    let at = start;
    for (const grapheme of graphemes(shown)) {
      // Length is kept, so that the cursor's index holds: what is not printable takes no column.
      const clean = printable(grapheme);
      cells.push({ text: clean, columns: clean === '' ? 0 : columnsOfGrapheme(clean), at });
      at += grapheme.length;
    }
  };
  add(prompt, -prompt.length);
  add(text, 0);
  return cells;
}

/** Cells from `column` on; what follows a grapheme that terminals disagree about is placed absolutely, over its remains. */
export function drawCells(cells: readonly Cell[], column: number): string {
  let at = column;
  let drawn = '';
  for (const { text, columns } of cells) {
    at += columns;
    drawn += isRisky(text) ? `${text}\x1b[${at + 1}G\x1b[K` : text;
  }
  return drawn;
}

/** Rows that a printed line takes. */
export function rowsOf(line: Line, columns: number): number {
  return Math.max(1, Math.ceil(columnsOf(printable(plainText(line))) / columns));
}

/** The last of them that fit into so many rows. */
export function lastThatFit(lines: readonly Line[], columns: number, rows: number): readonly Line[] {
  let taken = 0;
  let start = lines.length;
  while (start > 0) {
    taken += rowsOf(lines[start - 1]!, columns);
    if (taken > rows) break;
    start--;
  }
  return lines.slice(start);
}
