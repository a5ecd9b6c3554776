/** The tools that people have already: OpenBSD's nc, ncat, socat and openssl against the real server. */
import { createHash, randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import { addAccount, startServer } from './support/server-process.ts';
import { requireTool, run } from './support/tools.ts';

const hello = 'NICK ada\nJOIN lobby\nSAY lobby :hello there, text ending in {500}\nNOPE\n';

/** What §9 of the protocol's page shows, but for the time. */
const answers = [
  /^\* PARTYLINE\/1 hub=\S+ line=8192 blob=1048576 auth=guest,login,token caps=heartbeat,json,credit$/,
  /^\+ NICK user=\S+$/,
  /^\+ JOIN room=lobby members=1 last=\d+$/,
  /^\+ SAY room=lobby seq=\d+$/,
  /^\* MSG room=lobby seq=\d+ time=\S+Z from=\S+ guest=1 :hello there, text ending in \{500\}$/,
  /^- NOPE unknown-command :try HELP$/,
  /^\* BYE reason=drained replies=4$/,
];

function assertAnswers(t: Test, output: string): void {
  const lines = output.replaceAll('\r\n', '\n').trimEnd().split('\n');
  // The order of the event against the error behind it is free: both were ready in the same turn or not.
  const expected = [...answers];
  for (const line of lines) {
    const at = expected.findIndex(pattern => pattern.test(line));
    t.ok(at >= 0, `expected: ${line}`);
    if (at >= 0) expected.splice(at, 1);
  }
  t.same(expected, [], 'nothing is missing');
  t.match(lines.at(-1), /^\* BYE/, 'BYE comes last');
}

t.test('the tools of Debian hold a session and get every answer before the end', async t => {
  const server = await startServer(t);
  const line = String(server.ports.line);
  const tls = String(server.ports['line-tls']);
  const tools: readonly (readonly [name: string, program: string, args: readonly string[], input: string])[] = [
    ['nc.openbsd -N', 'nc', ['-N', '127.0.0.1', line], hello],
    ['ncat', 'ncat', ['127.0.0.1', line], hello],
    ['ncat --ssl', 'ncat', ['--ssl', '127.0.0.1', tls], hello],
    ['socat', 'socat', ['-t', '30', '-', `TCP:127.0.0.1:${line}`], hello],
    ['socat over TLS', 'socat', ['-t', '30', '-', `OPENSSL:127.0.0.1:${tls},verify=0`], hello],
  ];
  for (const [name, program, args, input] of tools) {
    await t.test(name, async t => {
      const path = requireTool(t, program);
      if (!path) return;
      const { stdout } = await run(path, args, { input });
      assertAnswers(t, String(stdout));
    });
  }
  await t.test('openssl s_client, which never sends a FIN, ends by QUIT', async t => {
    const path = requireTool(t, 'openssl');
    if (!path) return;
    for (const version of ['-tls1_2', '-tls1_3']) {
      const args = ['s_client', '-quiet', version, '-connect', `127.0.0.1:${tls}`];
      const { stdout } = await run(path, args, { input: 'NICK eve\r\nPING :\r\nPING now\r\nQUIT\r\n' });
      t.match(String(stdout), /\+ NICK user=eve\r\n/);
      t.match(String(stdout), /\+ PING token=now\r\n/);
      t.match(String(stdout), /\+ QUIT\r\n\* BYE reason=quit replies=4\r\n$/, version);
    }
  });
});

t.test('a file piped through nc until its end is answered with size and sha256', async t => {
  const nc = requireTool(t, 'nc');
  if (!nc) return;
  const server = await startServer(t);
  await addAccount(server, 'ada', 'secret');
  const content = randomBytes(5_000_000);
  const hash = createHash('sha256').update(content).digest('hex');
  const input = Buffer.concat([Buffer.from('LOGIN ada :secret\nPUT /lobby/big.iso until=fin\n'), content]);
  const { stdout } = await run(nc, ['-N', '127.0.0.1', String(server.ports.line)], { input });
  t.match(String(stdout), new RegExp(`\\+ PUT path=/lobby/big\\.iso size=5000000 hash=sha256:${hash} seq=1\n`));
  t.match(String(stdout), /\* BYE reason=drained replies=2\n$/);
});
