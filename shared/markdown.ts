/**
 * Markdown-lite: what a message's text means, as tokens that each client draws with its own means. Pure and total: whatever
 * the text is, there is a list, in time that grows with its length. Nothing here makes HTML.
 */

export type Inline =
  | { readonly kind: 'text' | 'code' | 'mention'; readonly text: string }
  | { readonly kind: 'bold' | 'italic'; readonly parts: readonly Inline[] }
  /** `href` begins with http: or https:. */
  | { readonly kind: 'link'; readonly href: string; readonly text: string };

export type Block =
  | { readonly kind: 'paragraph' | 'quote'; readonly parts: readonly Inline[] }
  | { readonly kind: 'code'; readonly text: string; readonly language: string }
  | { readonly kind: 'list'; readonly ordered: boolean; readonly items: readonly (readonly Inline[])[] };

const fence = /^```([\w+-]*)\s*$/;
const bullet = /^\s{0,3}[-*] +(?=\S)/;
const ordinal = /^\s{0,3}\d{1,9}[.)] +(?=\S)/;
const quoted = /^> ?/;

/** Each alternative ends at the next sign of its own kind, so that nothing is read twice. */
const marks = new RegExp(
  [
    '`([^`\\n]+)`',
    '\\*\\*(?=\\S)([^*\\n]+)(?<=\\S)\\*\\*',
    '(?<![\\p{L}\\p{N}_*])(?:\\*(?=\\S)([^*\\n]+)(?<=\\S)\\*|_(?=\\S)([^_\\n]+)(?<=\\S)_)(?![\\p{L}\\p{N}_*])',
    '\\[([^\\][\\n]{1,300})\\]\\((https?:\\/\\/[^\\s()<>"]{1,2000})\\)',
    '(https?:\\/\\/[^\\s<>"`]{1,2000})',
    '(?<![\\p{L}\\p{M}\\p{N}._@-])@([\\p{L}\\p{N}][\\p{L}\\p{M}\\p{N}._-]{0,31})',
  ].join('|'),
  'gu',
);

/** The blocks of a message, in order. */
export function parseMarkdown(text: string): readonly Block[] {
  const lines = text.split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; ) {
    const { block, next } = blockAt(lines, at);
    if (block) blocks.push(block);
    at = next;
  }
  return blocks;
}

function blockAt(lines: readonly string[], at: number): { readonly block?: Block; readonly next: number } {
  const line = lines[at]!;
  const opened = fence.exec(line);
  if (opened) {
    const close = lines.findIndex((other, i) => i > at && other.trimEnd() === '```');
    const end = close < 0 ? lines.length : close;
    const block = { kind: 'code', text: lines.slice(at + 1, end).join('\n'), language: opened[1]! } as const;
    return { block, next: end + 1 };
  }
  for (const sign of [bullet, ordinal]) {
    if (!sign.test(line)) continue;
    const end = endOf(lines, at, other => sign.test(other));
    const items = lines.slice(at, end).map(item => parseInline(item.replace(sign, '')));
    return { block: { kind: 'list', ordered: sign === ordinal, items }, next: end };
  }
  if (quoted.test(line)) {
    const end = endOf(lines, at, other => quoted.test(other));
    const inner = lines.slice(at, end).map(one => one.replace(quoted, ''));
    return { block: { kind: 'quote', parts: parseInline(inner.join('\n')) }, next: end };
  }
  if (line.trim() === '') return { next: at + 1 };
  const end = endOf(lines, at, other => other.trim() !== '' && !beginsBlock(other));
  return { block: { kind: 'paragraph', parts: parseInline(lines.slice(at, end).join('\n')) }, next: end };
}

function beginsBlock(line: string): boolean {
  return fence.test(line) || bullet.test(line) || ordinal.test(line) || quoted.test(line);
}

/** Where the run that begins at `at` ends; it has one line at least. */
function endOf(lines: readonly string[], at: number, belongs: (line: string) => boolean): number {
  let end = at + 1;
  while (end < lines.length && belongs(lines[end]!)) end++;
  return end;
}

/** The parts of running text. */
export function parseInline(text: string): readonly Inline[] {
  const parts: Inline[] = [];
  let at = 0;
  const plain = (end: number) => {
    if (end > at) parts.push({ kind: 'text', text: text.slice(at, end) });
  };
  for (const match of text.matchAll(marks)) {
    const { part, length } = partOf(match);
    plain(match.index);
    parts.push(part);
    at = match.index + length;
  }
  plain(text.length);
  return parts;
}

function partOf(match: RegExpExecArray): { readonly part: Inline; readonly length: number } {
  const [all, code, bold, starred, underscored, label, target, bare, name] = match;
  const { length } = all;
  if (code !== undefined) return { part: { kind: 'code', text: code }, length };
  if (bold !== undefined) return { part: { kind: 'bold', parts: parseInline(bold) }, length };
  const italic = starred ?? underscored;
  if (italic !== undefined) return { part: { kind: 'italic', parts: parseInline(italic) }, length };
  if (label !== undefined) return { part: { kind: 'link', href: target!, text: label }, length };
  if (name !== undefined) return { part: { kind: 'mention', text: name }, length };
  const href = withoutEnd(bare!);
  return { part: { kind: 'link', href, text: href }, length: href.length };
}

/** The full stop behind an address, or the bracket around it, is not a part of it. */
function withoutEnd(address: string): string {
  const bare = address.replace(/[.,;:!?'*_]{1,8}$/, '');
  return bare.endsWith(')') && !bare.includes('(') ? bare.slice(0, -1) : bare;
}
