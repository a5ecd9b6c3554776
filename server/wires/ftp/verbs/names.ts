/** Folders and names: CWD, CDUP, PWD, MKD, RMD, DELE, RNFR, RNTO, COMB, and their old spellings (RFC 959, 775). */

import { HubError } from '../../../../shared/errors.ts';
import { quotePath, type Reply, reply } from '../../../../shared/ftp/reply.ts';
import { limits } from '../../../../shared/limits.ts';
import { parentPath } from '../../../../shared/paths.ts';
import type { FtpConnection } from '../ftp-connection.ts';
import { find, findFile } from '../retrieval.ts';
import type { FtpVerb } from '../verb.ts';
import { verb } from '../verb.ts';

async function enter(ftp: FtpConnection, path: string): Promise<Reply> {
  const { type } = await find(ftp, path);
  if (type !== 'dir') return reply(550, `${path} is no folder.`);
  ftp.state.folder = path;
  return reply(250, `You are in ${path}.`);
}

const originals = [
  verb({
    name: 'CWD',
    rfc: 'RFC 959 §4.1.1',
    syntax: 'CWD <folder>',
    help: 'Go into a folder.',
    argument: 'required',
    run: (ftp, argument) => enter(ftp, ftp.path(argument)),
  }),
  verb({
    name: 'CDUP',
    rfc: 'RFC 959 §4.1.1',
    syntax: 'CDUP',
    help: 'Go into the folder above.',
    run: ftp => enter(ftp, parentPath(ftp.state.folder)),
  }),
  verb({
    name: 'PWD',
    rfc: 'RFC 959 §4.1.3',
    syntax: 'PWD',
    help: 'Say which folder you are in.',
    beside: true,
    run: ftp => reply(257, `${quotePath(ftp.state.folder)} is where you are.`),
  }),
  verb({
    name: 'MKD',
    rfc: 'RFC 959 §4.1.3',
    syntax: 'MKD <folder>',
    help: 'Make a folder in a room.',
    argument: 'required',
    async run(ftp, argument) {
      const path = ftp.path(argument);
      if (parentPath(path) === '/') return reply(550, 'Rooms are made in the chat: CREATE, or partyline room create.');
      const made = await ftp.ask('MKDIR', { path });
      return reply(257, `${quotePath(String(made['path']))} is made.`);
    },
  }),
  verb({
    name: 'RMD',
    rfc: 'RFC 959 §4.1.3',
    syntax: 'RMD <folder>',
    help: 'Remove an empty folder.',
    argument: 'required',
    async run(ftp, argument) {
      const path = ftp.path(argument);
      if ((await find(ftp, path)).type !== 'dir') return reply(550, `${path} is no folder; DELE removes files.`);
      await ftp.ask('RM', { path });
      return reply(250, `${path} is gone.`);
    },
  }),
];

export const nameVerbs: readonly FtpVerb[] = [
  ...originals,
  ...originals
    .filter(({ name }) => name !== 'CWD')
    .concat(originals[0]!)
    .map(original => verb({ ...original, ...oldSpelling(original.name), rfc: 'RFC 775' })),
  verb({
    name: 'DELE',
    rfc: 'RFC 959 §4.1.3',
    syntax: 'DELE <path>',
    help: 'Remove a file.',
    argument: 'required',
    async run(ftp, argument) {
      const { path } = await findFile(ftp, ftp.path(argument));
      await ftp.ask('RM', { path });
      return reply(250, `${path} is gone.`);
    },
  }),
  verb({
    name: 'RNFR',
    rfc: 'RFC 959 §4.1.3',
    syntax: 'RNFR <path>',
    help: 'What RNTO renames.',
    argument: 'required',
    async run(ftp, argument) {
      const { path } = await find(ftp, ftp.path(argument));
      ftp.state.renaming = path;
      return reply(350, 'RNTO says the new name.');
    },
  }),
  verb({
    name: 'RNTO',
    rfc: 'RFC 959 §4.1.3',
    syntax: 'RNTO <path>',
    help: 'The new name of what RNFR named; a file of yours that bears it makes place.',
    makes: true,
    argument: 'required',
    async run(ftp, argument) {
      const from = ftp.state.renaming;
      ftp.state.renaming = undefined;
      if (from === undefined) return reply(503, 'RNFR comes first.');
      const { to } = await ftp.ask('MV', { from, to: ftp.path(argument), mode: 'replace' });
      return reply(250, `It is ${to} now.`);
    },
  }),
  verb({
    name: 'COMB',
    rfc: 'draft-peterson-combine',
    syntax: 'COMB <target> <part> …',
    help: 'Put parts behind each other into one file, and remove them; names with spaces stand in quotes.',
    feature: 'COMB target;source_list',
    makes: true,
    argument: 'required',
    async run(ftp, argument) {
      const [target, ...parts] = words(argument).map(name => ftp.path(name));
      if (target === undefined || parts.length === 0) return reply(501, 'Usage: COMB <target> <part> …');
      return combine(ftp, target, parts);
    },
  }),
];

function oldSpelling(name: string): { readonly name: string; readonly syntax: string; readonly help: string } {
  const old = `X${name === 'CDUP' ? 'CUP' : name}`;
  return { name: old, syntax: old, help: `As ${name}.` };
}

function words(text: string): readonly string[] {
  return [...text.matchAll(/"((?:[^"]|"")*)"|(\S+)/g)].map(
    ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare!,
  );
}

async function combine(ftp: FtpConnection, target: string, parts: readonly string[]): Promise<Reply> {
  const sources = [];
  for (const part of parts) sources.push(await findFile(ftp, part));
  const before = await findFile(ftp, target).catch(error => {
    if (error instanceof HubError && error.code === 'no-file') return undefined;
    throw error;
  });
  const { upload } = await ftp.ask('PUT', { path: target, mode: 'replace', fresh: true });
  let offset = 0;
  for (const { path, size } of before ? [before, ...sources] : sources) {
    for (let at = 0; at < size; at += limits.keepOctetsMax) {
      const length = Math.min(limits.keepOctetsMax, size - at);
      await ftp.ask('KEEP', { upload, from: path, offset, length, 'from-offset': at });
      offset += length;
    }
  }
  await ftp.ask('COMMIT', { upload, size: offset });
  for (const { path } of sources) if (path !== target) await ftp.ask('RM', { path });
  return reply(250, `${target} holds ${offset} bytes.`);
}
