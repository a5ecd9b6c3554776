/** A command that came → what table 2 answers to it, or why not. */
import type { Decoded } from '../../../shared/ftp/command-line.ts';
import { type Reply, reply } from '../../../shared/ftp/reply.ts';
import { limits } from '../../../shared/limits.ts';
import type { FtpConnection } from './ftp-connection.ts';
import { describeRefusal } from './refusal.ts';
import { verbs } from './verbs/index.ts';

/** Answered while a transfer runs. */
export function isBeside(command: Decoded): boolean {
  return command.kind === 'command' && verbs.get(command.verb)?.beside === true;
}

/** Never rejects. */
export async function dispatch(ftp: FtpConnection, command: Decoded): Promise<Reply> {
  if (command.kind !== 'command') return refuse(ftp, command.kind);
  const { verb: name, argument } = command;
  const entry = verbs.get(name);
  if (!entry) return reply(/^[A-Z]{3,4}$/.test(name) ? 502 : 500, 'There is no such command; HELP lists all.');
  if (!entry.open && !ftp.session.person) return reply(530, 'Enter first: USER and PASS.');
  if (entry.argument && (argument === undefined || argument === '')) return reply(501, `Usage: ${entry.syntax}`);
  try {
    return await entry.run(ftp, argument ?? '');
  } catch (error) {
    return describeRefusal(error, ftp.context.log, entry);
  }
}

function refuse(ftp: FtpConnection, kind: Exclude<Decoded['kind'], 'command'>): Reply {
  switch (kind) {
    case 'overlong':
      return reply(500, `A command has at most ${limits.commandOctetsMax} octets.`);
    case 'malformed':
      return reply(501, 'The command holds an octet that cannot be in one.');
    case 'endless':
    case 'http': {
      const last = reply(421, 'This port speaks FTP.');
      ftp.endWith(last);
      return last;
    }
    default:
      return kind satisfies never;
  }
}
