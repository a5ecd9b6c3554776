/** R6 and R21: many who come and say nothing or little, and a server and a client that call nobody. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { dial } from '../support/dial.ts';
import { connectLine } from '../support/line-client.ts';
import { addAccount, startServer } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { cleanEnv, requireTool, run } from '../support/tools.ts';

const isLong = process.env['PARTYLINE_TEST_LONG'] === '1';
const MIB = 1024 * 1024;
t.setTimeout(isLong ? 600_000 : 120_000);

async function residentOctets(pid: number): Promise<number> {
  return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** The trace, once the program's end stands in it. */
async function finished(file: string): Promise<string> {
  for (;;) {
    const text = await readFile(file, 'utf8');
    if (/\+\+\+ exited with \d+ \+\+\+\n$/.test(text)) return text;
    await pause(20);
  }
}

t.test('a crowd that says nothing, half a line or half a handshake keeps nobody out and costs little', async t => {
  const server = await startServer(t);
  await addAccount(server, 'ada', 'secret');
  const { line, 'line-tls': lineTls } = server.ports;
  const kinds: readonly (readonly [port: number, words: string])[] = [
    [line, ''],
    [line, 'LOGIN ada :sec'],
    [lineTls, ''],
    [lineTls, '\x16\x03\x01\x02'],
  ];
  const count = isLong ? 10_000 : 600;
  const before = await residentOctets(server.pid);
  const idle = [];
  for (let n = 0; n < count; n++) {
    const [port, words] = kinds[n % kinds.length]!;
    const socket = await dial({ port });
    t.teardown(() => void socket.destroy());
    socket.on('error', () => undefined);
    if (words !== '') socket.write(words);
    socket.resume();
    idle.push(new Promise(resolve => socket.once('close', resolve).once('end', () => socket.destroy())));
  }
  const waits: number[] = [];
  for (let n = 0; n < 20; n++) {
    const startedMs = performance.now();
    const ada = await connectLine(t, n % 2 === 0 ? line : lineTls, { tls: n % 2 === 1, deadlineMs: 30_000 });
    ada.send('LOGIN ada :secret');
    t.match((await ada.lines(2))[1], /^\+ LOGIN user=ada/);
    waits.push(performance.now() - startedMs);
    ada.send('QUIT');
    await ada.ended;
  }
  const resident = await residentOctets(server.pid);
  t.ok(resident - before < 250 * MIB, `${Math.round((resident - before) / MIB)} MiB for ${count}`);
  t.comment(
    `the longest of 20 logins meanwhile took ${Math.round(Math.max(...waits))} ms, the first ${Math.round(waits[0]!)}`,
  );
  if (!isLong) return;
  await Promise.all(idle);
  t.pass('all of them were sent away');
});

t.test('neither the server nor the client speaks to anybody but the two of them', async t => {
  const strace = requireTool(t, 'strace');
  if (strace === undefined) return;
  const folder = await tempDir(t);
  const traces = [join(folder, 'server.txt')];
  const traced = (file: string) => [
    strace,
    '-D',
    '-f',
    '-q',
    '-e',
    'trace=connect,sendto,sendmsg,sendmmsg',
    '-o',
    file,
  ];
  const server = await startServer(t, { under: traced(traces[0]!) });
  await addAccount(server, 'ada', 'secret');
  const cli = fileURLToPath(new URL('../../client/cli/main.js', import.meta.url));
  const env = cleanEnv({ PARTYLINE_PASSWORD: 'secret', XDG_CONFIG_HOME: folder });
  const room = `pl://ada@127.0.0.1:${server.ports.line}/lobby`;
  for (const args of [
    ['say', room, 'see https://example.org/ and @ada'],
    ['put', fileURLToPath(import.meta.url), `${room}/test.js`],
    ['get', `${room}/test.js`, join(folder, 'back.js')],
  ]) {
    const trace = join(folder, `${args[0]}.txt`);
    traces.push(trace);
    const [program, ...rest] = [...traced(trace), process.execPath, cli, ...args];
    const { code, stderr } = await run(program!, rest, { env });
    t.equal(code, 0, stderr);
  }
  await server.kill('SIGTERM');
  const calls = (await Promise.all(traces.map(finished))).join('').split('\n');
  t.ok(
    calls.some(call => call.includes(`htons(${server.ports.line})`)),
    'the trace shows the client coming',
  );
  const abroad = calls.filter(call => /AF_INET6?\b/.test(call) && !/"127\.0\.0\.1"|"::1"/.test(call));
  t.same(abroad, []);
});
