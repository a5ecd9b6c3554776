/** The Wireshark dissector that is shipped: a captured session of the line protocol as tshark tells it with it. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { commands } from '../shared/commands/index.ts';
import { sessionVerbs } from '../shared/line/session-verbs.ts';
import { captureHead, capturePacket } from '../shared/packets/capture-writer.ts';
import { checksum } from '../shared/packets/checksum.ts';
import { linkTypes } from '../shared/packets/link-layer.ts';
import { tempDir } from './support/temp-dir.ts';
import { requireTool, run } from './support/tools.ts';

const script = fileURLToPath(new URL('../../docs/wireshark/partyline.lua', import.meta.url));

/** Segments of one connection to port 7070, one behind the other on each side. */
function sessionOf(said: readonly (readonly [from: 'client' | 'server', octets: string])[]): Buffer {
  const next = { client: 1, server: 1 };
  const packets = said.map(([from, text], i) => {
    const payload = Buffer.from(text);
    const segment = Buffer.alloc(20 + payload.length);
    const [source, target] = from === 'client' ? [40_000, 7070] : [7070, 40_000];
    segment.writeUInt16BE(source, 0);
    segment.writeUInt16BE(target, 2);
    segment.writeUInt32BE(next[from], 4);
    segment.writeUInt32BE(next[from === 'client' ? 'server' : 'client'], 8);
    segment.set([0x50, 0x18, 0xff, 0xff], 12);
    payload.copy(segment, 20);
    next[from] += payload.length;
    const header = Buffer.from([0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
    header.writeUInt16BE(20 + segment.length, 2);
    header.writeUInt16BE(checksum(header), 10);
    return capturePacket({ atMs: 1_700_000_000_000 + i, octets: Buffer.concat([header, segment]) });
  });
  return Buffer.concat([captureHead(linkTypes.raw), ...packets]);
}

t.test(
  'tshark tells the messages of a session, also those that are cut or several in one segment, and no secret',
  async t => {
    const tshark = requireTool(t, 'tshark');
    if (tshark === undefined) return;
    const file = join(await tempDir(t), 'session.pcapng');
    await writeFile(
      file,
      sessionOf([
        ['server', '* PARTYLINE/1 hub=den line=8192\n'],
        ['client', 'LOGIN ada :very-secret\n#a SAY lob'],
        ['server', '+ LOGIN user=ada\n'],
        ['client', 'by :hello: there\nvery-secret-alone\n'],
        [
          'server',
          '#a + SAY room=lobby seq=1\n- NOPE unknown-command :try HELP\n* MSG room=lobby seq=1 :hello: there\n',
        ],
        ['client', '{11} PUT /lobby/a\nhello'],
        ['client', ' world\nPING\n'],
        [
          'server',
          '+ MINT token=pl_very-secret id=t_1\n= INVITES invite=i_very-secret by=ada\n+ CODE code=very-secret until=now\n',
        ],
        ['client', 'NICK eve invite=i_very-secret\n'],
      ]),
    );
    const fields = ['kind', 'label', 'verb', 'code', 'arguments', 'text', 'blob.octets', 'blob'];
    const asked = fields.flatMap(name => ['-e', `partyline.${name}`]);
    const flags = [
      '-X',
      `lua_script:${script}`,
      '-r',
      file,
      '-T',
      'fields',
      '-E',
      'separator=|',
      '-E',
      'aggregator=;',
      ...asked,
    ];
    const { stdout, stderr } = await run(tshark, flags);
    t.notMatch(stderr.toString(), /lua/i);
    t.same(
      stdout
        .toString()
        .split('\n')
        .filter(line => /[^|]/.test(line)),
      [
        'event||PARTYLINE/1||hub=den line=8192|||',
        'request||LOGIN|||||',
        'done||LOGIN||user=ada|||',
        'request;request|a|SAY;•••||lobby|hello: there||',
        'done;refused;event|a|SAY;NOPE;MSG|unknown-command|room=lobby seq=1;room=lobby seq=1|try HELP;hello: there||',
        'request;request||PUT;PING||/lobby/a||11|68656c6c6f20776f726c64',
        'done;row;done||MINT;INVITES;CODE||token=••• id=t_1;invite=••• by=ada;code=••• until=now|||',
        'request||NICK||eve invite=•••|||',
      ],
    );
    const all = await run(tshark, ['-X', `lua_script:${script}`, '-r', file, '-V', '-O', 'partyline']);
    t.match(all.stdout.toString(), /partyline: LOGIN •••/);
    const summaries = await run(tshark, ['-X', `lua_script:${script}`, '-r', file]);
    t.notMatch(summaries.stdout.toString(), /very-secret/, 'the list of packets holds none');
    t.match(summaries.stdout.toString(), /partyline .*done|SAY room=lobby seq=1 · - NOPE/);
  },
);

t.test('it knows every request that there is', async t => {
  const words = new Set((await readFile(script, 'utf8')).match(/[A-Z]+/g));
  const unknown = [...Object.keys(commands), ...Object.keys(sessionVerbs)].filter(name => !words.has(name));
  t.same(unknown, []);
});
