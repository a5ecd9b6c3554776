/**
 * The few methods that the store needs of SQLite, over libsql, so that another driver can take its place. Values are
 * text, numbers, octets and null; libsql ends the process for any other.
 */
import Libsql from 'libsql';

export type Value = string | number | Uint8Array | null;
export type Row = readonly Value[];

export interface Prepared {
  /** Gives the number of rows that changed. */
  run(values: readonly Value[]): number;
  first(values: readonly Value[]): Row | undefined;
  all(values: readonly Value[]): readonly Row[];
}

export interface Database {
  exec(sql: string): void;
  /** Prepared once for each text. */
  prepare(sql: string): Prepared;
  /** Ends the open transaction, also if the engine has done so itself. */
  rollback(): void;
  close(): void;
}

/** Opens or creates the file; a lock of another process is waited for this long, then `isBusy` tells the error. */
export function openDatabase(path: string, busyTimeoutMs: number): Database {
  const connection = new Libsql(path, { timeout: busyTimeoutMs });
  const prepared = new Map<string, Prepared>();
  return {
    exec: sql => void connection.exec(sql),
    prepare: sql => {
      let statement = prepared.get(sql);
      if (!statement) prepared.set(sql, (statement = prepareRaw(connection, sql)));
      return statement;
    },
    rollback: () => {
      if (connection.inTransaction) connection.exec('ROLLBACK');
    },
    close: () => void connection.close(),
  };
}

function prepareRaw(connection: Libsql.Database, sql: string): Prepared {
  const statement = connection.prepare<[readonly Value[]]>(sql);
  // Rows as arrays; statements that give none refuse the mode.
  if (statement.reader) statement.raw(true);
  return {
    run: values => statement.run(values).changes,
    first: values => statement.get(values) as Row | undefined,
    all: values => statement.all(values) as readonly Row[],
  };
}

const codes = { busy: 5, ioError: 10, corrupt: 11, full: 13, notADatabase: 26, sharedMemorySize: 4874 } as const;

function rawCode(error: unknown): number {
  return error instanceof Error && 'rawCode' in error ? Number(error.rawCode) : 0;
}

export function isBusy(error: unknown): boolean {
  return (rawCode(error) & 0xff) === codes.busy;
}

/** No room on the disk; the index of the write-ahead log says so in its own way. */
export function isFull(error: unknown): boolean {
  const code = rawCode(error);
  return (code & 0xff) === codes.full || code === codes.sharedMemorySize;
}

/** The disk or the file failed. */
export function isBroken(error: unknown): boolean {
  const code = rawCode(error) & 0xff;
  return !isFull(error) && (code === codes.ioError || code === codes.corrupt || code === codes.notADatabase);
}
