/** Who takes part in `bench ftp`: partyline with and without sendfile, and the peers that are installed, all with the same files. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ownCertificate } from '../../server/certificate.ts';
import { makeSource, memoryFolder, type Source } from '../line/source.ts';
import { type FtpServer, startFtpPeers } from '../servers/ftp-peers.ts';
import { startBareFtp, startPartyline } from '../servers/node-servers.ts';
import { makeFolder, temporary } from '../servers/server.ts';

const run = promisify(execFile);

export interface Field {
  /** partyline first, then the bare program, which stands for the limit of the platform. */
  readonly servers: readonly FtpServer[];
  /** The port of partyline's line wire. */
  readonly linePort: number;
  readonly source: Source;
  /** Empty, for what clients write. */
  readonly folder: string;
  /** What is not installed, as a sentence. */
  readonly note: string;
}

/** What lies in memory at once: the source, what each server keeps of it twice, what a client got. */
const copies = 16;

export async function fitsInMemory(size: number): Promise<boolean> {
  return (await memoryFolder(copies * size)) !== temporary && freemem() > copies * size;
}

/** Calls `use` with all servers running and the source in the file `big` of each, compared; clears all away. */
export async function withField<T>(size: number, use: (field: Field) => Promise<T>): Promise<T> {
  const { folder, remove } = await makeFolder(await memoryFolder(copies * size));
  const servers: FtpServer[] = [];
  try {
    const source = await makeSource(join(folder, 'source'), size);
    const own = await startOwn('partyline', folder, {});
    servers.push(own, await startOwn('partyline, JavaScript only', folder, { PARTYLINE_FTP_ACCELERATION: 'off' }));
    const pem = await makePem(folder);
    for (const mover of ['kernel', 'buffers'] as const) {
      const root = join(folder, `bare-${mover}`);
      await mkdir(root);
      const bare = await startBareFtp(root, mover, pem);
      const name = mover === 'kernel' ? 'bare, sendfile' : 'bare, JavaScript only';
      servers.push({ ...bare, name, user: 'bench', password: 'secret', path: '', isSecure: true });
    }
    const peers = await startFtpPeers(folder, pem);
    servers.push(...peers.servers);
    const received = join(folder, 'received');
    await mkdir(received);
    for (const server of servers) await warm(server, source, received);
    const { missing } = peers;
    const note = missing.length > 0 ? `\n\nWithout ${missing.join(', ')}: not installed.` : '';
    return await use({ servers, linePort: own.linePort, source, folder: received, note });
  } finally {
    for (const server of servers) await server.stop();
    await remove();
  }
}

async function makePem(folder: string): Promise<string> {
  const { key, cert } = await ownCertificate(undefined);
  const pem = join(folder, 'both.pem');
  await writeFile(pem, `${key}\n${cert}`, { mode: 0o600 });
  return pem;
}

async function startOwn(name: string, parent: string, more: Readonly<Record<string, string>>) {
  const env = { PARTYLINE_FTP_PASSIVE_PORTS: '41000-41999', ...more };
  const server = await startPartyline({ parent, hasAccount: true, env });
  const port = Number(/^listening ftp \S+:(\d+)$/m.exec(server.output())?.[1] ?? 0);
  const login = { user: 'bench', password: 'secret', path: '/lobby' };
  return { ...server, ...login, name, port, linePort: server.port, isSecure: true };
}

/** Up and down once, and what comes back is what went. */
async function warm(server: FtpServer, source: Source, folder: string): Promise<void> {
  await move(server, 'put', source.path, 'big');
  const back = join(folder, 'back');
  await move(server, 'get', back, 'big');
  const hash = createHash('sha256');
  for await (const piece of createReadStream(back)) hash.update(piece as Buffer);
  await rm(back);
  if (`sha256:${hash.digest('hex')}` !== source.hash) throw new Error(`${server.name} brought another content`);
}

/** Moves a file by curl; resolves with the seconds from the first octet asked for to the last, without connecting. */
export async function move(
  { port, user, password, path }: FtpServer,
  verb: 'put' | 'get',
  local: string,
  name: string,
  secure = false,
): Promise<number> {
  const way =
    verb === 'put'
      ? ['-T', local, '-w', '%{time_pretransfer} %{time_total}']
      : ['-o', local, '-w', '%{time_pretransfer} %{time_total}'];
  const tls = secure ? ['--ssl-reqd', '-k'] : [];
  const address = `ftp://127.0.0.1:${port}${path}/${name}`;
  const { stdout } = await run('curl', ['-sS', ...tls, '-u', `${user}:${password}`, ...way, address]);
  const [before = 0, after = 0] = stdout.trim().split(' ').map(Number);
  return after - before;
}

/** Fills a folder `small` on every server that can hold one, and gives these. */
export async function putSmallFiles(field: Field, count: number, octets: number): Promise<readonly FtpServer[]> {
  const local = join(field.folder, 'small');
  await mkdir(local);
  for (let i = 0; i < count; i++) await writeFile(join(local, `file-${i}`), Buffer.alloc(octets, i));
  // The bare ones cannot list.
  const able = field.servers.filter(({ name }) => !name.startsWith('bare'));
  for (const server of able) await lftp(server, `mirror -R --parallel=4 ${local} ${server.path}/small`);
  return able;
}

/** Resolves with the seconds of a whole session of lftp. */
export async function lftp({ port, user, password }: FtpServer, command: string): Promise<number> {
  const start = performance.now();
  const commands = `set ftp:ssl-allow false; set cmd:fail-exit true; ${command}; bye`;
  await run('lftp', ['--norc', '-u', `${user},${password}`, '-p', String(port), '-e', commands, '127.0.0.1']);
  return (performance.now() - start) / 1000;
}
