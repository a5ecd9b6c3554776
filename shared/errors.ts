/** The closed list of error codes: what each means for every wire and for the command line. One word here is a new code. */

/** permanent: the same request fails again; transient: it may work later; fatal: the connection ends after BYE. */
export type ErrorClass = 'permanent' | 'transient' | 'fatal';

interface ErrorEntry {
  readonly class: ErrorClass;
  /** Reply code of RFC 959. */
  readonly ftp: number;
  /** Status of RFC 9110. */
  readonly http: number;
  /** Exit code of the command line, as in BSD's sysexits. */
  readonly exit: number;
  readonly summary: string;
}

const entry = (kind: ErrorClass, ftp: number, http: number, exit: number, summary: string): ErrorEntry => ({
  class: kind,
  ftp,
  http,
  exit,
  summary,
});

export const errors = {
  'unknown-command': entry('permanent', 500, 400, 64, 'there is no such command'),
  'bad-argument': entry('permanent', 501, 400, 64, 'an argument is missing, unknown or malformed; at= names it'),
  'bad-char': entry('permanent', 501, 400, 64, 'the line holds an octet that is not text'),
  'bad-json': entry('permanent', 501, 400, 64, 'the argument is not a JSON object'),
  'line-too-long': entry('permanent', 500, 400, 64, 'the line is longer than the limit'),
  truncated: entry('permanent', 500, 400, 64, 'the last line had no end and was not executed'),
  'auth-required': entry('permanent', 530, 401, 77, 'give a name first'),
  'auth-failed': entry('permanent', 530, 401, 77, 'the name or the secret is wrong'),
  'tls-required': entry('permanent', 534, 426, 77, 'a password in clear from another host is refused'),
  forbidden: entry('permanent', 550, 403, 77, 'you may not do this here'),
  banned: entry('permanent', 550, 403, 77, 'you are banned'),
  'no-room': entry('permanent', 550, 404, 66, 'there is no such room'),
  'no-user': entry('permanent', 550, 404, 66, 'there is no such person'),
  'no-message': entry('permanent', 550, 404, 66, 'there is no such message'),
  'no-file': entry('permanent', 550, 404, 66, 'there is no such file or folder'),
  'no-upload': entry('permanent', 550, 404, 66, 'there is no such upload'),
  exists: entry('permanent', 553, 409, 73, 'the name is taken'),
  conflict: entry('permanent', 553, 409, 73, 'the state does not allow it'),
  'if-match': entry('permanent', 553, 412, 73, 'the file is not the one you meant'),
  'too-large': entry('permanent', 552, 413, 73, 'it is larger than the limit'),
  quota: entry('permanent', 552, 507, 73, 'the quota is used up'),
  'no-space': entry('permanent', 552, 507, 73, 'the disk is full'),
  'hash-mismatch': entry('permanent', 550, 422, 74, 'the content does not have the hash that was announced'),
  'rate-limited': entry('transient', 450, 429, 75, 'too often; retry= says after how many seconds'),
  busy: entry('transient', 450, 503, 75, 'too much is going on at once'),
  'shutting-down': entry('transient', 421, 503, 75, 'the server is going down'),
  cancelled: entry('transient', 426, 499, 75, 'the request was cancelled'),
  timeout: entry('fatal', 421, 408, 76, 'nothing came for too long'),
  desync: entry('fatal', 421, 400, 76, 'the stream is out of step'),
  'protocol-attack': entry('fatal', 421, 400, 76, 'this is not the protocol of this port'),
  version: entry('fatal', 421, 505, 76, 'this version of the protocol is not spoken'),
  internal: entry('permanent', 451, 500, 70, 'the server failed; its log says why'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errors;

export function isErrorCode(word: string): word is ErrorCode {
  return Object.hasOwn(errors, word);
}

/** What the peer is told beside the code: `at` names the argument, `retry` counts seconds, `account`: the name has a password. */
export interface ErrorFacts {
  readonly at?: string;
  readonly retry?: number;
  readonly account?: true;
}

/** What a person asked for and cannot have. The message says what to do, in words a person understands. */
export class HubError extends Error {
  override readonly name = 'HubError';
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, detail: string = errors[code].summary, facts: ErrorFacts = {}) {
    super(detail);
    this.code = code;
    this.facts = facts;
  }
}
