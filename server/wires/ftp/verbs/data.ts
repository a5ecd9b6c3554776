/** Where data connections go (RFC 959, 2428) and in which form contents travel: TYPE, STRU, MODE. */
import { isIPv6 } from 'node:net';
import type { Endpoint } from '../../../../shared/ftp/endpoint.ts';
import { extendedPassiveText, parseEprt, parsePort, passiveText } from '../../../../shared/ftp/endpoint.ts';
import { type Reply, reply } from '../../../../shared/ftp/reply.ts';
import type { FtpConnection } from '../ftp-connection.ts';
import { verb } from '../verb.ts';

const afterAll = reply(501, 'After EPSV ALL only EPSV opens data connections.');
const noPort = reply(425, 'No port is free for a data connection; try again.');
const firstFreePort = 1024;

export const dataVerbs = [
  verb({
    name: 'PASV',
    rfc: 'RFC 959 §4.1.2',
    syntax: 'PASV',
    help: 'Open a port for the next data connection; IPv4.',
    async run(ftp) {
      if (ftp.state.isExtendedOnly) return afterAll;
      const { address: peer, localAddress } = ftp.connection;
      const address = ftp.context.masquerade(peer) ?? localAddress;
      if (isIPv6(address)) return reply(425, 'This connection is over IPv6: use EPSV.');
      const port = await ftp.dataConnections.passive(peer);
      return port === undefined ? noPort : reply(227, passiveText({ address, port }));
    },
  }),
  verb({
    name: 'EPSV',
    rfc: 'RFC 2428 §3',
    syntax: 'EPSV [1|2|ALL]',
    help: 'Open a port for the next data connection; after ALL in no other way.',
    feature: 'EPSV',
    async run(ftp, argument) {
      const family = isIPv6(ftp.connection.localAddress) ? '2' : '1';
      if (/^ALL$/i.test(argument)) {
        ftp.state.isExtendedOnly = true;
        return reply(200, 'EPSV alone from here on.');
      }
      if (argument !== '' && argument !== family) return reply(522, `Another network protocol; use (${family}).`);
      const port = await ftp.dataConnections.passive(ftp.connection.address);
      return port === undefined ? noPort : reply(229, extendedPassiveText(port));
    },
  }),
  verb({
    name: 'PORT',
    rfc: 'RFC 959 §4.1.2',
    syntax: 'PORT <h1,h2,h3,h4,p1,p2>',
    help: 'Connect to you for the next data connection; only to your own address, from port 1024.',
    argument: 'required',
    run(ftp, argument) {
      if (ftp.state.isExtendedOnly) return afterAll;
      const to = parsePort(argument);
      return to ? connectTo(ftp, to) : reply(501, 'PORT takes six numbers of 0 to 255 with commas between.');
    },
  }),
  verb({
    name: 'EPRT',
    rfc: 'RFC 2428 §2',
    syntax: 'EPRT <|family|address|port|>',
    help: 'As PORT, for IPv6 too.',
    feature: 'EPRT',
    argument: 'required',
    run(ftp, argument) {
      if (ftp.state.isExtendedOnly) return afterAll;
      const to = parseEprt(argument);
      if (to === 'unknown-family') return reply(522, 'Another network protocol; use (1,2).');
      return to ? connectTo(ftp, to) : reply(501, 'EPRT takes |family|address|port|.');
    },
  }),
  verb({
    name: 'TYPE',
    rfc: 'RFC 959 §4.1.2',
    syntax: 'TYPE A|I|L 8',
    help: 'A: text, with line ends of the network; I: octets as they are.',
    argument: 'required',
    run(ftp, argument) {
      const [type = '', form = ''] = argument.toUpperCase().split(/ +/);
      if (type === 'A' && (form === '' || form === 'N')) ftp.state.isText = true;
      else if (type === 'I' || (type === 'L' && form === '8')) ftp.state.isText = false;
      else return reply(504, 'TYPE A, TYPE I or TYPE L 8.');
      return reply(200, ftp.state.isText ? 'Text.' : 'Octets as they are.');
    },
  }),
  verb({
    name: 'STRU',
    rfc: 'RFC 959 §4.1.2',
    syntax: 'STRU F',
    help: 'Files have no structure.',
    argument: 'required',
    run: (_ftp, argument) => (/^F$/i.test(argument) ? reply(200, 'Files.') : reply(504, 'STRU F is all there is.')),
  }),
  verb({
    name: 'MODE',
    rfc: 'RFC 959 §4.1.2',
    syntax: 'MODE S|Z',
    help: 'S: a stream; Z: a compressed stream (deflate).',
    feature: 'MODE Z',
    argument: 'required',
    run(ftp, argument) {
      if (!/^[SZ]$/i.test(argument)) return reply(504, 'MODE S or MODE Z.');
      ftp.state.isCompressed = /^Z$/i.test(argument);
      return reply(200, ftp.state.isCompressed ? 'Compressed.' : 'A stream.');
    },
  }),
];

/** Nobody is made to connect to a third party, nor to a service (RFC 2577 §3, 4). */
function connectTo(ftp: FtpConnection, to: Endpoint): Reply {
  if (plain(to.address) !== plain(ftp.connection.address))
    return reply(501, 'Data connections go to your own address only.');
  if (to.port < firstFreePort) return reply(501, `Data connections go to ports from ${firstFreePort} on.`);
  ftp.dataConnections.active(to);
  return reply(200, 'I will connect there.');
}

function plain(address: string): string {
  // The zone of a link-local address is no part of what a client writes.
  const [bare = ''] = address.split('%');
  return isIPv6(bare) ? new URL(`http://[${bare}]`).hostname : address;
}
