/** Lines and blobs that cannot be taken, as the decoder gives them: why, and what could be read of them. */
import type { ErrorCode } from '../errors.ts';

/** A line or blob that cannot be taken. After a fatal one nothing more is decoded. */
export interface Invalid {
  readonly kind: 'invalid';
  readonly code: Extract<ErrorCode, 'bad-char' | 'line-too-long' | 'too-large' | 'truncated' | 'desync'>;
  readonly reason: string;
  readonly label?: string;
  /** What stood where the verb is expected. */
  readonly verb?: string;
  /** The line without label and size as far as it could be read; behind it what was `sought` in the rest. */
  readonly line?: string;
  readonly fatal: boolean;
}

/** What stands where the verb is expected. */
export function verbOf(body: string): string | undefined {
  return /^(?:[-+=*] )?([A-Za-z-]{1,16})(?= |$)/.exec(body)?.[1];
}

interface Found {
  readonly label?: string | undefined;
  readonly verb?: string | undefined;
  readonly line?: string;
  readonly fatal?: boolean;
}

export function invalid(
  code: Invalid['code'],
  reason: string,
  { label, verb, line, fatal = false }: Found = {},
): Invalid {
  return {
    kind: 'invalid',
    code,
    reason,
    fatal,
    ...(label !== undefined && { label }),
    ...(verb !== undefined && { verb: verb.toUpperCase() }),
    ...(line !== undefined && { line }),
  };
}
