/** Who is at the terminal: asks for a name and, for an account, its password. The hub decides; this only asks and says why not. */
import { HubError } from '../../../shared/errors.ts';
import { limits } from '../../../shared/limits.ts';
import type { Terminal } from '../../../shared/terminal/terminal.ts';
import { isHttp } from '../../../shared/text.ts';

export interface LoginHost {
  readonly guests: boolean;
  readonly registration: boolean;
  /** The link is encrypted, or leaves this machine nowhere. */
  readonly isPrivate: boolean;
  /** Executes a command that gives the session its name, and returns that. Errors: HubError. */
  enter(verb: 'NICK' | 'LOGIN' | 'TOKEN' | 'REGISTER', fields: Readonly<Record<string, string>>): Promise<string>;
}

const clearLink =
  'this link is in clear: whoever listens on the way can read a password; CODE elsewhere gives a word to use once';

/** The person's name, or undefined if they leave. Error: `protocol-attack` for what no person types. */
export async function login(terminal: Terminal, host: LoginHost): Promise<string | undefined> {
  terminal.print(invitation(host));
  for (let tries = 0; tries < limits.loginTriesMax; tries++) {
    const typed = (await terminal.ask('name: '))?.trim();
    if (typed === undefined || /^\/(quit|exit|q)$/i.test(typed)) return undefined;
    if (isHttp(typed)) throw new HubError('protocol-attack', 'this port does not speak HTTP');
    if (typed === '') continue;
    try {
      const name = await (/^\/register\b/i.test(typed) ? register(terminal, host) : enter(terminal, host, typed));
      if (name !== undefined) return name;
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      terminal.print(error.message);
      if (error.code === 'banned') return undefined;
    }
  }
  terminal.print('that was often enough; come back later');
  return undefined;
}

function invitation({ guests, registration }: LoginHost): string {
  const ways = [
    guests ? 'Any free name enters as a guest; an account is asked for its password.' : 'Enter with your account.',
    registration ? '/register makes an account.' : 'With an invite, /register makes an account.',
  ];
  return ways.join(' ');
}

async function enter(terminal: Terminal, host: LoginHost, user: string): Promise<string | undefined> {
  if (host.guests) {
    try {
      return await host.enter('NICK', { user });
    } catch (error) {
      if (!(error instanceof HubError && error.facts.account)) throw error;
    }
  }
  if (!host.isPrivate) terminal.print(clearLink);
  const secret = await terminal.ask(`password of ${user}: `, { hidden: true });
  if (secret === undefined || secret === '') return undefined;
  if (secret.startsWith('pl_')) return host.enter('TOKEN', { token: secret });
  return host.enter('LOGIN', { user, password: secret });
}

async function register(terminal: Terminal, host: LoginHost): Promise<string | undefined> {
  const user = (await terminal.ask('name of the new account: '))?.trim();
  if (user === undefined || user === '') return undefined;
  const invite = host.registration ? '' : (await terminal.ask('invite: '))?.trim();
  if (invite === undefined) return undefined;
  if (!host.isPrivate) terminal.print(clearLink);
  const password = await terminal.ask('password: ', { hidden: true });
  const again = await terminal.ask('the same again: ', { hidden: true });
  if (password === undefined || again === undefined) return undefined;
  if (password !== again) {
    terminal.print('the two are not the same; nothing was made');
    return undefined;
  }
  return host.enter('REGISTER', { user, password, ...(invite !== '' && { invite }) });
}
