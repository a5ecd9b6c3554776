/** TLS on the control and data connections (RFC 2228, 4217). */
import { reply } from '../../../../shared/ftp/reply.ts';
import { verb } from '../verb.ts';

export const securityVerbs = [
  verb({
    name: 'AUTH',
    rfc: 'RFC 4217 §4',
    syntax: 'AUTH TLS',
    help: 'Go on over TLS; a login before it is forgotten.',
    feature: 'AUTH TLS',
    argument: 'required',
    open: true,
    run(ftp, mechanism) {
      if (!/^(TLS|TLS-C|SSL)$/i.test(mechanism)) return reply(504, 'AUTH TLS is all there is.');
      if (ftp.connection.secure) return reply(503, 'This connection is over TLS already.');
      const agreed = reply(234, 'Begin the handshake.');
      ftp.switchToTls();
      return agreed;
    },
  }),
  verb({
    name: 'PBSZ',
    rfc: 'RFC 4217 §9',
    syntax: 'PBSZ 0',
    help: 'The size of protection buffers: TLS has none.',
    feature: 'PBSZ',
    open: true,
    run(ftp) {
      if (!ftp.connection.secure) return reply(503, 'AUTH TLS comes first.');
      ftp.state.hasBufferSize = true;
      return reply(200, 'PBSZ=0');
    },
  }),
  verb({
    name: 'PROT',
    rfc: 'RFC 4217 §9',
    syntax: 'PROT C|P',
    help: 'Whether data connections are over TLS.',
    feature: 'PROT',
    argument: 'required',
    open: true,
    run(ftp, level) {
      if (!ftp.connection.secure) return reply(503, 'AUTH TLS comes first.');
      if (!ftp.state.hasBufferSize) return reply(503, 'PBSZ comes first.');
      if (!/^[CPSE]$/i.test(level)) return reply(504, 'PROT C or PROT P.');
      if (/^[SE]$/i.test(level)) return reply(536, 'TLS knows PROT C and PROT P.');
      ftp.dataConnections.isPrivate = /^P$/i.test(level);
      return reply(
        200,
        ftp.dataConnections.isPrivate ? 'Data connections are private.' : 'Data connections are clear.',
      );
    },
  }),
  verb({
    name: 'CCC',
    rfc: 'RFC 4217 §6',
    syntax: 'CCC',
    help: 'Refused: the control connection stays private.',
    open: true,
    run: () => reply(534, 'The control connection stays private.'),
  }),
];
