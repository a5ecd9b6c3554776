/** R4: a server whose disk is full refuses contents by every way in, talks on, removes, and recovers without a restart. */
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { smallDisk } from '../support/embedded.ts';
import { connectLine } from '../support/line-client.ts';
import { startServer } from '../support/server-process.ts';

const MIB = 1024 * 1024;
const commandLine = fileURLToPath(new URL('../../client/cli/main.js', import.meta.url));

async function readiness(port: number): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`, { headers: { connection: 'close' } });
  return { status: response.status, body: await response.json() };
}

t.test('a full disk: contents are refused, talk and removals go on, and then all is well again', async t => {
  const disk = await smallDisk(t);
  if (!disk) return;
  // The account is made within: nobody outside sees this file system.
  const account = `echo secret | "$0" "${commandLine}" user add ada --password-stdin >&2`;
  const server = await startServer(t, {
    dataDir: disk.dataDir,
    env: { PARTYLINE_BALLAST_OCTETS: String(MIB), PARTYLINE_LOW_WATER_OCTETS: '0' },
    under: disk.under(account),
  });
  const ada = await connectLine(t, server.ports.line, { deadlineMs: 20_000 });
  ada.send('LOGIN ada :secret\nJOIN lobby');
  await ada.until(/^\+ JOIN/);
  const put = async (name: string, octets: number) => {
    ada.send(
      Buffer.concat([
        Buffer.from(`{${octets}} PUT /lobby/${name} mode=replace\n`),
        Buffer.alloc(octets, name),
        Buffer.from('\n'),
      ]),
    );
    return (await ada.until(/^[-+] PUT/)).at(-1)!;
  };
  const kept: string[] = [];
  let refusal = '';
  for (let n = 0; n < 12 && refusal === ''; n++) {
    const answer = await put(`f${n}`, 900_000);
    if (answer.startsWith('+')) kept.push(`f${n}`);
    else refusal = answer;
  }
  t.match(refusal, /^- PUT no-space /);
  t.ok(kept.length >= 3, `${kept.length} files went before`);
  t.match(await readiness(server.ports.http), { status: 503, body: { reason: 'no-space' } });

  ada.send('PUT /lobby/more size=5000000\nSAY lobby id=k :still here');
  t.match(await ada.until(/^\+ SAY/), [/^- PUT no-space /, /^\+ SAY room=lobby seq=\d+$/], 'chat goes on');
  t.match(await put('tiny', 10), /^- PUT no-space /, 'a small content is a content');
  const stream = await connectLine(t, server.ports.line);
  stream.send('LOGIN ada :secret\nPUT /lobby/stream until=fin');
  stream.send(Buffer.alloc(3 * MIB));
  stream.finish();
  t.match(String(await stream.rest()), /^- PUT no-space .*\n\* BYE reason=drained replies=2\n$/m);

  ada.send('LS /lobby');
  const listed = await ada.until(/^\+ LS/);
  t.same(
    listed.flatMap(line => /^= LS name=(\S+) type=file size=900000 /.exec(line)?.[1] ?? []),
    kept,
    'what was acknowledged is there, nothing else is',
  );
  for (const name of kept) ada.send(`RM /lobby/${name}`);
  ada.send('PING removed');
  const removed = await ada.until(/^\+ PING token=removed/);
  t.equal(removed.filter(line => line.startsWith('+ RM')).length, kept.length, 'removals work');

  // The server looks once a second at most.
  let answer = '';
  for (let tries = 0; tries < 200 && !answer.startsWith('+'); tries++) {
    answer = await put('again', 900_000);
    if (!answer.startsWith('+')) await pause(50);
  }
  t.match(answer, /^\+ PUT path=\/lobby\/again size=900000 /, 'there is room again');
  t.match(await readiness(server.ports.http), { status: 200 });
  ada.send('GET /lobby/again length=5');
  t.match((await ada.until(/^\+ GET/)).slice(-3), [/GET/, 'again', /^\+ GET/]);
});
