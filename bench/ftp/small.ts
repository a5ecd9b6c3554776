/** Many small things: a mirror of small files by lftp, and logins. */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { FtpServer } from '../servers/ftp-peers.ts';
import { type Field, lftp, putSmallFiles } from './field.ts';
import { contest } from './transfer.ts';

const files = 1_000;
const fileOctets = 4096;
const logins = 300;
const loginsAtOnce = 10;

export async function measureMirror(field: Field, rounds: number): Promise<string> {
  const servers = await putSmallFiles(field, files, fileOctets);
  const local = join(field.folder, 'mirrored');
  const rate = async (server: FtpServer) => {
    const seconds = await lftp(server, `mirror --parallel=4 ${server.path}/small ${local}`);
    await rm(local, { recursive: true });
    return files / seconds;
  };
  const title = `${files} files of ${fileOctets} octets by lftp mirror, four at a time: files a second.`;
  return `${title}\n\n${await contest(servers, rate, rounds)}${field.note}`;
}

export async function measureLogins(field: Field, rounds: number): Promise<string> {
  const rate = async (server: FtpServer) => {
    const start = performance.now();
    let left = logins;
    const one = async () => {
      while (left-- > 0) await logIn(server);
    };
    await Promise.all(Array.from({ length: loginsAtOnce }, one));
    return (1000 * logins) / (performance.now() - start);
  };
  const title = `${logins} logins of one account, ${loginsAtOnce} at a time: logins a second.`;
  return `${title}\n\n${await contest(field.servers, rate, rounds)}${field.note}`;
}

/** Comes, says who it is, and goes. */
async function logIn({ port, user, password, name }: FtpServer): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  await once(socket, 'connect');
  const said: string[] = [`USER ${user}\r\n`, `PASS ${password}\r\n`, 'QUIT\r\n'];
  let heard = '';
  for await (const octets of socket) {
    heard += octets;
    // Each reply is a line of its own here, or ends with one.
    if (!/^\d{3} .*\r?\n$/m.test(heard)) continue;
    if (/^[45]/.test(heard)) throw new Error(`${name} says ${heard}`);
    const isIn = heard.startsWith('230');
    heard = '';
    const next = isIn ? said.at(-1) : said.shift();
    if (next === undefined) break;
    socket.write(next);
    if (isIn) said.length = 0;
  }
  socket.destroy();
}
