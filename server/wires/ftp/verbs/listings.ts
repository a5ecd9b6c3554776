/** Listings: LIST, NLST, MLSD over a data connection, MLST and STAT over the control connection (RFC 959, RFC 3659 §7). */

import { createHash } from 'node:crypto';
import { HubError } from '../../../../shared/errors.ts';
import { factNames, formatFacts, formatListLine, isPattern, matches } from '../../../../shared/ftp/listing.ts';
import { type Reply, reply } from '../../../../shared/ftp/reply.ts';
import { limits } from '../../../../shared/limits.ts';
import { baseName, parentPath } from '../../../../shared/paths.ts';
import type { FtpConnection } from '../ftp-connection.ts';
import { type Found, find, sendData } from '../retrieval.ts';
import { verb } from '../verb.ts';

type Take = (entry: Found) => void | Promise<void>;

export const listingVerbs = [
  verb({
    name: 'LIST',
    rfc: 'RFC 959 §4.1.3',
    syntax: 'LIST [-alR] [path or pattern]',
    help: 'What is in a folder, as ls -l shows it.',
    run: (ftp, argument) => {
      const now = ftp.context.clock.now();
      return list(ftp, argument, entry => `${listLine(entry, now)}\r\n`);
    },
  }),
  verb({
    name: 'NLST',
    rfc: 'RFC 959 §4.1.3',
    syntax: 'NLST [path or pattern]',
    help: 'The names in a folder.',
    run: (ftp, argument) => list(ftp, argument, (_entry, name) => `${name}\r\n`),
  }),
  verb({
    name: 'MLSD',
    rfc: 'RFC 3659 §7',
    syntax: 'MLSD [folder]',
    help: 'What is in a folder, in facts.',
    async run(ftp, argument) {
      const path = ftp.path(argument);
      if ((await find(ftp, path)).type !== 'dir') return reply(501, 'MLSD is for folders; MLST names a file.');
      return send(ftp, `Facts of ${path}.`, take =>
        childrenOf(ftp, path, entry => take(`${factsOf(ftp, entry, baseName(entry.path))}\r\n`)),
      );
    },
  }),
  verb({
    name: 'MLST',
    rfc: 'RFC 3659 §7',
    syntax: 'MLST [path]',
    help: 'The facts of a file or folder.',
    feature: ({ state }) => `MLST ${factNames.map(fact => `${fact}${state.facts.has(fact) ? '*' : ''};`).join('')}`,
    async run(ftp, argument) {
      const path = ftp.path(argument);
      return reply(250, `Facts of ${path}:`, [factsOf(ftp, await find(ftp, path), path)]);
    },
  }),
  verb({
    name: 'STAT',
    rfc: 'RFC 959 §4.1.3',
    syntax: 'STAT [path]',
    help: 'How things stand, or what is in a folder, without a data connection.',
    beside: true,
    async run(ftp, argument) {
      if (argument === '') return status(ftp);
      const lines: string[] = [];
      const now = ftp.context.clock.now();
      await listed(ftp, argument, entry => {
        if (lines.length >= limits.listEntriesMax) throw new HubError('too-large', 'too long for a reply; use LIST');
        lines.push(listLine(entry, now));
      });
      return reply(213, `What is at ${ftp.path(argument)}:`, lines);
    },
  }),
];

function status(ftp: FtpConnection): Reply {
  const { session, state, connection, dataConnections } = ftp;
  return reply(211, `partyline ${ftp.context.hub.name}:`, [
    session.person
      ? `You are ${session.person.name}${session.person.isGuest ? ', a guest' : ''}, in ${state.folder}.`
      : 'Nobody is logged in.',
    `Control connection from ${connection.address}${connection.secure ? ', over TLS' : ', in clear'}.`,
    `TYPE ${state.isText ? 'A' : 'I'}, STRU F, MODE ${state.isCompressed ? 'Z' : 'S'}, PROT ${dataConnections.isPrivate ? 'P' : 'C'}.`,
    ftp.isTransferring ? 'A transfer runs.' : 'No transfer runs.',
  ]);
}

async function list(
  ftp: FtpConnection,
  argument: string,
  format: (entry: Found, name: string) => string,
): Promise<Reply> {
  const { place } = await split(ftp, argument);
  // What is refused is refused before the connection opens.
  await find(ftp, isPattern(baseName(place)) ? parentPath(place) : place);
  return send(ftp, `What is at ${place}:`, take =>
    listed(
      ftp,
      argument,
      (entry, name) => take(format(entry, name)),
      line => take(`${line}\r\n`),
    ),
  );
}

function send(
  ftp: FtpConnection,
  opening: string,
  produce: (take: (text: string) => Promise<void>) => Promise<void>,
): Promise<Reply> {
  return ftp.transfer(opening, async signal => {
    const done = await sendData(
      ftp,
      signal,
      // Lines end with CR LF whatever the TYPE.
      sink => produce(text => sink.write(Buffer.from(text))),
      { isText: false },
    );
    return { ...done, text: 'That is all.' };
  });
}

interface Asked {
  readonly place: string;
  readonly isRecursive: boolean;
  /** As the client wrote it. The names of NLST begin like it, so that they can be arguments again (RFC 1123 §4.1.2.7). */
  readonly written: string;
}

/** `-la /lobby` → options and place; a name that begins with `-` and is there is a name. */
async function split(ftp: FtpConnection, argument: string): Promise<Asked> {
  const [, options = '', rest = argument] = /^((?:-[a-zA-Z1]+(?: |$))+)(.*)$/.exec(argument) ?? [];
  if (options !== '' && rest === '') {
    const isThere = await find(ftp, ftp.path(argument)).then(
      () => true,
      () => false,
    );
    if (isThere) return { place: ftp.path(argument), isRecursive: false, written: argument };
  }
  return { place: ftp.path(rest), isRecursive: options.includes('R'), written: rest };
}

/** Gives every entry that the argument of LIST names, with the name to show; headings only of recursive listings. */
async function listed(
  ftp: FtpConnection,
  argument: string,
  take: (entry: Found, name: string) => void | Promise<void>,
  heading?: (line: string) => Promise<void>,
): Promise<void> {
  const { place, isRecursive, written } = await split(ftp, argument);
  const last = baseName(place);
  if (isPattern(last)) {
    const isThere = await find(ftp, place).catch(() => undefined);
    if (!isThere) {
      const prefix = written.slice(0, written.lastIndexOf('/') + 1);
      return childrenOf(ftp, parentPath(place), entry =>
        matches(baseName(entry.path), last) ? take(entry, prefix + baseName(entry.path)) : undefined,
      );
    }
  }
  const found = await find(ftp, place);
  if (found.type === 'file') return take(found, written || last);
  const prefix = written === '' || written.endsWith('/') ? written : `${written}/`;
  if (!isRecursive) return childrenOf(ftp, place, entry => take(entry, prefix + baseName(entry.path)));
  await listTree(ftp, place, take, heading ?? (async () => undefined));
}

async function listTree(
  ftp: FtpConnection,
  top: string,
  take: (entry: Found, name: string) => void | Promise<void>,
  heading: (line: string) => Promise<void>,
): Promise<void> {
  let left = limits.listEntriesMax;
  const folders: { path: string; depth: number }[] = [{ path: top, depth: 0 }];
  for (let next = folders.shift(); next && left > 0; next = folders.shift()) {
    const { path, depth } = next;
    await heading(`${depth > 0 ? '\r\n' : ''}${path}:`);
    const below: { path: string; depth: number }[] = [];
    await childrenOf(ftp, path, async entry => {
      if (left-- <= 0) return;
      if (entry.type === 'dir' && depth < limits.listDepthMax) below.push({ path: entry.path, depth: depth + 1 });
      await take(entry, baseName(entry.path));
    });
    folders.unshift(...below);
  }
}

async function childrenOf(ftp: FtpConnection, path: string, take: Take): Promise<void> {
  await ftp.ask(
    'LS',
    { path },
    {
      row: row =>
        take({
          path: `${path === '/' ? '' : path}/${row['name']}`,
          type: row['type'] === 'dir' ? 'dir' : 'file',
          size: Number(row['size'] ?? 0),
          modifiedMs: typeof row['modified'] === 'string' ? Date.parse(row['modified']) : 0,
          owner: typeof row['owner'] === 'string' ? row['owner'] : '-',
          hash: undefined,
        }),
    },
  );
}

function listLine(entry: Found, nowMs: number): string {
  const { path, type, size, modifiedMs, owner } = entry;
  const group = path.split('/')[1] ?? '-';
  return formatListLine({ name: baseName(path), type, size, modifiedMs, owner, group }, nowMs);
}

function factsOf(ftp: FtpConnection, entry: Found, name: string): string {
  const { path, type, size, modifiedMs, owner } = entry;
  const isOwn = owner === ftp.session.person?.name;
  const perm = type === 'dir' ? (isOwn ? 'elcmpdf' : 'elcm') : isOwn ? 'rawdf' : 'r';
  const unique = createHash('sha256').update(path).digest('hex').slice(0, 16);
  return formatFacts(
    { type, perm, unique, ...(type === 'file' && { size }), ...(modifiedMs > 0 && { modifiedMs }) },
    ftp.state.facts,
    name,
  );
}
