/** Other people's FTP servers, where they are installed (`bench/peers.sh`): on loopback, high ports and a folder of their own, logging nothing. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram, freePort, type Program, startProgram } from '../process.ts';

const run = promisify(execFile);

export interface FtpServer extends Program {
  readonly name: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** The folder in which the user may write, as clients name it. */
  readonly path: string;
  readonly isSecure: boolean;
}

interface Site {
  /** What is served. */
  readonly root: string;
  /** Key and certificate in one file. */
  readonly pem: string;
  /** For configuration. */
  readonly folder: string;
  readonly port: number;
}

interface FtpPeer {
  readonly name: string;
  /** Undefined where it is not installed. */
  start(site: Site): Promise<Program | undefined>;
  readonly isSecure: boolean;
  readonly user?: string;
}

/** Ports for data, for everybody: those of one server end before the next begins. */
const passive = { first: 42_000, last: 42_999 };

const vsftpdConfig = ({ root, pem, port }: Site) => `
listen=YES
listen_address=127.0.0.1
listen_port=${port}
background=NO
local_enable=NO
anonymous_enable=YES
no_anon_password=YES
anon_root=${root}
ftp_username=daemon
allow_writeable_chroot=YES
write_enable=YES
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
anon_umask=022
xferlog_enable=NO
connect_from_port_20=NO
seccomp_sandbox=NO
pasv_min_port=${passive.first}
pasv_max_port=${passive.last}
max_per_ip=0
max_clients=0
ssl_enable=YES
allow_anon_ssl=YES
force_anon_logins_ssl=NO
force_anon_data_ssl=NO
ssl_tlsv1=YES
require_ssl_reuse=NO
rsa_cert_file=${pem}
`;

const pythonServer = `
import logging, sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer
root, port, first, last, pem = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
logging.disable(logging.CRITICAL)
who = DummyAuthorizer()
who.add_user('bench', 'secret', root, perm='elradfmwMT')
handler = type('Handler', (TLS_FTPHandler,), dict(certfile=pem, authorizer=who, passive_ports=range(first, last)))
server = FTPServer(('127.0.0.1', port), handler)
server.max_cons = server.max_cons_per_ip = 0
server.serve_forever()
`;

const nodeServer = `
const { FtpSrv } = require(process.argv[1]);
const [root, port, first, last] = process.argv.slice(2);
const silent = () => undefined;
const log = { child: () => log, trace: silent, debug: silent, info: silent, warn: silent, error: silent, fatal: silent };
const server = new FtpSrv({ url: 'ftp://127.0.0.1:' + port, pasv_url: '127.0.0.1', pasv_min: +first, pasv_max: +last, log });
server.on('login', (_who, resolve) => resolve({ root }));
server.listen();
`;

const peers: readonly FtpPeer[] = [
  {
    name: 'vsftpd',
    isSecure: true,
    user: 'anonymous',
    async start(site) {
      const program = await findProgram('vsftpd');
      if (program === undefined) return undefined;
      await mkdir('/var/run/vsftpd/empty', { recursive: true });
      const file = join(site.folder, 'vsftpd.conf');
      await writeFile(file, vsftpdConfig(site));
      return startProgram(program, [file], { port: site.port });
    },
  },
  {
    name: 'Pure-FTPd',
    isSecure: true,
    async start({ root, folder, port, pem }) {
      const program = await findProgram('pure-ftpd');
      if (program === undefined) return undefined;
      const people = join(folder, 'pureftpd.passwd');
      const database = join(folder, 'pureftpd.pdb');
      // By default a login takes it a second: this hash costs next to nothing, so that it is not what is measured.
      const { stdout } = await run('openssl', ['passwd', '-1', 'secret']);
      await writeFile(people, `bench:${stdout.trim()}:1:1::${root}/./::::::::::::\n`);
      await run('pure-pw', ['mkdb', database, '-f', people]);
      const ports = `${passive.first}:${passive.last}`;
      const bind = ['-S', `127.0.0.1,${port}`, '-p', ports, '-l', `puredb:${database}`, '-u', '1', '-H', '-c', '1000'];
      return startProgram(program, [...bind, '-Y', '1', '-2', pem], { port });
    },
  },
  {
    name: 'pyftpdlib',
    // Curl's AUTH brings version 1.5 out of step.
    isSecure: false,
    async start({ root, port, pem }) {
      // The system's own, which knows the packages of the distribution.
      const python = '/usr/bin/python3';
      const known = await run(python, ['-c', 'import pyftpdlib']).catch(() => undefined);
      if (!known) return undefined;
      const args = ['-c', pythonServer, root, String(port), String(passive.first), String(passive.last), pem];
      return startProgram(python, args, { port });
    },
  },
  {
    name: 'ftp-srv',
    isSecure: false,
    async start({ root, port }) {
      let module: string;
      try {
        module = createRequire(import.meta.url).resolve('ftp-srv');
      } catch {
        return undefined;
      }
      const args = ['-e', nodeServer, module, root, String(port), String(passive.first), String(passive.last)];
      return startProgram(process.execPath, args, { port });
    },
  },
];

/** Starts what is installed, each on a folder below `parent`; `missing` names the others. `pem` is key and certificate in one file. */
export async function startFtpPeers(parent: string, pem: string): Promise<{ servers: FtpServer[]; missing: string[] }> {
  const servers: FtpServer[] = [];
  const missing: string[] = [];
  for (const { name, start, isSecure, user = 'bench' } of peers) {
    const folder = join(parent, name);
    const root = join(folder, 'root');
    const open = join(root, 'up');
    await mkdir(open, { recursive: true });
    // The servers give up their rights, and vsftpd wants a root in which nobody writes.
    for (const seen of [parent, folder, root]) await chmod(seen, 0o755);
    await chmod(open, 0o777);
    const port = await freePort();
    const program = await start({ root, pem, folder, port });
    if (program) servers.push({ ...program, name, port, user, password: 'secret', path: '/up', isSecure });
    else missing.push(name);
  }
  return { servers, missing };
}
