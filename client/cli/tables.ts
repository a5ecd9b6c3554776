/** Answers of the hub as a person or a program reads them: columns on standard output, or a JSON object a line. */

export type Fields = Readonly<Record<string, unknown>>;

/** A column for each field that some row has, in the order of the rows; no heading, so that `cut` and `awk` have it easy. */
export function printRows(rows: readonly Fields[], isJson: boolean): void {
  if (isJson) return rows.forEach(printJson);
  const keys = [...new Set(rows.flatMap(row => Object.keys(row)))];
  const cells = rows.map(row => keys.map(key => cell(row[key])));
  const widths = keys.map((_, i) => Math.max(...cells.map(row => row[i]!.length)));
  for (const row of cells) {
    process.stdout.write(
      `${row
        .map((text, i) => text.padEnd(widths[i]!))
        .join('  ')
        .trimEnd()}\n`,
    );
  }
}

/** `name value`, a field a line. */
export function printFields(fields: Fields, isJson: boolean): void {
  if (isJson) return printJson(fields);
  const shown = Object.entries(fields).filter(([, value]) => value !== undefined);
  const width = Math.max(0, ...shown.map(([key]) => key.length));
  for (const [key, value] of shown) process.stdout.write(`${key.padEnd(width)}  ${cell(value)}\n`);
}

function cell(value: unknown): string {
  if (value === true) return 'yes';
  return value === undefined ? '-' : String(value);
}

function printJson(fields: Fields): void {
  process.stdout.write(`${JSON.stringify(fields)}\n`);
}
