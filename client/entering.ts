/** The first words on a new link: the version, the name, or the ticket of a session that stands already. */
import { commands } from '../shared/commands/index.ts';
import { limits } from '../shared/limits.ts';
import { sessionVerbs } from '../shared/line/session-verbs.ts';
import { PartylineError, TruncatedError } from './errors.ts';
import { Link } from './link.ts';
import type { Auth, SessionOptions } from './session-options.ts';

/** HELLO, then the name. Errors: PartylineError when it is refused. */
export async function enter(link: Link, { auth, agent }: Pick<SessionOptions, 'auth' | 'agent'>): Promise<void> {
  const greeted = await link.request('HELLO', sessionVerbs.HELLO, { version: '1', caps: 'heartbeat', agent });
  const { caps } = sessionVerbs.HELLO.output.parse(greeted);
  if (caps.split(',').includes('heartbeat')) link.expectLife(3 * limits.heartbeatMs);
  await signIn(link, auth);
}

async function signIn(link: Link, auth: Auth): Promise<void> {
  if (auth.kind === 'token') return void (await link.request('TOKEN', commands.TOKEN, { token: auth.token }));
  const { user } = auth;
  const logIn = (password: string) => link.request('LOGIN', commands.LOGIN, { user, password });
  if (auth.kind === 'password') return void (await logIn(auth.password));
  const invite = auth.invite === undefined ? {} : { invite: auth.invite };
  if (auth.kind === 'guest') return void (await link.request('NICK', commands.NICK, { user, ...invite }));
  const { password } = auth;
  await link.request('REGISTER', commands.REGISTER, { user, ...invite, password }).catch(async error => {
    // After a lost connection the account is there.
    await logIn(password).catch(() => {
      throw error;
    });
  });
}

/** A further link of a session. Errors: TruncatedError where it cannot be opened; PartylineError; the signal's reason. */
export async function attach(
  { open, clock }: Pick<SessionOptions, 'open' | 'clock'>,
  ticket: unknown,
  signal: AbortSignal | undefined,
): Promise<Link> {
  const deaf = { event: () => undefined, over: () => undefined };
  const { link } = await Link.open(open, clock, deaf, signal).catch(error => {
    if (error instanceof PartylineError || signal?.aborted) throw error;
    throw new TruncatedError('a further connection could not be opened', { cause: error });
  });
  try {
    await link.request('ATTACH', sessionVerbs.ATTACH, { ticket }, { signal });
  } catch (error) {
    link.destroy();
    throw error;
  }
  return link;
}

/** What will be refused again. A guest's name may be held for a while by the connection that was lost. */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof PartylineError) || error instanceof TruncatedError) return false;
  return error.code === 'version' || (error.class === 'permanent' && !['exists', 'internal'].includes(error.code));
}
