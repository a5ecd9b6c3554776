/** The FTP wire in this process over a hub in memory, and a client that speaks it line by line. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import Fastify from 'fastify';
import type { Test } from 'tap';
import { ownCertificate } from '../../server/certificate.ts';
import type { Hub } from '../../server/hub/hub.ts';
import { Places } from '../../server/net/places.ts';
import { systemClock } from '../../server/net/system-clock.ts';
import { ftpWire } from '../../server/wires/ftp/index.ts';
import { type TestHub, testHub } from './hub.ts';
import { Inbox } from './inbox.ts';

const certificate = await ownCertificate(undefined);

type FtpWireOptions = Parameters<typeof ftpWire>[1];

export interface BoundFtp {
  readonly ports: { ftp: number; 'ftp-tls': number };
  /** Drains and closes; the teardown does it too. */
  close(): Promise<void>;
}

export interface FtpServerOptions extends Partial<FtpWireOptions> {
  /** Where the log goes; default: warnings to standard error. */
  readonly log?: { readonly level: string; readonly stream: { write(line: string): void } };
}

export interface FtpServer extends BoundFtp {
  readonly hub: TestHub;
}

/** The accounts `ada` and `bob` have the password `secret`. Ends with the test. */
export async function serveFtp(t: Test, options: FtpServerOptions = {}): Promise<FtpServer> {
  const { clock = systemClock, guests = true } = options;
  const hub = await testHub({
    name: 'den',
    clock,
    settings: { guests, clearPasswords: false, registration: false },
  });
  for (const name of ['ada', 'bob']) hub.hub.disconnect((await hub.account(name)).session);
  return { hub, ...(await bindFtp(t, hub.hub, options)) };
}

/** Ends with the test. */
export async function bindFtp(t: Test, hub: Hub, { log, ...more }: FtpServerOptions = {}): Promise<BoundFtp> {
  const app = Fastify({ logger: log ?? { level: 'warn', stream: process.stderr } });
  const ports = { ftp: 0, 'ftp-tls': 0 };
  app.register(ftpWire, {
    hub,
    clock: systemClock,
    host: '127.0.0.1',
    port: 0,
    tls: { port: 0, key: certificate.key, cert: certificate.cert },
    guests: true,
    clearPasswords: false,
    places: new Places(1_000),
    passivePorts: { first: 0, last: 0 },
    acceleration: false,
    bandwidthOctets: 0,
    isPrivateOnly: false,
    tlsBinding: 'prefer',
    masquerade: () => undefined,
    onListening: (name, _address, port) => {
      ports[name] = port;
    },
    ...more,
  });
  await app.ready();
  const close = () => app.close();
  t.teardown(close);
  return { ports, close };
}

/** A control connection that speaks line by line. */
export class FtpControl {
  socket: Socket;
  #inbox: Inbox;

  constructor(socket: Socket) {
    this.socket = socket;
    this.#inbox = new Inbox(socket);
  }

  /** The next reply, its lines joined. */
  async reply(): Promise<string> {
    const lines: string[] = [];
    for (;;) {
      const line = (await this.#inbox.when('a reply', () => this.#inbox.takeLine())).toString().trimEnd();
      lines.push(line);
      if (/^\d{3} /.test(line)) return lines.join('\n');
    }
  }

  send(line: string): void {
    this.socket.write(`${line}\r\n`);
  }

  async ask(line: string): Promise<string> {
    this.send(line);
    return this.reply();
  }

  async login(user: string, password = 'secret'): Promise<void> {
    await this.ask(`USER ${user}`);
    const answer = await this.ask(`PASS ${password}`);
    if (!answer.startsWith('230')) throw new Error(answer);
  }

  async passivePort(): Promise<number> {
    return Number(/\|\|\|(\d+)\|/.exec(await this.ask('EPSV'))?.[1]);
  }

  /** Resolves with the answer to AUTH, when TLS stands. */
  async upgrade(options: ConnectionOptions = {}): Promise<string> {
    const answer = await this.ask('AUTH TLS');
    this.socket.removeAllListeners('data');
    const secured = connectTls({ socket: this.socket, rejectUnauthorized: false, ...options });
    await once(secured, 'secureConnect');
    this.socket = secured;
    this.#inbox = new Inbox(secured);
    return answer;
  }
}

/** Signed in, with TYPE I. */
export async function enter(t: Test, port: number, user: string): Promise<FtpControl> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  const control = new FtpControl(socket);
  await control.reply();
  await control.login(user);
  await control.ask('TYPE I');
  return control;
}

/** A data connection from `localAddress`. */
export async function dialData(t: Test, port: number, localAddress?: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, ...(localAddress && { localAddress }) });
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** What comes until the end. */
export async function all(socket: Socket): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of socket) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/** The last reply to an upload. */
export async function store(
  t: Test,
  control: FtpControl,
  name: string,
  content: Uint8Array,
  verb = 'STOR',
): Promise<string> {
  const data = await dialData(t, await control.passivePort());
  const opened = await control.ask(`${verb} ${name}`);
  if (!opened.startsWith('150')) return opened;
  data.end(content);
  data.resume();
  return control.reply();
}

/** What a command brings over a data connection; the last reply is awaited. */
export async function retrieve(t: Test, control: FtpControl, command: string): Promise<Buffer> {
  const data = await dialData(t, await control.passivePort());
  const opened = await control.ask(command);
  if (!opened.startsWith('150')) throw new Error(opened);
  const content = await all(data);
  data.end();
  await control.reply();
  return content;
}
