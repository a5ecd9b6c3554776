/** The whole window: messages in a region that scrolls from row 1, so that they reach the scrollback; a status bar; one row to type in. */
import { columnsOf, fitted } from './graphemes.ts';
import { paint } from './paint.ts';
import { printable } from './sanitiser.ts';
import { cellsOf, drawCells, type Frame, lastThatFit, type Screen } from './screen.ts';

/** Fewer rows are too few for a bar and a region. */
export const fullRowsMin = 10;

export class FullScreen implements Screen {
  #rows = 0;
  #status: string | undefined;
  #input: string | undefined;
  readonly isPrompt = true;

  draw(frame: Frame): string {
    if (this.#rows === 0) return this.refresh(frame);
    const status = drawStatus(frame);
    const input = drawInput(frame);
    const isStatusNew = status !== this.#status;
    if (frame.lines.length === 0 && !isStatusNew && input === this.#input) return '';
    [this.#status, this.#input] = [status, input];
    return printed(frame) + (isStatusNew ? status : '') + input;
  }

  refresh(frame: Frame): string {
    this.#rows = frame.rows;
    const lines = lastThatFit(frame.recent, frame.columns, frame.rows - 2);
    this.#status = drawStatus(frame);
    this.#input = drawInput(frame);
    return `\x1b[r\x1b[H\x1b[J\x1b[1;${frame.rows - 2}r${printed({ ...frame, lines })}${this.#status}${this.#input}`;
  }

  leave(): string {
    const last = this.#rows;
    [this.#rows, this.#status, this.#input] = [0, undefined, undefined];
    return last === 0 ? '' : `\x1b[r\x1b[${last - 1};1H\x1b[J`;
  }
}

function printed({ lines, look, rows }: Frame): string {
  if (lines.length === 0) return '';
  return `\x1b[${rows - 2};1H${lines.map(line => `\n${paint(line, look)}`).join('')}`;
}

function drawStatus({ status, columns, rows }: Frame): string {
  const text = fitted(printable(status), columns - 2);
  const rest = ' '.repeat(Math.max(0, columns - 2 - columnsOf(text)));
  return `\x1b[${rows - 1};1H\x1b[K\x1b[7m ${text}${rest}\x1b[0m`;
}

/** The part of the row around the cursor. */
function drawInput({ input, columns, rows }: Frame): string {
  const cells = cellsOf(input);
  const found = cells.findIndex(({ at }) => at >= input.cursor);
  const cursor = found < 0 ? cells.length : found;
  let start = cursor;
  let before = 0;
  while (start > 0 && before + cells[start - 1]!.columns <= columns - 2) before += cells[--start]!.columns;
  let end = cursor;
  let width = before;
  while (end < cells.length && width + cells[end]!.columns <= columns - 1) width += cells[end++]!.columns;
  return `\x1b[${rows};1H\x1b[K${drawCells(cells.slice(start, end), 0)}\x1b[${rows};${before + 1}H`;
}
