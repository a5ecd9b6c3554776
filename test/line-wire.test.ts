/** The line wire against a hub in memory: every transcript in every mode, plain and over TLS, and what a transcript cannot say. */
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import Fastify from 'fastify';
import t, { type Test } from 'tap';
import { ownCertificate } from '../server/certificate.ts';
import { Places } from '../server/net/places.ts';
import { systemClock } from '../server/net/system-clock.ts';
import { lineWire } from '../server/wires/line/index.ts';
import { dial } from './support/dial.ts';
import { hostileOctets } from './support/generators.ts';
import { testHub } from './support/hub.ts';
import { connectLine, type LineClient } from './support/line-client.ts';
import { freshSeed } from './support/octets.ts';
import { MODES, playTranscript } from './support/play-transcript.ts';
import { untilTcpStates } from './support/tcp-states.ts';
import { readTranscripts } from './support/transcript-files.ts';

t.setTimeout(200_000);
const certificate = await ownCertificate(undefined);

/** A fresh hub called den with the accounts ada, bob and admin, on free ports. */
async function startWire(t: Test) {
  const { hub, account } = await testHub({ name: 'den' });
  for (const name of ['ada', 'bob', 'admin']) hub.disconnect((await account(name)).session);
  const app = Fastify({ logger: { level: 'warn', stream: process.stderr } });
  const ports = { line: 0, 'line-tls': 0 };
  app.register(lineWire, {
    hub,
    clock: systemClock,
    host: '127.0.0.1',
    port: 0,
    tls: { port: 0, key: certificate.key, cert: certificate.cert },
    guests: true,
    places: new Places(1_000),
    onListening: (name, _address, port) => {
      ports[name] = port;
    },
  });
  await app.ready();
  t.teardown(() => app.close());
  return ports;
}

t.test('every transcript holds whole, octet by octet and in pieces, plain and over TLS', async t => {
  for (const transcript of await readTranscripts('line')) {
    for (const mode of MODES) {
      for (const tls of mode === 'octet' ? [false] : [false, true]) {
        const name = `${transcript.name}: ${mode}${tls ? ' over TLS' : ''}`;
        await t.test(name, async t => {
          const ports = await startWire(t);
          const port = tls ? ports['line-tls'] : ports.line;
          const connect = () => dial({ port, tls });
          await t.resolves(playTranscript(transcript, { connect, mode, seed: freshSeed(), lineEnd: '\n' }));
        });
      }
    }
  }
});

t.test('a thousand pipelined requests and FIN get a thousand replies, BYE and FIN', async t => {
  const ports = await startWire(t);
  const requests = Array.from({ length: 1_000 }, (_, n) => `PING t${n}`).join('\n');
  const expected = [
    ...Array.from({ length: 1_000 }, (_, n) => `+ PING token=t${n}`),
    '* BYE reason=drained replies=1000',
  ];
  await t.test('plain, with the states read from the kernel', async t => {
    const client = await connectLine(t, ports.line);
    await client.line();
    client.send(requests);
    client.finish();
    t.same((await client.rest()).toString().trimEnd().split('\n'), expected);
    await untilTcpStates(client.localPort, ports.line, { near: 'TIME_WAIT' });
  });
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    await t.test(version, async t => {
      const options = {
        port: ports['line-tls'],
        rejectUnauthorized: false,
        minVersion: version,
        maxVersion: version,
        allowHalfOpen: true,
      };
      const socket = connectTls(options);
      t.teardown(() => void socket.destroy());
      socket.end(`${requests}\n`);
      let output = '';
      for await (const part of socket) output += String(part);
      t.same(output.trimEnd().split('\n').slice(1), expected);
    });
  }
});

t.test(
  'a reader who stopped is told of a gap and finds exactly what it missed in history; others do not wait',
  async t => {
    const ports = await startWire(t);
    const enter = async (name: string): Promise<LineClient> => {
      const client = await connectLine(t, ports.line, { deadlineMs: 30_000 });
      client.send(`NICK ${name}\nJOIN lobby`);
      await client.until(/^\+ JOIN/);
      return client;
    };
    const [slow, quick, talker] = [await enter('slow'), await enter('quick'), await enter('talker')];
    slow.pause();
    t.equal(await quick.line(), '* JOINED room=lobby user=talker guest=1');
    const text = 'x'.repeat(900);
    const count = 12_000;
    let heard = 0;
    for (let from = 0; from < count; from += 500) {
      talker.send(Array.from({ length: 500 }, (_, n) => `SAY lobby :${from + n} ${text}`).join('\n'));
      heard += (await quick.lines(500)).filter(line => line.startsWith('* MSG')).length;
    }
    t.equal(heard, count, 'the other one heard all');
    slow.resume();
    const seqs: number[] = [];
    const got = await slow.until(/^\* GAP/);
    for (const line of got) if (line.startsWith('* MSG')) seqs.push(Number(/seq=(\d+)/.exec(line)![1]));
    const [, from, to] = /^\* GAP room=lobby from=(\d+) to=(\d+)$/.exec(got.at(-1)!)!;
    t.equal(Number(from), seqs.at(-1)! + 1, 'the gap begins behind what was heard');
    for (let after = Number(from) - 1; after < Number(to); ) {
      slow.send(`HISTORY lobby after=${after} limit=${Math.min(1_000, Number(to) - after)}`);
      const rows = (await slow.until(/^\+ HISTORY/)).filter(line => line.startsWith('= MSG'));
      for (const row of rows) seqs.push(Number(/seq=(\d+)/.exec(row)![1]));
      after += rows.length;
    }
    t.same(
      seqs,
      Array.from({ length: Number(to) }, (_, n) => n + 1),
    );
    t.equal(Number(to), count);
  },
);

t.test('whatever octets come, the server answers or ends, and the next one is served', async t => {
  const ports = await startWire(t);
  await fc.assert(
    fc.asyncProperty(hostileOctets(), async octets => {
      const client = await connectLine(t, ports.line);
      client.send(octets);
      client.finish();
      const lines = (await client.rest()).toString('latin1').split('\n');
      return lines.at(-2)?.startsWith('* BYE ') === true;
    }),
    { numRuns: 60 },
  );
  const client = await connectLine(t, ports.line);
  await client.line();
  client.send('PING still-here');
  t.equal(await client.line(), '+ PING token=still-here');
});

t.test('no control leaves to another reader, whoever wrote it and however', async t => {
  const ports = await startWire(t);
  const reader = await connectLine(t, ports.line);
  reader.send('NICK reader\nJOIN lobby');
  await reader.until(/^\+ JOIN/);
  const writer = await connectLine(t, ports.line);
  writer.send('LOGIN ada :secret');
  await writer.until(/^\+ LOGIN/);
  const hostile = 'a\u001b]0;title\u0007\u001b[2J\u0090q\u009c\u202e\r\n* MSG room=lobby seq=999 :forged\u00ff';
  writer.send(`SAY ${JSON.stringify({ room: 'lobby', text: hostile })}`);
  writer.send(`{${Buffer.byteLength(hostile)}} SAY lobby\n${hostile}`);
  writer.send(`PUT ${JSON.stringify({ path: `/lobby/${hostile}`, size: 1 })}`);
  writer.send(`CREATE ${JSON.stringify({ room: hostile })}\nCREATE den ${JSON.stringify(hostile).slice(0, 0)}:ok`);
  writer.send('SAY lobby :end');
  const heard = await reader.until(/:end$/);
  const controls = heard.filter(line => /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/.test(line));
  t.same(controls, []);
  const forged = heard.filter(line => line.startsWith('* MSG room=lobby seq=999'));
  t.equal(forged.length, 2, 'the forged line stands inside a blob');
  t.equal(heard.filter(line => /^\{\d+\} \* MSG/.test(line)).length, 2, 'whose length is said');
});
