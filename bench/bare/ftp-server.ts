/**
 * The limit of the platform for FTP: a few verbs over the product's own transfer engine and a plain folder, without a hub,
 * hashes or rights. Arguments: the folder, `kernel` or `buffers`, and a file with key and certificate for TLS.
 */
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createSecureContext, TLSSocket } from 'node:tls';
import { loadKernelCopy } from '../../server/net/kernel-copy.ts';
import { Receiver } from '../../server/net/receiver.ts';
import { sendFile } from '../../server/net/send-file.ts';

const [, , root = '', mover = 'kernel', pem] = process.argv;
const kernel = mover === 'kernel' ? await loadKernelCopy() : undefined;
const secureContext =
  pem === undefined ? undefined : createSecureContext({ key: readFileSync(pem), cert: readFileSync(pem) });
const encrypted = (socket: Socket) =>
  new TLSSocket(socket, { isServer: true, ...(secureContext && { secureContext }) });

class Session {
  #socket: Socket;
  #text = '';
  #data: Promise<Socket> | undefined;
  #isPrivate = false;
  #last: Promise<void> = Promise.resolve();

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#hear();
    this.#say('220 bare');
  }

  #say(line: string): void {
    this.#socket.write(`${line}\r\n`);
  }

  #hear(): void {
    this.#socket.on('error', () => undefined);
    this.#socket.on('data', octets => {
      this.#text += String(octets);
      const lines = this.#text.split('\r\n');
      this.#text = lines.pop() ?? '';
      for (const line of lines) {
        this.#last = this.#last.then(() => this.#obey(line)).catch(error => this.#say(`426 ${error}`));
      }
    });
  }

  async #obey(line: string): Promise<void> {
    const [verb = '', ...rest] = line.split(' ');
    const name = rest.join(' ');
    const simple = simpleReplies[verb.toUpperCase()];
    if (simple) return this.#say(simple);
    switch (verb.toUpperCase()) {
      case 'AUTH':
        if (!secureContext) return this.#say('502 no');
        this.#say('234 go on');
        this.#socket.removeAllListeners('data');
        this.#socket = encrypted(this.#socket);
        return this.#hear();
      case 'PROT':
        this.#isPrivate = name === 'P';
        return this.#say('200 so be it');
      case 'EPSV':
        return this.#say(`229 come (|||${await this.#listen()}|)`);
      case 'SIZE':
        return this.#say(`213 ${await sizeOf(name)}`);
      case 'RETR':
      case 'STOR':
        this.#say('150 here');
        await (verb === 'RETR' ? this.#send(name) : this.#receive(name));
        return this.#say('226 done');
      case 'QUIT':
        this.#say('221 bye');
        return void this.#socket.end();
      default:
        this.#say('502 no');
    }
  }

  async #listen(): Promise<number> {
    const server: Server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
    this.#data = new Promise(resolve => {
      server.once('connection', socket => {
        server.close();
        socket.on('error', () => undefined);
        resolve(this.#isPrivate ? encrypted(socket) : socket);
      });
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  async #send(name: string): Promise<void> {
    const socket = await this.#data!;
    const file = await open(join(root, name));
    const { size } = await file.stat();
    await sendFile(socket, { fd: file.fd, start: 0, end: size }, { secure: this.#isPrivate, kernel });
    await file.close();
    await new Promise<void>(resolve => socket.end(resolve));
  }

  async #receive(name: string): Promise<void> {
    const receiver = new Receiver(await this.#data!, this.#isPrivate);
    const file = await open(join(root, name), 'w');
    for await (const piece of receiver) await file.write(piece);
    await file.close();
    receiver.socket.end();
  }
}

const simpleReplies: Readonly<Record<string, string>> = {
  USER: '331 and?',
  PASS: '230 in',
  PWD: '257 "/"',
  PBSZ: '200 0',
  TYPE: '200 so be it',
  NOOP: '200 yes',
  CWD: '250 there',
};

async function sizeOf(name: string): Promise<number> {
  const file = await open(join(root, name));
  const { size } = await file.stat();
  await file.close();
  return size;
}

const server = createServer({ noDelay: true }, socket => void new Session(socket));
server.listen(0, '127.0.0.1', () => process.stdout.write(`listening ${(server.address() as AddressInfo).port}\n`));
