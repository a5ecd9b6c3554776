/** Who is there: USER, PASS, ACCT, REIN, QUIT. The hub decides; an account has a password or a token, a guest a name. */
import { HubError } from '../../../../shared/errors.ts';
import { reply } from '../../../../shared/ftp/reply.ts';
import type { FtpConnection } from '../ftp-connection.ts';
import { verb } from '../verb.ts';

const anonymous = /^(anonymous|ftp)$/i;

export const loginVerbs = [
  verb({
    name: 'USER',
    rfc: 'RFC 959 §4.1.1',
    syntax: 'USER <name>',
    help: 'Who you are: an account, a free name as a guest, or anonymous.',
    argument: 'required',
    open: true,
    run(ftp, name) {
      const { secure, isLoopback } = ftp.connection;
      const { clearPasswords, isPrivateOnly } = ftp.context;
      if (isPrivateOnly && !secure) return reply(530, 'Say AUTH TLS first.');
      const isExposed = !secure && !isLoopback && !clearPasswords;
      if (isExposed && !anonymous.test(name))
        return reply(530, 'A password in clear is refused here; say AUTH TLS first.');
      if (ftp.session.person) ftp.reinitialise();
      ftp.state.user = name;
      return reply(331, anonymous.test(name) ? 'Any password; a name would be kind.' : 'The password, or a token.');
    },
  }),
  verb({
    name: 'PASS',
    rfc: 'RFC 959 §4.1.1',
    syntax: 'PASS <password>',
    help: 'The password of the account, a token, or anything for a guest.',
    open: true,
    async run(ftp, password) {
      const { user } = ftp.state;
      if (user === undefined) return reply(503, 'USER comes first.');
      ftp.state.user = undefined;
      const name = await enter(ftp, user, password);
      return reply(230, `Welcome, ${name}.`);
    },
  }),
  verb({
    name: 'ACCT',
    rfc: 'RFC 959 §4.1.1',
    syntax: 'ACCT <account>',
    help: 'Not needed.',
    open: true,
    run: () => reply(202, 'Accounts are named by USER.'),
  }),
  verb({
    name: 'REIN',
    rfc: 'RFC 959 §4.1.1',
    syntax: 'REIN',
    help: 'Begin again, as nobody.',
    open: true,
    run(ftp) {
      ftp.reinitialise();
      return reply(220, 'Ready for another USER.');
    },
  }),
  verb({
    name: 'QUIT',
    rfc: 'RFC 959 §4.1.1',
    syntax: 'QUIT',
    help: 'Leave, behind a transfer that runs.',
    open: true,
    run(ftp) {
      const last = reply(221, 'Goodbye.');
      ftp.endWith(last);
      return last;
    },
  }),
];

/** The name under which they are in. Errors: HubError. */
async function enter(ftp: FtpConnection, user: string, password: string): Promise<string> {
  if (anonymous.test(user)) return enterAsAnybody(ftp, password);
  const given = async (name: 'NICK' | 'LOGIN' | 'TOKEN', fields: unknown) => {
    const { user: entered } = await ftp.ask(name, fields);
    return String(entered);
  };
  if (password.startsWith('pl_')) {
    const entered = await given('TOKEN', { token: password });
    if (entered.toLowerCase() === user.toLowerCase()) return entered;
    // A token is not a way to become somebody else than USER said.
    ftp.reinitialise();
    throw new HubError('auth-failed', 'the token is not of this account');
  }
  if (!ftp.context.guests) return given('LOGIN', { user, password });
  try {
    return await given('NICK', { user });
  } catch (error) {
    if (!(error instanceof HubError && error.facts.account)) throw error;
    if (password === '') throw new HubError('auth-failed');
    return given('LOGIN', { user, password });
  }
}

/** Several may be called anonymous; the hub wants names that tell people apart. */
async function enterAsAnybody(ftp: FtpConnection, password: string): Promise<string> {
  const wished = /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,20}/u.exec(password)?.[0];
  const names = [...(wished === undefined ? [] : [wished]), 'guest'];
  let refusal: unknown;
  for (const name of [...names, ...Array.from({ length: 99 }, (_, n) => `guest-${n + 2}`)]) {
    try {
      const { user } = await ftp.ask('NICK', { user: name });
      return String(user);
    } catch (error) {
      if (!(error instanceof HubError) || (error.code !== 'exists' && error.code !== 'bad-argument')) throw error;
      refusal = error;
    }
  }
  throw refusal as Error;
}
