/** `partyline doctor ftp`: goes the ways that an FTP client's connections go, and names what stands in one that is blocked. */
import { isLoopback } from '../address.ts';
import { PartylineError } from '../errors.ts';
import { dial, type FtpControl, type FtpReply, openControl } from './ftp-control.ts';

export interface FtpCheck {
  readonly host: string;
  readonly port: number;
  /** Undefined is anonymous. */
  readonly user?: string;
  readonly password?: string;
  /** As the settings have them, such as `7100-7139`; undefined for a server that is not set up here. */
  readonly passivePorts?: string;
}

export type Say = (what: string, result: string) => void;

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** True when every way is open; what is not is said with what to do about it. Errors: as of `openControl`; `auth-failed`. */
export async function checkFtp(check: FtpCheck, say: Say): Promise<boolean> {
  const control = await openControl(check.host, check.port);
  try {
    say('control connection', `${control.greeting.code} ${lastLine(control.greeting)}`);
    await signIn(control, check, say);
    // Both are asked, since clients differ; each answer is tried before the next replaces it.
    const old = await checkPassive(control, 'PASV', check, say);
    const extended = await checkPassive(control, 'EPSV', check, say);
    await control.command('QUIT');
    return old && extended;
  } finally {
    control.end();
  }
}

/** Encrypted where the server demands it, and before a password goes over a network. */
async function signIn(control: FtpControl, check: FtpCheck, say: Say): Promise<void> {
  const { user = 'anonymous', password = 'doctor@', host } = check;
  if (check.password !== undefined && !isLoopback(host)) await encrypt(control, say);
  let reply = await control.command(`USER ${user}`);
  if (reply.code >= 500 && (await encrypt(control, say))) reply = await control.command(`USER ${user}`);
  if (reply.code === 331) reply = await control.command(`PASS ${password}`);
  if (reply.code !== 230) throw refused(user, reply);
  say('sign in', `as ${user}`);
}

async function encrypt(control: FtpControl, say: Say): Promise<boolean> {
  const { code } = await control.command('AUTH TLS');
  if (code === 234) await control.encrypt();
  say('TLS', code === 234 ? 'works' : `refused: ${code}`);
  return code === 234;
}

function refused(user: string, reply: FtpReply): PartylineError {
  const hint = user === 'anonymous' ? '; name an account: partyline doctor ftp ada@HOST, with PARTYLINE_PASSWORD' : '';
  return new PartylineError('auth-failed', `${user} may not enter: ${reply.code} ${lastLine(reply)}${hint}`);
}

async function checkPassive(control: FtpControl, verb: 'PASV' | 'EPSV', check: FtpCheck, say: Say): Promise<boolean> {
  const reply = await control.command(verb);
  const endpoint = verb === 'PASV' ? pasvEndpoint(reply) : epsvEndpoint(reply, check.host);
  if (!endpoint) {
    const isOther = verb === 'PASV' && check.host.includes(':');
    say(verb, isOther ? 'only for IPv4, as it should be' : `refused: ${reply.code} ${lastLine(reply)}`);
    return isOther;
  }
  const { host, port } = endpoint;
  try {
    (await dial(host, port)).destroy();
    say(verb, `${host} port ${port} is open`);
    return true;
  } catch (error) {
    say(verb, `${host} port ${port} is blocked: ${reasonOf(error)}`);
    for (const line of advice(endpoint, check)) say('', line);
    return false;
  }
}

/** RFC 959: h1,h2,h3,h4,p1,p2, with parentheses or without. */
function pasvEndpoint({ code, text }: FtpReply): Endpoint | undefined {
  const numbers = /(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)/.exec(text)?.slice(1).map(Number);
  if (code !== 227 || !numbers) return undefined;
  return { host: numbers.slice(0, 4).join('.'), port: numbers[4]! * 256 + numbers[5]! };
}

/** RFC 2428: the address is that of the control connection. */
function epsvEndpoint({ code, text }: FtpReply, host: string): Endpoint | undefined {
  const port = /\(\|\|\|(\d+)\|\)/.exec(text)?.[1];
  return code === 229 && port !== undefined ? { host, port: Number(port) } : undefined;
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return 'the connection is refused';
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return 'there is no way to that address';
  return message;
}

/** The rules that let such connections through; a range where the settings name one. */
function advice({ host, port }: Endpoint, { host: asked, passivePorts }: FtpCheck): readonly string[] {
  const [first = port, last = port] = passivePorts?.split('-').map(Number) ?? [];
  const ports = first === last ? `${first}` : `${first}-${last}`;
  const lines = [
    'the firewall lacks a rule for data connections; one of:',
    `  ufw allow ${ports.replace('-', ':')}/tcp`,
    `  firewall-cmd --permanent --add-port=${ports}/tcp`,
    `  nft add rule inet filter input tcp dport ${ports} accept`,
    `behind a router, forward TCP ports ${ports} to the server too`,
  ];
  if (host === asked || !isPrivate(host) || isPrivate(asked)) return lines;
  return [`${host} is an address that only its own network knows: set ftp-masquerade to ${asked}`, ...lines];
}

/** RFC 1918, loopback, link-local. */
function isPrivate(host: string): boolean {
  return /^(10|127|169\.254|192\.168|172\.(1[6-9]|2\d|3[01]))\.|^(localhost|::1)$|^f[cde]/.test(host);
}

function lastLine({ text }: FtpReply): string {
  return text.split('\n').at(-1) ?? '';
}
