/** The main job on a big file: client and server are killed in the middle of both ways, the same command goes on and says so. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { freshSeed } from '../support/octets.ts';
import { addAccount, startServer } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { cleanEnv } from '../support/tools.ts';

const isLong = process.env['PARTYLINE_TEST_LONG'] === '1';
const MIB = 1024 * 1024;
const size = isLong ? 2048 * MIB : 96 * MIB;
t.setTimeout(isLong ? 3_600_000 : 240_000);

const commandLine = fileURLToPath(new URL('../../client/cli/main.js', import.meta.url));

/** Different in every block, and quick to make. */
async function makeFile(path: string): Promise<void> {
  const file = await open(path, 'w');
  const block = Buffer.alloc(MIB, String(freshSeed()));
  for (let n = 0; n < size / MIB; n++) {
    block.writeUInt32LE(n, 0);
    await file.write(block);
  }
  await file.close();
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash.digest('hex');
}

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; output: string }>;
}

function partyline(t: Test, config: string, args: readonly string[]): Run {
  const env = cleanEnv({ PARTYLINE_PASSWORD: 'secret', XDG_CONFIG_HOME: config });
  const child = spawn(process.execPath, [commandLine, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', part => (output += String(part)));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output }));
  return { child, ended };
}

/** Waits until so much has passed through the proxy in that direction. */
async function passed(proxy: FaultProxy, way: 'toServer' | 'toClient', octets: number): Promise<void> {
  const from = proxy.octets[way];
  while (proxy.octets[way] - from < octets) await pause(5);
}

t.test('a big file goes up and down though client and server are killed on the way', async t => {
  const folder = await tempDir(t);
  const config = await tempDir(t);
  const source = join(folder, 'big.iso');
  await makeFile(source);
  const server = await startServer(t);
  await addAccount(server, 'ada', 'secret');
  const proxy = await startFaultProxy(t, server.ports.line);
  const remote = `pl://ada@127.0.0.1:${proxy.port}/lobby/big.iso`;
  const put = () => partyline(t, config, ['put', source, remote]);
  const get = () => partyline(t, config, ['get', remote, join(folder, 'back.iso')]);

  for (const [way, start] of [
    ['toServer', put],
    ['toClient', get],
  ] as const) {
    const killed = start();
    await passed(proxy, way, size / 3);
    killed.child.kill('SIGKILL');
    await killed.ended;

    const through = start();
    await passed(proxy, way, size / 4);
    await server.kill('SIGKILL');
    await server.restart();
    const { code, output } = await through.ended;
    if (code !== 0) {
      const again = await start().ended;
      t.equal(again.code, 0, again.output);
      t.match(again.output, /resumed at \d+ %/);
    }
    t.match(output, /resumed at [1-9]\d? %/, `${way}: the second run goes on where the first one was killed`);
  }
  t.equal(await hashOf(join(folder, 'back.iso')), await hashOf(source));
  const whole = size * 1.75;
  t.ok(proxy.octets.toServer < whole, `${Math.round(proxy.octets.toServer / MIB)} MiB went up for ${size / MIB}`);
  t.ok(proxy.octets.toClient < whole, `${Math.round(proxy.octets.toClient / MIB)} MiB came down for ${size / MIB}`);
});
