/** What every subcommand stands on: saved hubs, secrets, known certificates, connecting, and how it all ends. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { errors } from '../../shared/errors.ts';
import {
  type Address,
  type ConnectOptions,
  connect,
  guest,
  type Hub,
  PartylineError,
  parseAddress,
  password,
  token,
} from '../index.ts';
import { isKnownHub, knownHubsFile } from '../known-hubs.ts';

const configDir = join(process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'partyline');

/** The fallback where there is no such file. Errors: one that is there and cannot be read, or is not JSON. */
export async function readConfig<T>(name: string, fallback: T): Promise<T> {
  const text = await readFile(join(configDir, name), 'utf8').catch(error => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
  return text === undefined ? fallback : (JSON.parse(text) as T);
}

export async function writeConfig(name: string, value: unknown): Promise<void> {
  const file = join(configDir, name);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
}

export async function resolveAddress(text: string): Promise<Address> {
  const hubs = await readConfig<Record<string, string>>('hubs.json', {});
  return parseAddress(text, name => hubs[name]);
}

export interface SecretOptions {
  readonly passwordStdin?: boolean;
  /** The environment's, in place of PARTYLINE_PASSWORD. */
  readonly variable?: string;
  /** Instead of asking for a secret. */
  readonly auth?: ConnectOptions['auth'];
}

/** From standard input, the environment, or a prompt on a terminal; undefined where there is none of them. */
export async function readSecret(
  { passwordStdin, variable = 'PARTYLINE_PASSWORD' }: SecretOptions,
  question: string,
): Promise<string | undefined> {
  if (passwordStdin) return (await readStdin()).replace(/\r?\n$/, '');
  const given = process.env[variable];
  if (given !== undefined) return given;
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  const { password: askPassword, isCancel } = await import('@clack/prompts');
  const answer = await askPassword({ message: question, output: process.stderr });
  if (isCancel(answer)) throw new PartylineError('cancelled', 'no password given');
  return answer;
}

async function readStdin(): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

/** A named user is an account, except without any secret at hand; nobody named is a guest under the login name. */
export async function openHub(address: Address, options: SecretOptions = {}): Promise<Hub> {
  const signal = interruptible();
  const hub = `${address.host}:${address.port}`;
  const tell = (fingerprint: string) =>
    process.stderr.write(`partyline: ${hub} has the certificate sha256 ${fingerprint}; it is remembered\n`);
  const trust = (fingerprint: string) => isKnownHub(knownHubsFile(), hub, fingerprint, tell);
  const { user, invite } = address;
  if (options.auth) return connect(address, { auth: options.auth, signal, trust });
  const bearer = process.env['PARTYLINE_TOKEN'];
  if (bearer !== undefined) return connect(address, { auth: token(bearer), signal, trust });
  if (user === undefined || invite !== undefined) {
    return connect(address, { auth: guest(user ?? userInfo().username, invite), signal, trust });
  }
  const secret = await readSecret(options, `Password of ${user} on ${address.host}`);
  if (secret !== undefined) return connect(address, { auth: password(secret), signal, trust });
  return connect(address, { auth: guest(user), signal, trust }).catch(error => {
    if (!(error instanceof PartylineError && error.code === 'exists')) throw error;
    throw new PartylineError(
      'auth-required',
      `${user} is an account: set PARTYLINE_PASSWORD, or pipe it with --password-stdin`,
    );
  });
}

/** Works on a hub, and ends gracefully; an error ends at once. */
export async function withHub<T>(
  text: string,
  flags: SecretOptions,
  work: (hub: Hub, path: string) => Promise<T>,
): Promise<T> {
  const address = await resolveAddress(text);
  const hub = await openHub(address, flags);
  try {
    const result = await work(hub, address.path);
    await hub.finish();
    return result;
  } catch (error) {
    hub.destroy();
    throw error;
  }
}

const interrupts = new AbortController();
/** The shell's code for a program that Ctrl-C ended. */
const interrupted = 130;

/** For what has nothing to go on with: talk and following end by Ctrl-C as they are meant to. */
export function endOnInterrupt(): void {
  process.on('SIGINT', () => process.exit(interrupted));
}

/** The command as a shell takes it; no secret can be in it, since none is ever an argument. */
function sameCommand(words: readonly string[]): string {
  const quoted = words.map(word => (/^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`));
  return ['partyline', ...quoted].join(' ');
}

function interrupt(): void {
  if (interrupts.signal.aborted) process.exit(interrupted);
  interrupts.abort(new PartylineError('cancelled', `interrupted; to go on: ${sameCommand(process.argv.slice(2))}`));
}

/** Aborted by the first Ctrl-C; a second one ends at once. Others may listen too, so only our own listener is looked for. */
export function interruptible(): AbortSignal {
  if (!process.listeners('SIGINT').includes(interrupt)) process.on('SIGINT', interrupt);
  return interrupts.signal;
}

/** One line on standard error, and the exit code of the one table. */
export function exitCodeOf(error: unknown): number {
  const { message, code } = error as NodeJS.ErrnoException;
  process.stderr.write(`partyline: ${explain(code) ?? message ?? error}\n`);
  if (error instanceof PartylineError) return errors[error.code].exit;
  if (typeof code === 'string' && Object.hasOwn(errors, code)) return errors[code as keyof typeof errors].exit;
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EHOSTUNREACH' ? 69 : 70;
}

function explain(code: string | undefined): string | undefined {
  if (code === 'ECONNREFUSED')
    return 'nobody listens there; is the server running? partyline doctor ADDRESS looks closer';
  if (code === 'ENOTFOUND') return 'there is no host of that name';
  return undefined;
}
