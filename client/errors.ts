/** What can go wrong for a caller of the library: the server's refusals by their code, and the failures of the link itself. */
import { type ErrorClass, type ErrorCode, errors } from '../shared/errors.ts';

export interface ErrorContext {
  readonly verb?: string;
  readonly label?: string;
  /** How long the server asks to wait, in milliseconds. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** A refusal with its code from the one table, whose class says whether to try again. */
export class PartylineError extends Error {
  override readonly name: string = 'PartylineError';
  readonly code: ErrorCode;
  readonly class: ErrorClass;
  readonly verb: string | undefined;
  readonly label: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, { verb, label, retryAfterMs, cause }: ErrorContext = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.class = errors[code].class;
    this.verb = verb;
    this.label = label;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The stream ended without BYE: what was not answered may or may not have happened. */
export class TruncatedError extends PartylineError {
  override readonly name = 'TruncatedError';

  constructor(message: string, context?: ErrorContext) {
    super('timeout', message, context);
  }
}

/** The content that arrived, or that the server holds, is not what was announced. */
export class HashMismatchError extends PartylineError {
  override readonly name = 'HashMismatchError';

  constructor(message: string) {
    super('hash-mismatch', message);
  }
}

/** No connection, and too much or too long waiting for one. */
export class OfflineError extends PartylineError {
  override readonly name = 'OfflineError';

  constructor(message: string, cause?: unknown) {
    super('timeout', message, { cause });
  }
}
