/** Contents: RETR, STOR, APPE, STOU, what is said before them, and ABOR (RFC 959 §4.1.3, RFC 3659 §5). */

import { HubError } from '../../../../shared/errors.ts';
import { type Reply, reply } from '../../../../shared/ftp/reply.ts';
import { baseName } from '../../../../shared/paths.ts';
import type { FtpConnection } from '../ftp-connection.ts';
import { heldOf, retrieve } from '../retrieval.ts';
import { receiveFile, type Upload } from '../uploads.ts';
import { verb } from '../verb.ts';

export const transferVerbs = [
  verb({
    name: 'RETR',
    rfc: 'RFC 959 §4.1.3',
    syntax: 'RETR <path>',
    help: 'Send a file, from where REST or RANG say.',
    argument: 'required',
    run: (ftp, argument) => retrieve(ftp, ftp.path(argument)),
  }),
  verb({
    name: 'STOR',
    rfc: 'RFC 959 §4.1.3',
    syntax: 'STOR <path>',
    help: 'Receive a file; it is there when it is whole. Behind REST it goes on.',
    makes: true,
    argument: 'required',
    run: (ftp, argument) => store(ftp, { path: ftp.path(argument), from: takeRestart(ftp) }),
  }),
  verb({
    name: 'APPE',
    rfc: 'RFC 959 §4.1.3',
    syntax: 'APPE <path>',
    help: 'Go on with what was begun, or put behind the end of a file.',
    makes: true,
    argument: 'required',
    async run(ftp, argument) {
      takeRestart(ftp);
      const path = ftp.path(argument);
      return store(ftp, { path, from: (await heldOf(ftp, path)) ?? 0 });
    },
  }),
  verb({
    name: 'STOU',
    rfc: 'RFC 959 §4.1.3',
    syntax: 'STOU [name]',
    help: 'Receive a file under a name that is free.',
    makes: true,
    async run(ftp, argument) {
      takeRestart(ftp);
      const path = await freeName(ftp, ftp.path(argument === '' ? 'file' : argument));
      return store(ftp, { path, from: 0, isNew: true });
    },
  }),
  verb({
    name: 'REST',
    rfc: 'RFC 3659 §5',
    syntax: 'REST <octets>',
    help: 'Where the next transfer begins.',
    feature: 'REST STREAM',
    argument: 'required',
    run(ftp, argument) {
      if (!/^\d{1,15}$/.test(argument)) return reply(501, 'REST takes a number of octets.');
      ftp.state.restart = Number(argument);
      ftp.state.range = undefined;
      return reply(350, `The next transfer begins at ${argument}.`);
    },
  }),
  verb({
    name: 'RANG',
    rfc: 'draft-bryan-ftp-range',
    syntax: 'RANG <first> <last>',
    help: 'Which octets the next RETR or HASH is about, both included; RANG 1 0 is all again.',
    feature: 'RANG STREAM',
    argument: 'required',
    run(ftp, argument) {
      const [, first, last] = /^(\d{1,15}) (\d{1,15})$/.exec(argument) ?? [];
      if (first === undefined || last === undefined) return reply(501, 'RANG takes two numbers of octets.');
      ftp.state.restart = 0;
      ftp.state.range = undefined;
      if (first === '1' && last === '0') return reply(350, 'All octets.');
      if (Number(first) > Number(last)) return reply(501, 'The first octet is behind the last.');
      ftp.state.range = [Number(first), Number(last)];
      return reply(350, `Octets ${first} to ${last}.`);
    },
  }),
  verb({
    name: 'ALLO',
    rfc: 'RFC 959 §4.1.3',
    syntax: 'ALLO <octets>',
    help: 'How long the next upload is: a shorter one is none.',
    argument: 'required',
    run(ftp, argument) {
      const [octets = ''] = argument.split(' ');
      if (!/^\d{1,15}$/.test(octets)) return reply(501, 'ALLO takes a number of octets.');
      ftp.state.announced = Number(octets);
      return reply(200, 'The next upload has so many octets.');
    },
  }),
  verb({
    name: 'ABOR',
    rfc: 'RFC 959 §4.1.3',
    syntax: 'ABOR',
    help: 'Give up the transfer that runs.',
    beside: true,
    async run(ftp) {
      if (!ftp.abort()) return reply(225, 'No transfer runs.');
      await ftp.idle();
      return reply(226, 'It was given up.');
    },
  }),
];

function takeRestart({ state }: FtpConnection): number {
  const { restart } = state;
  state.restart = 0;
  state.range = undefined;
  return restart;
}

async function store(ftp: FtpConnection, upload: Upload): Promise<Reply> {
  const { announced, isText } = ftp.state;
  ftp.state.announced = undefined;
  // Of text the announced octets are those of the network, with other line ends.
  return receiveFile(ftp, { ...upload, ...(announced !== undefined && !isText && { octets: announced }) });
}

const triesMax = 1_000;

async function freeName(ftp: FtpConnection, wished: string): Promise<string> {
  const dot = baseName(wished).lastIndexOf('.');
  const split = dot > 0 ? wished.length - baseName(wished).length + dot : wished.length;
  for (let n = 1; n < triesMax; n++) {
    const path = n === 1 ? wished : `${wished.slice(0, split)}-${n}${wished.slice(split)}`;
    const isThere = await ftp.ask('STAT', { path }).then(
      () => true,
      error => {
        if (error instanceof HubError && error.code === 'no-file') return false;
        throw error;
      },
    );
    if (!isThere) return path;
  }
  throw new HubError('exists', 'no such name is free');
}
