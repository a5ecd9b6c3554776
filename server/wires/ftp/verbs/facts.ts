/** What is known of a file, and giving it another time: SIZE, MDTM, MFMT, hashes, AVBL (RFC 3659, drafts as named). */
import { createHash, type Hash } from 'node:crypto';
import { HubError } from '../../../../shared/errors.ts';
import { formatTimeValue, parseTimeValue } from '../../../../shared/ftp/listing.ts';
import { type Reply, reply } from '../../../../shared/ftp/reply.ts';
import { crc32 } from '../crc32.ts';
import type { FtpConnection } from '../ftp-connection.ts';
import { find, findFile, partialOf, takePart } from '../retrieval.ts';
import { verb } from '../verb.ts';

interface Digest {
  update(octets: Uint8Array): unknown;
  hex(): string;
}

const ofNode = (name: string) => (): Digest => {
  const hash: Hash = createHash(name);
  return { update: octets => hash.update(octets), hex: () => hash.digest('hex') };
};

export const digests: Readonly<Record<string, () => Digest>> = {
  'SHA-256': ofNode('sha256'),
  'SHA-512': ofNode('sha512'),
  MD5: ofNode('md5'),
  CRC32: () => {
    let value = 0;
    return {
      update: octets => {
        value = crc32(octets, value);
      },
      hex: () => value.toString(16).padStart(8, '0'),
    };
  },
};

const ofFile = (name: string, hashName: string) =>
  verb({
    name,
    rfc: 'of other servers',
    syntax: `${name} <path>`,
    help: `The ${hashName} of a file.`,
    feature: name,
    argument: 'required',
    async run(ftp, argument) {
      const { path, size } = await findFile(ftp, ftp.path(argument));
      return reply(250, (await digest(ftp, path, hashName, { offset: 0, length: size })).toUpperCase());
    },
  });

export const factVerbs = [
  verb({
    name: 'SIZE',
    rfc: 'RFC 3659 §4',
    syntax: 'SIZE <path>',
    help: 'Octets that RETR would send; of an upload of yours that is unfinished, those that are held.',
    feature: 'SIZE',
    argument: 'required',
    async run(ftp, argument) {
      if (ftp.state.isText) return reply(550, 'SIZE needs TYPE I.');
      const path = ftp.path(argument);
      try {
        return reply(213, String((await findFile(ftp, path)).size));
      } catch (error) {
        const held = error instanceof HubError && error.code === 'no-file' ? await partialOf(ftp, path) : undefined;
        if (held === undefined) throw error;
        return reply(213, String(held));
      }
    },
  }),
  verb({
    name: 'MDTM',
    rfc: 'RFC 3659 §3',
    syntax: 'MDTM [YYYYMMDDhhmmss] <path>',
    help: 'When a file was changed; with a time, sets it.',
    feature: 'MDTM',
    argument: 'required',
    async run(ftp, argument) {
      const [, time, path] = /^(\d{14}(?:\.\d+)?) (.+)$/.exec(argument) ?? [];
      if (time !== undefined && path !== undefined && !(await isThere(ftp, argument)))
        return setTime(ftp, time, path, 253);
      const { modifiedMs } = await find(ftp, ftp.path(argument));
      return reply(213, formatTimeValue(modifiedMs));
    },
  }),
  verb({
    name: 'MFMT',
    rfc: 'draft-somers-ftp-mfxx',
    syntax: 'MFMT <YYYYMMDDhhmmss> <path>',
    help: 'Set when a file was changed; UTC.',
    feature: 'MFMT',
    argument: 'required',
    async run(ftp, argument) {
      const [, time, path] = /^(\d{14}(?:\.\d+)?) (.+)$/.exec(argument) ?? [];
      if (time === undefined || path === undefined) return reply(501, 'Usage: MFMT <YYYYMMDDhhmmss> <path>');
      return setTime(ftp, time, path, 213);
    },
  }),
  verb({
    name: 'HASH',
    rfc: 'draft-bryan-ftpext-hash',
    syntax: 'HASH <path>',
    help: 'The hash of a file or of the octets that RANG named; OPTS HASH chooses which.',
    feature: ({ state }) =>
      `HASH ${Object.keys(digests)
        .map(name => (name === state.hashName ? `${name}*` : name))
        .join(';')}`,
    argument: 'required',
    async run(ftp, argument) {
      const { hashName } = ftp.state;
      const partOf = takePart(ftp);
      const { path, size } = await findFile(ftp, ftp.path(argument));
      const part = partOf(size);
      if (!part) return reply(554, `The file ends at ${size}.`);
      const hex = await digest(ftp, path, hashName, part);
      return reply(213, `${hashName} ${part.offset}-${part.offset + part.length} ${hex} ${argument}`);
    },
  }),
  ofFile('XSHA256', 'SHA-256'),
  ofFile('XMD5', 'MD5'),
  ofFile('XCRC', 'CRC32'),
  verb({
    name: 'AVBL',
    rfc: 'draft-peterson-streamlined-ftp-command-extensions',
    syntax: 'AVBL [folder]',
    help: 'Octets that you may still bring.',
    feature: 'AVBL',
    async run(ftp, argument) {
      const room = ftp.path(argument).split('/')[1];
      if (room === undefined || room === '') return reply(550, 'Name a room.');
      const quota = await ftp.ask('QUOTA', { room });
      const own = ftp.session.person?.isGuest ? { octets: 0, used: 0 } : await ftp.ask('ALLOWANCE', {});
      const left = [quota, own].map(({ octets, used }) =>
        Number(octets) > 0 ? Math.max(0, Number(octets) - Number(used)) : Number.POSITIVE_INFINITY,
      );
      const least = Math.min(...left);
      return reply(213, Number.isFinite(least) ? String(least) : String(Number.MAX_SAFE_INTEGER));
    },
  }),
];

async function isThere(ftp: FtpConnection, name: string): Promise<boolean> {
  return find(ftp, ftp.path(name)).then(
    () => true,
    () => false,
  );
}

export async function setTime(ftp: FtpConnection, time: string, name: string, code: number): Promise<Reply> {
  const timeMs = parseTimeValue(time);
  if (timeMs === undefined) return reply(501, `${time} is no time.`);
  const path = ftp.path(name);
  const modified = `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
  await ftp.ask('TOUCH', { path, modified });
  return reply(code, `Modify=${time}; ${path}`);
}

async function digest(
  ftp: FtpConnection,
  path: string,
  name: string,
  { offset, length }: { readonly offset: number; readonly length: number },
): Promise<string> {
  const known = await findFile(ftp, path);
  // The hub has it for every whole file.
  if (name === 'SHA-256' && offset === 0 && length === known.size && known.hash)
    return known.hash.slice('sha256:'.length);
  const running = digests[name]!();
  await ftp.ask(
    'GET',
    { path, offset, length },
    {
      row: async (_fields, _name, octets) => {
        if (octets) running.update(octets);
        // Others have their turn between two pieces.
        await new Promise<void>(resolve => ftp.context.clock.soon(resolve));
      },
    },
  );
  return running.hex();
}
