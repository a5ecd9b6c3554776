/** Tables and numbers as Markdown, so that what the bench prints can stand in the README as it is. */

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** Three digits that count: 5.31 M, 812 k, 0.93. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value >= 1e6) return `${digits(value / 1e6)} M`;
  if (value >= 1e4) return `${digits(value / 1e3)} k`;
  return digits(value);
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function spread([low, high]: readonly [number, number]): string {
  return `${short(low)}–${short(high)}`;
}
