/** The server as a program: its first start, what it says, health, ports that are taken, and the drain. */
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { freePorts } from './support/free-ports.ts';
import { connectLine } from './support/line-client.ts';
import { addAccount, startServer } from './support/server-process.ts';
import { tempDir } from './support/temp-dir.ts';
import { cleanEnv, type RunResult, run } from './support/tools.ts';

t.setTimeout(120_000);

const main = fileURLToPath(new URL('../server/main.js', import.meta.url));

/** A start that is expected to end by itself. */
async function refusedStart(t: Test, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<RunResult> {
  const dataDir = await tempDir(t);
  return run(process.execPath, [main, ...args], {
    env: cleanEnv({ ...freePorts, PARTYLINE_DATA_DIR: join(dataDir, 'data'), ...env }),
  });
}

async function health(port: number, path: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
  return { status: response.status, body: await response.json() };
}

function peerFingerprint(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

t.test('a first start makes folder, certificate and lobby, and says where it listens; a second finds them', async t => {
  const server = await startServer(t, { dataDir: join(await tempDir(t), 'new', 'folder') });
  const said = server.output();
  for (const name of ['line', 'line-tls', 'http']) {
    t.match(said, new RegExp(`^listening ${name} 127\\.0\\.0\\.1:[1-9]\\d*$`, 'm'));
  }
  t.match(said, /^partyline ready$/m);
  const [, fingerprint] = /^certificate sha256 (\S+)$/m.exec(said) ?? [];
  t.equal(
    await peerFingerprint(server.ports['line-tls']),
    fingerprint,
    'the printed fingerprint is the one that is served',
  );
  t.match(said, /user add NAME/);
  const client = await connectLine(t, server.ports.line);
  client.send('NICK eve\nROOMS');
  client.finish();
  t.match(String(await client.rest()), /^= ROOMS room=lobby /m);
  await server.kill('SIGTERM');
  await server.start();
  t.equal(await peerFingerprint(server.ports['line-tls']), fingerprint, 'the certificate is kept');
  t.notMatch(server.output(), /first start/);
  await server.kill('SIGTERM');
  const [cert, key] = ['cert.pem', 'key.pem'].map(name => join(server.dataDir, name));
  const other = await startServer(t, {
    dataDir: await tempDir(t),
    args: ['--ephemeral', '--tls-cert', cert!, '--tls-key', key!],
  });
  t.equal(await peerFingerprint(other.ports['line-tls']), fingerprint, 'so is one of the administrator’s own');
  const eve = await connectLine(t, other.ports.line);
  eve.send('NICK eve\nSAY lobby :hi');
  eve.finish();
  t.match(String(await eve.rest()), /^\+ SAY room=lobby seq=1$/m);
  t.same(await other.kill('SIGTERM'), { code: 0, signal: null });
  t.same(await readdir(other.dataDir), [], 'an ephemeral server leaves nothing behind');
});

t.test('health answers, and a data folder is served by one server only', async t => {
  const server = await startServer(t);
  t.same(await health(server.ports.http, '/healthz'), { status: 200, body: { status: 'ok' } });
  t.same(await health(server.ports.http, '/readyz'), { status: 200, body: { status: 'ready' } });
  t.match(await health(server.ports.http, '/nothing'), { status: 404 });
  const { code, stderr } = await refusedStart(t, [], { PARTYLINE_DATA_DIR: server.dataDir });
  t.match(stderr, /another partyline serves the data folder/);
  t.equal(code, 69);
  t.match(await health(server.ports.http, '/readyz'), { status: 200 }, 'the first one is unharmed');
});

t.test('a disk that is too full for uploads is told on readyz, and talk goes on', async t => {
  const server = await startServer(t, { env: { PARTYLINE_LOW_WATER_OCTETS: String(2 ** 52) } });
  t.match(await health(server.ports.http, '/readyz'), { status: 503, body: { status: 'not ready', reason: /\S/ } });
  await addAccount(server, 'ada', 'secret');
  const client = await connectLine(t, server.ports.line);
  client.send('LOGIN ada :secret\nSAY lobby :still here\nPUT /lobby/big size=5000000');
  client.finish();
  const answers = String(await client.rest());
  t.match(answers, /^\+ SAY room=lobby seq=1$/m);
  t.match(answers, /^- PUT no-space /m);
});

t.test('a port that is taken is one clear line and exit 69, whichever wire it is', async t => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => taken.once('listening', resolve));
  t.teardown(() => taken.close());
  const { port } = taken.address() as { port: number };
  for (const setting of [
    'PARTYLINE_HTTP_PORT',
    'PARTYLINE_LINE_PORT',
    'PARTYLINE_LINE_TLS_PORT',
    'PARTYLINE_TELNET_PORT',
  ]) {
    const { code, stderr, stdout } = await refusedStart(t, [], { [setting]: String(port) });
    t.equal(code, 69, setting);
    t.match(stderr, new RegExp(`^partyline: port ${port} is taken; [^\\n]*\\n$`));
    t.notMatch(String(stdout), /ready/);
  }
});

t.test('what cannot start says in one line what to change', async t => {
  const cases: readonly (readonly [args: readonly string[], code: number, line: RegExp])[] = [
    [['--tls-cert', main, '--tls-key', main], 64, /tls-cert and tls-key: .* PEM/],
    [['--host', '192.0.2.1'], 69, /192\.0\.2\.1 is not an address of this machine/],
    [['--data-dir', join(main, 'below')], 70, /ENOTDIR/],
  ];
  for (const [args, code, line] of cases) {
    const result = await refusedStart(t, args);
    t.match(result.stderr, line);
    t.equal(result.stderr.trimEnd().split('\n').length, 1, `one line: ${result.stderr}`);
    t.equal(result.code, code, args.join(' '));
  }
});

t.test('while it drains, readyz says so, everybody is told, and a running upload is finished and answered', async t => {
  const server = await startServer(t);
  await addAccount(server, 'ada', 'secret');
  const begin = async () => {
    const [idle, uploading] = [await connectLine(t, server.ports.line), await connectLine(t, server.ports.line)];
    idle.send('NICK eve\nJOIN lobby');
    await idle.until(/^\+ JOIN/);
    uploading.send('LOGIN ada :secret\nPUT /lobby/slow until=fin\nhalf of ');
    await uploading.until(/^\+ LOGIN/);
    return { idle, uploading, gone: server.kill('SIGTERM') };
  };
  const first = await begin();
  t.equal((await first.idle.until(/^\* BYE/)).at(-1), '* BYE reason=shutting-down replies=2');
  first.idle.finish();
  t.match(await health(server.ports.http, '/readyz'), { status: 503, body: { reason: 'shutting-down' } });
  first.uploading.send('it');
  first.uploading.finish();
  t.match(String(await first.uploading.rest()), /^\+ PUT path=\/lobby\/slow size=12 /m);
  t.same(await first.gone, { code: 0, signal: null });
  await server.start();
  const second = await begin();
  await second.idle.until(/^\* BYE/);
  await server.kill('SIGINT');
  t.same(await second.gone, { code: 1, signal: null }, 'a second signal does not wait for anybody');
});
