/** What one side of a connection said, by the places of its octets in the stream: so that a captured segment can be shown without being read. */
import { mask } from './masking.ts';

interface Chunk {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** Nothing in it had to be taken out. */
  readonly isClean: boolean;
}

const LF = 10;
/** A segment that is older than what was said in so many pieces is shown without its text. */
const chunksMax = 500;

export class Spoken {
  /** Messages end where lines end; otherwise with the octets in which they came. */
  readonly #isByLines: boolean;
  readonly #chunks: Chunk[] = [];
  /** Octets since the beginning, those of them that make up whole messages, and those that came since then. */
  #octets = 0;
  #end = 0;
  #hasBlob = false;
  #texts: string[] = [];

  constructor(isByLines: boolean) {
    this.#isByLines = isByLines;
  }

  /** Whole messages reach so far. */
  get end(): number {
    return this.#end;
  }

  /** Of the octets that are taken next. */
  said(text: string): void {
    this.#texts.push(text);
  }

  /** Behind the messages that the octets complete. */
  took(octets: Uint8Array): void {
    const text = Buffer.from(octets);
    // Contents behind a line may be a password as well as a file.
    this.#hasBlob ||= this.#isByLines && text.includes('{');
    const lineEnd = this.#isByLines ? text.lastIndexOf(LF) + 1 : text.length;
    if (this.#texts.length > 0) {
      const end = this.#octets + lineEnd;
      const shown = this.#texts.join('\n');
      this.#chunks.push({ start: this.#end, end, text: shown, isClean: !this.#hasBlob && !shown.includes(mask) });
      if (this.#chunks.length > chunksMax) this.#chunks.shift();
      this.#end = end;
      this.#texts = [];
      this.#hasBlob = this.#isByLines && text.includes('{', lineEnd);
    }
    this.#octets += text.length;
  }

  /** Undefined where it is not known, or no longer. */
  between(start: number, end: number): { readonly text: string; readonly isClean: boolean } | undefined {
    if (end > this.#end) return undefined;
    const met = this.#chunks.filter(chunk => chunk.start < end && chunk.end > start);
    if (met.length === 0 || met[0]!.start > start) return undefined;
    const isPart = met[0]!.start < start || met.at(-1)!.end > end;
    const text = met.map(chunk => chunk.text).join('\n');
    return { text: isPart ? `… ${text} …` : text, isClean: met.every(({ isClean }) => isClean) };
  }
}
