/** What the commands of one FTP session say for those that follow. */
import { type FactName, factNames } from '../../../shared/ftp/listing.ts';

export class FtpState {
  folder = '/';
  /** Given by USER, not entered yet. */
  user: string | undefined;
  isText = false;
  isCompressed = false;
  /** Of REST, for the next transfer. */
  restart = 0;
  /** Of RANG, both inclusive. */
  range: readonly [first: number, last: number] | undefined;
  renaming: string | undefined;
  /** Announced by ALLO, for the next upload. */
  announced: number | undefined;
  facts: ReadonlySet<FactName> = new Set(factNames.filter(fact => fact !== 'UNIX.mode'));
  hashName = 'SHA-256';
  isExtendedOnly = false;
  /** PBSZ was said. */
  hasBufferSize = false;
}
