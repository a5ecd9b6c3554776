/** What is shown, before it is known on which screen: lines of spans that say what a piece of text is and never how it looks. */

/** `person` is coloured by its text, the others by the theme. */
export type SpanKind = 'text' | 'person' | 'quiet' | 'strong' | 'note' | 'error' | 'file';

export interface Span {
  readonly text: string;
  readonly kind: SpanKind;
}

/** A line for people; a screen makes rows of it. What it holds need not be printable: screens see to that. */
export type Line = readonly Span[];

export function span(kind: SpanKind, text: string): Span {
  return { kind, text };
}

/** `line\`${person(name)} came\``: plain words around spans. */
export function line(words: TemplateStringsArray, ...spans: readonly (Span | string | number)[]): Line {
  return words.flatMap((word, i) => {
    const next = spans[i];
    const before = word === '' ? [] : [span('text', word)];
    if (next === undefined) return before;
    return [...before, typeof next === 'object' ? next : span('text', String(next))];
  });
}

/** The words of a line without what they are. */
export function plainText(of: Line): string {
  return of.map(({ text }) => text).join('');
}
