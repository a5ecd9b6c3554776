/** The form of an entry of TABLE 2. From it derive dispatch, HELP, FEAT and the reference page. */
import type { Reply } from '../../../shared/ftp/reply.ts';
import type { FtpConnection } from './ftp-connection.ts';

export interface FtpVerb {
  readonly name: string;
  /** Where it is defined. */
  readonly rfc: string;
  /** As HELP shows it: `SIZE <path>`; in [ ] what may be left out. */
  readonly syntax: string;
  readonly help: string;
  /** Its line in FEAT (RFC 2389), or what makes it. */
  readonly feature?: string | ((ftp: FtpConnection) => string);
  /** Works before login. */
  readonly open?: true;
  /** Answered while a transfer runs. */
  readonly beside?: true;
  /** Makes something: what is missing is a folder, not the thing named. */
  readonly makes?: true;
  /** Without an argument 501; left out: there may be none. */
  readonly argument?: 'required';
  run(ftp: FtpConnection, argument: string): Reply | Promise<Reply>;
}

export function verb(entry: FtpVerb): FtpVerb {
  return entry;
}
