/** What a person sees as one character, and how many columns of a terminal it takes. Terminals differ: see `isRisky`. */

const ascii = /^[ -~]*$/;
const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** East Asian Wide and Fullwidth of Unicode, without emoji. */
const wide =
  /^[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18d08}\u{1aff0}-\u{1b2fb}\u{1d300}-\u{1d376}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]/u;
const emoji = /^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}.*\ufe0f|\p{RI}\p{RI}|[0-9#*]\ufe0f?\u20e3)/u;
/** Soft hyphens are shown by terminals. */
const noColumn = /^(?!\u00ad)[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]$/u;

export function graphemes(text: string): string[] {
  if (ascii.test(text)) return text.split('');
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** Of one grapheme without controls. */
export function columnsOfGrapheme(grapheme: string): number {
  if (ascii.test(grapheme)) return grapheme.length;
  if (emoji.test(grapheme)) return 2;
  let columns = 0;
  for (const char of grapheme) if (!noColumn.test(char)) columns += wide.test(char) ? 2 : 1;
  return columns;
}

/** Of text without controls. */
export function columnsOf(text: string): number {
  if (ascii.test(text)) return text.length;
  return graphemes(text).reduce((sum, grapheme) => sum + columnsOfGrapheme(grapheme), 0);
}

/** Terminals disagree about its width: what follows on the row is placed absolutely. */
export function isRisky(grapheme: string): boolean {
  return grapheme.length > 1;
}

/** Where the grapheme that ends at or before `index` begins; 0 at the start. */
export function previousBoundary(text: string, index: number): number {
  const before = graphemes(text.slice(0, index)).at(-1);
  return index - (before?.length ?? 0);
}

/** Where the grapheme that holds `index` ends; the text's length at its end. */
export function nextBoundary(text: string, index: number): number {
  const after = graphemes(text.slice(index))[0];
  return index + (after?.length ?? 0);
}

/** `text` cut to so many columns, with `…` where something is missing. */
export function fitted(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  let shown = '';
  let taken = 1;
  for (const grapheme of graphemes(text)) {
    taken += columnsOfGrapheme(grapheme);
    if (taken > columns) break;
    shown += grapheme;
  }
  return `${shown}…`;
}
