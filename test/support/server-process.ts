/**
 * The real server as a process of its own: started on free ports and a data folder, killed and removed with the test,
 * started again on the same ports and data.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { setAccount } from '../../server/administration.ts';
import { type Certificate, ownCertificate } from '../../server/certificate.ts';
import { freePorts, mapPorts, type Ports, parsePorts, portEnvironment } from './free-ports.ts';
import { withDeadline } from './inbox.ts';
import { tempDir } from './temp-dir.ts';
import { cleanEnv } from './tools.ts';

const HOST = '127.0.0.1';
const START_DEADLINE_MS = 20_000;
const SERVER = new URL('../../server/main.js', import.meta.url);

export interface ServerOptions {
  /** Settings, `PARTYLINE_*`; they win over the ones given here by default. */
  readonly env?: NodeJS.ProcessEnv;
  readonly args?: readonly string[];
  /** Default: an empty folder that is removed with the test. One that is given stays. */
  readonly dataDir?: string;
  /** The program. Default: the server of this build. */
  readonly main?: URL;
  /** A program and its arguments, behind which those of the server stand. It becomes the server by `exec`. */
  readonly under?: readonly string[];
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running server, or one that was; after `restart()` its pid, output and `exited` are the new process's. */
export class ServerProcess {
  readonly host = HOST;
  readonly dataDir: string;
  readonly #command: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  #ports: Ports = mapPorts(() => 0);
  #child: ChildProcessByStdio<null, Readable, Readable> | undefined;
  #output = '';
  #exited: Promise<Exit> = Promise.resolve({ code: null, signal: null });

  constructor(dataDir: string, { env = {}, args = [], main = SERVER, under = [] }: ServerOptions) {
    this.dataDir = dataDir;
    this.#command = [...under, process.execPath, fileURLToPath(main), ...args];
    this.#env = env;
  }

  get ports(): Ports {
    return this.#ports;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Resolves with how the process ended; never rejects. */
  get exited(): Promise<Exit> {
    return this.#exited;
  }

  /** All that the process wrote to standard output and standard error. */
  output(): string {
    return this.#output;
  }

  /** Sends a signal and resolves when the process is gone. */
  kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> {
    this.#child?.kill(signal);
    return this.#exited;
  }

  /** Starts again on the same data and ports; what still runs is killed first. */
  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Resolves when the server is ready; rejects with its output when it ends before that, or at the deadline. */
  async start(): Promise<void> {
    this.#output = '';
    // After a restart the known ports win, also over settings that asked for any free one.
    const knownPorts = Object.fromEntries(
      Object.entries(portEnvironment(this.#ports)).filter(([, port]) => port !== '0'),
    );
    const [program, ...args] = this.#command;
    const child = spawn(program!, args, {
      env: cleanEnv({ ...freePorts, ...this.#env, ...knownPorts, PARTYLINE_DATA_DIR: this.dataDir }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#exited = new Promise(resolve => {
      child.once('close', (code, signal) => resolve({ code, signal }));
      child.once('error', () => resolve({ code: null, signal: null }));
    });
    try {
      this.#ports = await withDeadline('the server to be ready', this.#whenReady(child), START_DEADLINE_MS);
    } catch (error) {
      await this.kill();
      throw new Error(`${(error as Error).message}; its output was:\n${this.#output}`);
    }
  }

  #whenReady(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Ports> {
    return new Promise((resolve, reject) => {
      let standardOutput = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
        standardOutput += text;
        const ports = parsePorts(standardOutput);
        if (ports !== undefined) resolve(ports);
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
      void this.#exited.then(({ code, signal }) => reject(new Error(`the server ended (${signal ?? code})`)));
    });
  }
}

let certificate: Promise<Certificate> | undefined;

/** One certificate for all servers of a test file: making one costs as much as the rest of a start. */
const folderWithCertificate = async (t: Test): Promise<string> => {
  const dataDir = await tempDir(t);
  certificate ??= ownCertificate(undefined);
  const { cert, key } = await certificate;
  await Promise.all([writeFile(join(dataDir, 'cert.pem'), cert), writeFile(join(dataDir, 'key.pem'), key)]);
  return dataDir;
};

/** Starts a server and resolves when it is ready; it is killed with the test. */
export const startServer = async (t: Test, options: ServerOptions = {}): Promise<ServerProcess> => {
  const dataDir = options.dataDir ?? (await folderWithCertificate(t));
  const server = new ServerProcess(dataDir, options);
  t.teardown(() => server.kill());
  await server.start();
  return server;
};

/** Adds an account as the command line does, beside the running server. */
export const addAccount = async ({ dataDir }: { readonly dataDir: string }, name: string, password: string) => {
  await setAccount(dataDir, name, password, false);
};
