/** R9 and R11: names that climb, and names that look alike, through every entry point of the files. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { traversalNames, unicodeTwins } from '../support/generators.ts';
import { testHub } from '../support/hub.ts';
import { connectLine } from '../support/line-client.ts';
import { addAccount, startServer } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';

const canary = 'the canary that nobody may read';

t.test('no name leads out of the room, whatever is done with it', async t => {
  const around = await tempDir(t);
  const dataDir = join(around, 'data');
  await mkdir(dataDir);
  for (const name of ['canary', 'canary.txt']) await writeFile(join(around, name), canary);
  const server = await startServer(t, { dataDir });
  await addAccount(server, 'ada', 'secret');
  const ada = await connectLine(t, server.ports.line, { deadlineMs: 20_000 });
  ada.send('LOGIN ada :secret\n{1} PUT /lobby/known\nx');
  await ada.until(/^\+ PUT/);
  const quoted = (name: Buffer) =>
    Buffer.from(`"/lobby/${name.toString('latin1').replaceAll(/["\\]/g, '\\$&')}"`, 'latin1');
  const requests = (path: Buffer, n: number) => [
    ['{7} PUT ', path, '\ncontent'],
    ['STAT ', path, ''],
    ['GET ', path, ''],
    ['LS ', path, ''],
    ['MKDIR ', path, ''],
    ['CP /lobby/known ', path, ''],
    ['MV ', path, ` /lobby/moved${n}`],
    ['PUT ', path, ' size=5'],
    ['RM ', path, ' recursive=1'],
  ];
  // A name with a line end cannot be written as a word; what it does to the framing is the decoder's test.
  const names = traversalNames().filter(name => !name.includes('\n'));
  let answered = 0;
  for (const [n, name] of names.entries()) {
    for (const [before, path, after] of requests(quoted(name), n)) {
      ada.send(Buffer.concat([Buffer.from(before as string), path as Buffer, Buffer.from(`${after}\n`)]));
    }
    ada.send(`PING n${n}`);
    const lines = await ada.until(new RegExp(`^\\+ PING token=n${n}$`));
    answered++;
    const leaked = lines.filter(line => line.includes(canary) || line.includes('root:') || /fatal|internal/.test(line));
    if (leaked.length > 0) t.same(leaked, [], JSON.stringify(name.toString('latin1')));
  }
  t.equal(answered, names.length, 'the connection stayed in step through all of them');
  t.same((await readdir(around)).sort(), ['canary', 'canary.txt', 'data'], 'nothing was written outside');
  const inside = (await readdir(dataDir)).filter(
    name => !/^(hub\.db|lock|blobs|incoming|ballast|certificate|cert|key|tls)/.test(name),
  );
  t.same(inside, [], 'no name a person gave touches the disk');
});

t.test('names that look alike are one room; files that look alike are one, or two that can be told apart', async t => {
  const { account } = await testHub();
  for (const [n, { kind, left, right }] of unicodeTwins().entries()) {
    const ada = await account(`ada${n}`);
    const rooms = [await ada.code('CREATE', { room: left }), await ada.code('CREATE', { room: right })];
    t.match(rooms.join(), /^((ok|exists),(exists|bad-argument)|bad-argument,.*)$/, `${kind}: rooms ${left} ${right}`);
    await ada.put(`/lobby/${left}`, left);
    const second = await ada.code('PUT', { path: `/lobby/${right}` }, { content: { pieces: [Buffer.from(right)] } });
    const isOne = left.normalize('NFC') === right.normalize('NFC');
    t.equal(second, isOne ? 'exists' : 'ok', `${kind}: files ${left} ${right}`);
    if (!isOne) await ada.do('RM', { path: `/lobby/${right}` });
    await ada.do('RM', { path: `/lobby/${left}` });
  }
});
