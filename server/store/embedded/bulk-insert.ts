/** Inserting many rows with few statements: each crossing into SQLite costs more than a row. */
import type { Database, Prepared, Value } from './database.ts';

const CHUNK_ROWS = [128, 16, 1] as const;

/** `head` is the statement up to VALUES; `values` holds the rows one after the other, `columns` values each. */
export function insertMany(database: Database, head: string, columns: number, values: readonly Value[]): void {
  let start = 0;
  for (const rows of CHUNK_ROWS) {
    const length = rows * columns;
    if (values.length - start < length) continue;
    const statement = database.prepare(`${head} ${places(rows, columns)}`);
    for (; values.length - start >= length; start += length) statement.run(values.slice(start, start + length));
  }
}

/** Calls `visit` with statements for lists of the keys, as `IN (?, ?, …)`. */
export function forKeys(
  database: Database,
  head: string,
  keys: readonly string[],
  visit: (statement: Prepared, keys: readonly string[]) => void,
): void {
  let start = 0;
  for (const length of CHUNK_ROWS) {
    if (keys.length - start < length) continue;
    const statement = database.prepare(`${head} ${places(1, length)}`);
    for (; keys.length - start >= length; start += length) visit(statement, keys.slice(start, start + length));
  }
}

function places(rows: number, columns: number): string {
  const row = `(${Array(columns).fill('?').join(', ')})`;
  return Array(rows).fill(row).join(', ');
}
