/** The server about itself, and what clients say about themselves: FEAT, OPTS, HELP, SYST, NOOP, SITE and others. */
import { type FactName, factNames } from '../../../../shared/ftp/listing.ts';
import { type Reply, reply } from '../../../../shared/ftp/reply.ts';
import type { FtpConnection } from '../ftp-connection.ts';
import { verb } from '../verb.ts';
import { digests, setTime } from './facts.ts';
import { verbs } from './index.ts';

export const aboutVerbs = [
  verb({
    name: 'FEAT',
    rfc: 'RFC 2389 §3',
    syntax: 'FEAT',
    help: 'What this server can beyond RFC 959.',
    open: true,
    run(ftp) {
      const features = [...verbs.values()].flatMap(({ feature }) =>
        feature === undefined ? [] : [typeof feature === 'string' ? feature : feature(ftp)],
      );
      return reply(211, 'Features:', [...features, 'UTF8', 'TVFS', 'SITE CHMOD', 'SITE UTIME'].sort());
    },
  }),
  verb({
    name: 'OPTS',
    rfc: 'RFC 2389 §4',
    syntax: 'OPTS UTF8 ON | MLST <facts> | HASH <name> | MODE Z …',
    help: 'Choose how some commands answer.',
    argument: 'required',
    open: true,
    run: (ftp, argument) => choose(ftp, argument),
  }),
  verb({
    name: 'HELP',
    rfc: 'RFC 959 §4.1.3',
    syntax: 'HELP [command]',
    help: 'This list, or one of it.',
    open: true,
    run(_ftp, argument) {
      const name = argument.toUpperCase();
      if (/^SITE\b/.test(name)) return reply(214, 'SITE commands:', siteHelp);
      const entry = verbs.get(name);
      if (entry) return reply(214, `${entry.syntax}: ${entry.help}`);
      if (name !== '') return reply(502, `There is no ${name}.`);
      return reply(
        214,
        'Commands:\nHELP and a command says more.',
        [...verbs.values()].map(({ syntax }) => syntax),
      );
    },
  }),
  verb({
    name: 'SYST',
    rfc: 'RFC 959 §4.1.3',
    syntax: 'SYST',
    help: 'In which form LIST is.',
    open: true,
    run: () => reply(215, 'UNIX Type: L8'),
  }),
  verb({
    name: 'NOOP',
    rfc: 'RFC 959 §4.1.3',
    syntax: 'NOOP',
    help: 'Nothing.',
    open: true,
    beside: true,
    run: () => reply(200, 'Nothing was done.'),
  }),
  verb({
    name: 'CLNT',
    rfc: 'of other servers',
    syntax: 'CLNT <name>',
    help: 'What client this is.',
    feature: 'CLNT',
    open: true,
    run: () => reply(200, 'Good to know.'),
  }),
  verb({
    name: 'CSID',
    rfc: 'draft-peterson-streamlined-ftp-command-extensions',
    syntax: 'CSID <facts>',
    help: 'What client this is, and what server.',
    feature: 'CSID',
    open: true,
    run: () => reply(200, 'Name=partyline;'),
  }),
  verb({
    name: 'HOST',
    rfc: 'RFC 7151',
    syntax: 'HOST <name>',
    help: 'By which name you know this server; there is one hub under all.',
    feature: 'HOST',
    argument: 'required',
    open: true,
    run(ftp) {
      if (ftp.session.person || ftp.state.user !== undefined) return reply(503, 'HOST comes before USER.');
      return reply(220, 'Welcome.');
    },
  }),
  verb({
    name: 'LANG',
    rfc: 'RFC 2640 §4.1',
    syntax: 'LANG [en]',
    help: 'The language of replies: English.',
    feature: 'LANG EN*',
    open: true,
    run: (_ftp, argument) =>
      /^(en(-\w+)?)?$/i.test(argument) ? reply(200, 'English.') : reply(504, 'Replies are in English only.'),
  }),
  verb({
    name: 'SMNT',
    rfc: 'RFC 959 §4.1.1',
    syntax: 'SMNT <path>',
    help: 'Not here.',
    run: () => reply(502, 'There is one tree.'),
  }),
  verb({
    name: 'SITE',
    rfc: 'RFC 959 §4.1.3',
    syntax: 'SITE UTIME|CHMOD|HELP …',
    help: 'What other servers have under this name.',
    argument: 'required',
    run: (ftp, argument) => site(ftp, argument),
  }),
];

const siteHelp = ['SITE UTIME <YYYYMMDDhhmm[ss]> <path>', 'SITE CHMOD <mode> <path>', 'SITE HELP'];

function choose(ftp: FtpConnection, argument: string): Reply {
  const [name = '', ...rest] = argument.split(' ');
  const value = rest.join(' ');
  switch (name.toUpperCase()) {
    case 'UTF8':
    case 'UTF-8':
      return /^(ON)?$/i.test(value) ? reply(200, 'Names are UTF-8.') : reply(504, 'Names are always UTF-8.');
    case 'MLST': {
      const wanted = value.toLowerCase().split(';');
      const facts = factNames.filter(fact => wanted.includes(fact.toLowerCase()));
      ftp.state.facts = new Set<FactName>(facts);
      return reply(200, `MLST OPTS ${facts.map(fact => `${fact};`).join('')}`.trim());
    }
    case 'HASH': {
      const hashName = value.toUpperCase();
      if (value !== '' && !Object.hasOwn(digests, hashName))
        return reply(501, `HASH knows ${Object.keys(digests).join(', ')}.`);
      if (value !== '') ftp.state.hashName = hashName;
      return reply(200, ftp.state.hashName);
    }
    case 'MODE':
      return /^Z\b/i.test(value) ? reply(200, 'MODE Z compresses as it likes.') : reply(501, 'OPTS MODE Z.');
    default:
      return reply(501, 'OPTS UTF8, MLST, HASH or MODE Z.');
  }
}

async function site(ftp: FtpConnection, argument: string): Promise<Reply> {
  const [, name = '', rest = ''] = /^(\S+) ?(.*)$/.exec(argument) ?? [];
  switch (name.toUpperCase()) {
    case 'HELP':
      return reply(214, 'SITE commands:', siteHelp);
    case 'UTIME': {
      // Of other servers: the time in front, or the path with three times and UTC behind it.
      const [, front, path] = /^(\d{12}|\d{14}) (.+)$/.exec(rest) ?? [];
      if (front !== undefined && path !== undefined) return setTime(ftp, front.padEnd(14, '0'), path, 200);
      const [, place, modified] = /^(.+) \d{14} (\d{14}) \d{14} UTC$/.exec(rest) ?? [];
      if (place !== undefined && modified !== undefined) return setTime(ftp, modified, place, 200);
      return reply(501, `Usage: ${siteHelp[0]}`);
    }
    case 'CHMOD': {
      const [, mode, path] = /^([0-7]{3,4}) (.+)$/.exec(rest) ?? [];
      if (mode === undefined || path === undefined) return reply(501, `Usage: ${siteHelp[1]}`);
      await ftp.ask('STAT', { path: ftp.path(path) });
      return reply(200, 'Who may what is said by roles in the room; nothing had to be changed.');
    }
    default:
      return reply(502, 'SITE HELP lists what there is.');
  }
}
