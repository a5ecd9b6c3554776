/**
 * Only forwards, for plain and reader modes and for clients that show by themselves what is typed: nothing that stands is
 * drawn anew. Where keys come one by one, what is typed is echoed as on a typewriter.
 */
import { columnsOf } from './graphemes.ts';
import { paint } from './paint.ts';
import { printable } from './sanitiser.ts';
import type { Frame, Input, Screen } from './screen.ts';

export interface Linear {
  /** Keys come one by one and nobody else shows them. */
  readonly echoes: boolean;
  /** A prompt stands wherever a line may be typed, and is taken away by a sequence; else only questions have one. */
  readonly prompts: boolean;
}

export class LinearScreen implements Screen {
  readonly #how: Linear;
  /** What stands on the row that has not ended. */
  #shown: Input | undefined;

  constructor(how: Linear) {
    this.#how = how;
  }

  get isPrompt(): boolean {
    return this.#shown !== undefined;
  }

  draw(frame: Frame): string {
    const { lines, look, input } = frame;
    if (lines.length === 0) return this.#typed(input);
    const printed = lines.map(line => `${paint(line, look)}\n`).join('');
    return this.leave() + printed + this.#begin(input);
  }

  /** On a row of its own, once more: the person asked what they have typed. */
  refresh(frame: Frame): string {
    return this.leave() + this.draw(frame);
  }

  leave(): string {
    const shown = this.#shown;
    this.#shown = undefined;
    if (!shown) return '';
    return this.#how.prompts && !this.#how.echoes ? '\r\x1b[K' : '\n';
  }

  /** The client has ended the row: it showed Enter itself, or we did. */
  ended(): string {
    const echo = this.#how.echoes && this.#shown ? '\n' : '';
    this.#shown = undefined;
    return echo;
  }

  /** Behind printed lines, the prompt stands again, and not what was typed: nobody wants to hear it twice. */
  #begin({ prompt, text, cursor }: Input): string {
    if (prompt === '' && !(this.#how.echoes && text !== '')) return '';
    this.#shown = { prompt, text: this.#how.echoes ? text : '', cursor };
    return printable(prompt);
  }

  #typed(input: Input): string {
    const { prompt } = input;
    const text = this.#how.echoes ? printable(input.text) : '';
    const shown = this.#shown;
    if (!shown && prompt === '' && text === '') return '';
    this.#shown = { prompt, text, cursor: input.cursor };
    if (!shown || shown.prompt !== prompt) return `${shown ? '\n' : ''}${printable(prompt)}${text}`;
    if (text.startsWith(shown.text)) return text.slice(shown.text.length);
    if (shown.text.startsWith(text)) return '\b \b'.repeat(columnsOf(shown.text.slice(text.length)));
    return `\n${printable(prompt)}${text}`;
  }
}
