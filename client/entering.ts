/** Who a new link is for, and which refusals are for good. */
import { PartylineError, TruncatedError } from './errors.ts';
import type { Link } from './link.ts';
import type { Auth } from './session-options.ts';

/** Gives the session its name. Errors: PartylineError when it is refused. */
export async function signIn(link: Link, auth: Auth): Promise<void> {
  if (auth.kind === 'cookie') return;
  if (auth.kind === 'token') return void (await link.request('TOKEN', { token: auth.token }));
  const { user } = auth;
  const logIn = (password: string) => link.request('LOGIN', { user, password });
  if (auth.kind === 'password') return void (await logIn(auth.password));
  const invite = auth.invite === undefined ? {} : { invite: auth.invite };
  if (auth.kind === 'guest') return void (await link.request('NICK', { user, ...invite }));
  const { password } = auth;
  await link.request('REGISTER', { user, ...invite, password }).catch(async error => {
    // After a lost connection the account is there.
    await logIn(password).catch(() => {
      throw error;
    });
  });
}

/** What will be refused again. A guest's name may be held for a while by the connection that was lost. */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof PartylineError) || error instanceof TruncatedError) return false;
  return error.code === 'version' || (error.class === 'permanent' && !['exists', 'internal'].includes(error.code));
}
