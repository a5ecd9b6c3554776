/** Errors as replies: a person's by the code that the one table has for FTP, ours as 451, which the log explains. */
import type { FastifyBaseLogger } from 'fastify';
import { errors, HubError } from '../../../shared/errors.ts';
import { type Reply, reply } from '../../../shared/ftp/reply.ts';
import type { FtpVerb } from './verb.ts';

export function describeRefusal(error: unknown, log: FastifyBaseLogger, verb?: FtpVerb): Reply {
  if (!(error instanceof HubError)) {
    log.error({ err: error, verb: verb?.name }, 'a command failed');
    return reply(451, 'The server failed; its log says why.');
  }
  const { code, message } = error;
  // What stands behind a semicolon says what to do, in the words of the line protocol.
  const [said = ''] = message.split('; ');
  const text = `${said[0]?.toUpperCase() ?? ''}${said.slice(1)}${said.endsWith('.') ? '' : '.'}`;
  // RFC 959 §5.4: 550 is for what should be there, 553 for a name that cannot be given.
  if (verb?.makes && (code === 'no-file' || code === 'forbidden' || code === 'no-room')) return reply(553, text);
  // 501 is for what is no name at all; 550 for one that cannot be here.
  return reply(errors[code].ftp, text);
}
