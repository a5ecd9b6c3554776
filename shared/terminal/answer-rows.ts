/** The rows of one answer, gathered for a screen and bounded: what is more than a person reads must not fill the memory. */
import { HubError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { AnswerRow } from './chat-host.ts';

export class AnswerRows {
  readonly #rows: AnswerRow[] = [];
  #octets = 0;

  get all(): readonly AnswerRow[] {
    return this.#rows;
  }

  /** Error: `too-large` for more rows or octets of content than a terminal is given. */
  add(row: AnswerRow): void {
    this.#octets += row.blob?.length ?? 0;
    if (this.#octets > limits.screenOctetsMax)
      throw new HubError('too-large', 'it is too large for a screen; see /get');
    if (this.#rows.length === limits.screenRowsMax) {
      throw new HubError('too-large', `more than ${limits.screenRowsMax} rows; ask for less`);
    }
    this.#rows.push(row);
  }
}
