/** The product's server and the bare programs, started from this build. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts, type Ports, parsePorts } from '../../test/support/free-ports.ts';
import { type Program, startProgram } from '../process.ts';
import { inFolder, type Server, temporary } from './server.ts';

const build = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export interface Partyline extends Server {
  readonly ports: Ports;
}

export interface NodeOptions {
  /** Where the data folder is made. */
  readonly parent?: string;
  /** Options of `node`. */
  readonly flags?: readonly string[];
  /** An account `bench` with the password `secret`, which may upload. */
  readonly hasAccount?: boolean;
  /** Settings beside these. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The real server with its default settings, on free ports of loopback. */
export function startPartyline(options: NodeOptions = {}): Promise<Partyline> {
  const { parent = temporary, flags = [], hasAccount = false, env = {} } = options;
  return inFolder(parent, async folder => {
    const data = join(folder, 'data');
    if (hasAccount) await addAccount(data);
    return startPartylineOn(data, flags, env);
  });
}

/** On a data folder that stays. */
export async function startPartylineOn(
  data: string,
  flags: readonly string[] = [],
  more: Readonly<Record<string, string>> = {},
): Promise<Partyline> {
  const env = { ...freePorts, PARTYLINE_DATA_DIR: data, ...more };
  const args = [...flags, build('server/main.js')];
  const program = await startProgram(process.execPath, args, { env, ready: /^partyline ready$/m });
  const ports = parsePorts(program.output())!;
  return { ...program, name: 'partyline', port: ports.line, ports };
}

/** The account `bench` with the password `secret`. */
export async function addAccount(data: string): Promise<void> {
  const args = [build('client/cli/main.js'), 'user', 'add', 'bench', '--password-stdin'];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, PARTYLINE_DATA_DIR: data },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', text => {
    said += text;
  });
  child.stdin.end('secret\n');
  const code = await new Promise<number | null>(resolve => child.once('close', resolve));
  if (code !== 0) throw new Error(`user add ended with ${code}: ${said}`);
}

export async function startBareFanout(flags: readonly string[] = []): Promise<Server> {
  return { ...(await startBare('fanout', flags)), name: 'bare' };
}

/** Sends every message by itself, or all of a tick as one. They go in over a port of their own. */
export async function startBareWebFanout(name: 'bare ws' | 'bare ws a tick'): Promise<Server> {
  const bare = await startBare('web-fanout', [], name === 'bare ws' ? [] : ['tick']);
  const lines = Number(/^listening \d+ (\d+)$/m.exec(bare.output())?.[1]);
  return { ...bare, name, sender: { wire: 'bare', port: lines } };
}

/** Serves the one file at `path` by HTTP. */
export function startBareHttp(path: string): Promise<Program & { readonly port: number }> {
  return startBare('http-copy', [], [path]);
}

/** Serves the one file at `path`. */
export function startBareCopy(path: string): Promise<Program & { readonly port: number }> {
  return startBare('copy-server', [], [path]);
}

/** Serves a folder by FTP, plain and over TLS; `kernel` by sendfile. */
export function startBareFtp(folder: string, mover: 'kernel' | 'buffers', pem: string) {
  return startBare('ftp-server', [], [folder, mover, pem]);
}

async function startBare(name: string, flags: readonly string[], args: readonly string[] = []) {
  const all = [...flags, build(`bench/bare/${name}.js`), ...args];
  const program = await startProgram(process.execPath, all, { ready: /^listening \d+( \d+)?$/m });
  return { ...program, port: Number(/^listening (\d+)/m.exec(program.output())?.[1]) };
}
