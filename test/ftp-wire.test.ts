/** The FTP wire against a hub in memory: its transcripts in every mode, and what takes several connections or the kernel to see. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { deflateSync, inflateSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { checkFtp } from '../client/cli/doctor-ftp.ts';
import { blobPath } from '../server/store/embedded/folders.ts';
import { verbs } from '../server/wires/ftp/verbs/index.ts';
import { MIB } from '../shared/limits.ts';
import type { FilePath } from '../shared/names.ts';
import { dial } from './support/dial.ts';
import { openStore } from './support/embedded.ts';
import { all, bindFtp, dialData, enter, FtpControl, retrieve, serveFtp, store } from './support/ftp-server.ts';
import { testHub } from './support/hub.ts';
import { freshSeed } from './support/octets.ts';
import { MODES, playTranscript } from './support/play-transcript.ts';
import { tempDir } from './support/temp-dir.ts';
import { readTranscripts } from './support/transcript-files.ts';

t.setTimeout(200_000);
const tokens = new Map([
  ['IAC', 255],
  ['IP', 244],
  ['DM', 242],
  ['NOP', 241],
]);

t.test(
  'every transcript holds whole, octet by octet and in pieces, and over TLS where it does not speak of it',
  async t => {
    for (const transcript of await readTranscripts('ftp', tokens)) {
      for (const mode of MODES) {
        for (const tls of mode === 'whole' && /^a-(file|guest)/.test(transcript.name) ? [false, true] : [false]) {
          await t.test(`${transcript.name}: ${mode}${tls ? ' over TLS' : ''}`, async t => {
            const { ports } = await serveFtp(t);
            const connect = (who: string, captured: ReadonlyMap<string, string>) => {
              if (who.startsWith('data')) return dial({ port: dataPort(who.slice(4), captured), tls });
              const isSecure = tls || who.startsWith('tls');
              return dial({ port: isSecure ? ports['ftp-tls'] : ports.ftp, tls: isSecure });
            };
            await t.resolves(playTranscript(transcript, { connect, mode, seed: freshSeed(), lineEnd: '\r\n' }));
          });
        }
      }
    }
  },
);

/** Of the 229 or the 227 that was captured under this number. */
function dataPort(number: string, captured: ReadonlyMap<string, string>): number {
  const of = (name: string) => Number(captured.get(`${name}${number}`));
  return captured.has(`port${number}`) ? of('port') : of('high') * 256 + of('low');
}

t.test('every verb of the table is in a transcript', async t => {
  const transcripts = await readTranscripts('ftp', tokens);
  const sent = transcripts.flatMap(({ steps }) => steps.filter(({ kind }) => kind === 'send'));
  const said = new Set(sent.map(({ source }) => source.split(' ')[0]!.toUpperCase()));
  t.same(
    [...verbs.keys()].filter(name => !said.has(name)),
    [],
  );
});

t.test('every verb of the table is in HELP, and every answer of HELP is in step', async t => {
  const { ports } = await serveFtp(t);
  const control = await enter(t, ports.ftp, 'ada');
  const listed = await control.ask('HELP');
  for (const { name, syntax } of verbs.values()) {
    t.ok(listed.includes(`\n ${syntax}`), name);
    t.match(await control.ask(`HELP ${name}`), /^214[ -]/);
  }
});

/** A wire over contents in files: `/lobby/big`, and `/lobby/huge`, which is all hole but for its last octets. */
async function serveFiles(t: Test, acceleration: boolean) {
  const dataDir = await tempDir(t);
  const { store, blobs } = await openStore(t, dataDir);
  const people = await testHub({ store, blobs });
  const big = randomBytes(32 * MIB);
  const tail = randomBytes(70_000);
  const ada = await people.account('ada');
  await ada.put('/lobby/big', Buffer.from(big));
  await ada.put('/lobby/huge', Buffer.from(big.subarray(0, MIB)));
  const row = await store.entry('/lobby/huge' as FilePath);
  if (row?.type !== 'file' || row.content.kind !== 'blob') throw new Error('the content is in no file');
  const file = await open(blobPath(dataDir, row.content.id), 'r+');
  await file.write(tail, 0, tail.length, hugeOctets - tail.length);
  await file.close();
  const entry = { ...row, size: hugeOctets };
  await store.commit([{ kind: 'put-entry', entry, expect: 'any' }]);
  return { ...(await bindFtp(t, people.hub, { acceleration })), big, tail };
}

const hugeOctets = 4 * 1024 * MIB + 100_000;

for (const acceleration of [true, false]) {
  t.test(`files that go ${acceleration ? 'by the kernel' : 'through this process'}`, async t => {
    const { ports, big, tail } = await serveFiles(t, acceleration);
    const control = await enter(t, ports.ftp, 'ada');

    t.test('are sent whole, from anywhere, and from behind 4 GiB', async t => {
      t.ok((await retrieve(t, control, 'RETR /lobby/big')).equals(big));
      t.equal(await control.ask('SIZE /lobby/huge'), `213 ${hugeOctets}`);
      const parts: readonly (readonly [command: string, path: string, octets: Buffer])[] = [
        [`REST ${5 * MIB + 1}`, 'big', big.subarray(5 * MIB + 1)],
        [`REST ${big.length}`, 'big', big.subarray(big.length)],
        ['RANG 7 1000006', 'big', big.subarray(7, 1_000_007)],
        [`REST ${hugeOctets - tail.length + 9}`, 'huge', tail.subarray(9)],
        [`RANG ${2 ** 32 - 5} ${2 ** 32 + 4}`, 'huge', Buffer.alloc(10)],
        [`RANG ${hugeOctets - 5} ${hugeOctets + 5}`, 'huge', tail.subarray(-5)],
      ];
      for (const [command, path, octets] of parts) {
        t.match(await control.ask(command), /^350 /);
        t.ok((await retrieve(t, control, `RETR /lobby/${path}`)).equals(octets), `${command} of ${path}`);
      }
      await control.ask(`REST ${hugeOctets + 1}`);
      t.match(await control.ask('RETR /lobby/huge'), /^554 /);
    });

    t.test('two at once, of which one is broken off, harm nobody', async t => {
      const other = await enter(t, ports.ftp, 'ada');
      const data = await dialData(t, await other.passivePort());
      t.match(await other.ask('RETR /lobby/huge'), /^150 /);
      await once(data, 'readable');
      const whole = retrieve(t, control, 'RETR /lobby/big');
      data.resetAndDestroy();
      t.match(await other.reply(), /^426 /);
      t.ok((await whole).equals(big));
      await other.passivePort();
      t.match(await other.ask('NOOP'), /^200 /);
    });

    for (const isDrained of [true, false]) {
      t.test(`leave NOOP, STAT and PWD their turn, ${isDrained ? 'read' : 'not read'}; ABOR ends them`, async t => {
        const data = await dialData(t, await control.passivePort());
        if (isDrained) data.resume();
        t.match(await control.ask('RETR /lobby/huge'), new RegExp(`^150 .*\\(${hugeOctets} bytes\\)`));
        for (let n = 0; n < 10; n++) {
          t.match(await control.ask('NOOP'), /^200 /);
          t.match(await control.ask('STAT'), /^211-.*A transfer runs/s);
          t.match(await control.ask('PWD'), /^257 /);
        }
        control.send('ABOR');
        t.match(await control.reply(), /^426 /);
        t.match(await control.reply(), /^226 /);
        data.destroy();
        t.match(await control.ask('NOOP'), /^200 /);
      });
    }
  });
}

t.test('while an upload runs NOOP, STAT and PWD are answered; ABOR ends it and it can be gone on with', async t => {
  const { ports } = await serveFtp(t);
  const control = await enter(t, ports.ftp, 'ada');
  const content = randomBytes(200_000);
  const data = await dialData(t, await control.passivePort());
  t.match(await control.ask('STOR /lobby/up'), /^150 /);
  await new Promise<void>(resolve => data.write(content.subarray(0, 100_000), () => resolve()));
  t.match(await control.ask('NOOP'), /^200 /);
  t.match(await control.ask('STAT'), /^211-.*A transfer runs/s);
  t.match(await control.ask('PWD'), /^257 /);
  control.send('ABOR');
  t.match(await control.reply(), /^426 /);
  t.match(await control.reply(), /^226 /);
  const held = Number((await control.ask('SIZE /lobby/up')).slice(4));
  t.match(await store(t, control, '/lobby/up', content.subarray(held), 'APPE'), /^226 .*: 200000 bytes/);
});

t.test(
  'an upload is told once, when it is whole; a reset one leaves what stood there, and is gone on with',
  async t => {
    const { ports, hub } = await serveFtp(t);
    const bob = await hub.guest('eve');
    await bob.do('JOIN', { room: 'lobby' });
    const control = await enter(t, ports.ftp, 'ada');
    const content = randomBytes(300_000);
    t.match(await store(t, control, '/lobby/a', Buffer.from('old')), /^226 /);
    const data = await dialData(t, await control.passivePort());
    await control.ask('STOR /lobby/a');
    await new Promise<void>(resolve => data.write(content.subarray(0, 200_000), () => resolve()));
    data.resetAndDestroy();
    t.match(await control.reply(), /^426 /);
    t.equal((await retrieve(t, control, 'RETR /lobby/a')).toString(), 'old', 'what stood there stands');
    t.match(await store(t, control, '/lobby/b', Buffer.alloc(0)), /^226 .*: 0 bytes/);
    const part = await dialData(t, await control.passivePort());
    await control.ask('STOR /lobby/c');
    await new Promise<void>(resolve => part.write(content.subarray(0, 131_072), () => resolve()));
    t.match(await control.ask('NOOP'), /^200 /);
    part.resetAndDestroy();
    t.match(await control.reply(), /^426 /);
    const held = Number((await control.ask('SIZE /lobby/c')).slice(4));
    t.ok(held <= 131_072);
    const stranger = await enter(t, ports.ftp, 'bob');
    t.match(await stranger.ask('SIZE /lobby/c'), /^550 /, 'nobody else sees it');
    t.match(await store(t, control, '/lobby/c', content.subarray(held), 'APPE'), /^226 .*: 300000 bytes/);
    t.same(await retrieve(t, control, 'RETR /lobby/c'), content);
    await hub.settle();
    const told = bob.events.filter(event => event.event === 'FILE').map(event => 'path' in event && event.path);
    t.same(told, ['/lobby/a', '/lobby/b', '/lobby/c']);
  },
);

t.test('REST before STOR goes on in a finished file, and ALLO guards against a short one', async t => {
  const { ports } = await serveFtp(t);
  const control = await enter(t, ports.ftp, 'ada');
  await store(t, control, '/lobby/a', Buffer.from('0123456789'));
  await control.ask('REST 4');
  t.match(await store(t, control, '/lobby/a', Buffer.from('xy')), /: 6 bytes/);
  t.equal((await retrieve(t, control, 'RETR /lobby/a')).toString(), '0123xy');
  t.match(await store(t, control, '/lobby/a', Buffer.from('zz'), 'APPE'), /: 8 bytes/);
  await control.ask('REST 9');
  t.match(await store(t, control, '/lobby/a', Buffer.from('zz')), /^554 /);
  await control.ask('ALLO 10');
  t.match(await store(t, control, '/lobby/short', Buffer.from('12345')), /^426 /);
  t.match(await control.ask('MLST /lobby/short'), /^550 /);
  t.match(await store(t, control, '/lobby/short', Buffer.from('67890'), 'APPE'), /: 10 bytes/);
  await control.ask('RANG 2 3');
  t.equal((await retrieve(t, control, 'RETR /lobby/a')).toString(), '23');
  t.match(await control.ask('COMB /lobby/both /lobby/a /lobby/short'), /holds 18 bytes/);
  t.match(await store(t, control, 'x', Buffer.from('1'), 'STOU'), /^55/, 'not at the root');
  await control.ask('CWD /lobby');
  t.match(await store(t, control, 'both', Buffer.from('1'), 'STOU'), /\/lobby\/both-2: 1 bytes/);
});

t.test('text gets the line ends of the network, and compressed streams are the same files', async t => {
  const { ports } = await serveFtp(t);
  const control = await enter(t, ports.ftp, 'ada');
  await control.ask('TYPE A');
  await store(t, control, '/lobby/a.txt', Buffer.from('one\r\ntwo\r\n\rthree'));
  t.equal((await retrieve(t, control, 'RETR /lobby/a.txt')).toString(), 'one\r\ntwo\r\n\rthree');
  await control.ask('TYPE I');
  t.equal((await retrieve(t, control, 'RETR /lobby/a.txt')).toString(), 'one\ntwo\n\rthree');
  const content = Buffer.from('again and '.repeat(100_000));
  await control.ask('MODE Z');
  t.match(await store(t, control, '/lobby/z', deflateSync(content)), /: 1000000 bytes/);
  const packed = await retrieve(t, control, 'RETR /lobby/z');
  t.ok(packed.length < 100_000);
  t.ok(inflateSync(packed).equals(content));
  t.match(await store(t, control, '/lobby/broken', Buffer.from('no deflate')), /^426 /);
});

t.test('a thousand pipelined commands and FIN get a thousand replies, 221 and FIN', async t => {
  const { ports } = await serveFtp(t);
  const control = await enter(t, ports.ftp, 'ada');
  control.socket.write('NOOP\r\n'.repeat(1_000));
  control.socket.end();
  for (let n = 0; n < 1_000; n++) if (!(await control.reply()).startsWith('200')) t.fail(`reply ${n}`);
  t.match(await control.reply(), /^221 /);
});

t.test('security', async t => {
  t.test('AUTH TLS begins anew, and what was sent behind it in clear ends the connection', async t => {
    const { ports } = await serveFtp(t);
    const control = await enter(t, ports.ftp, 'ada');
    t.match(await control.upgrade(), /^234 /);
    t.match(await control.ask('PWD'), /^530 /, 'the login is forgotten');
    await control.login('ada');
    t.match(await control.ask('PROT P'), /^503 /);
    await control.ask('PBSZ 0');
    t.match(await control.ask('PROT P'), /^200 /);
    const other = await enter(t, ports.ftp, 'bob');
    other.socket.write('AUTH TLS\r\nUSER eve\r\n');
    t.match(await other.reply(), /^(421|234) /);
    t.match(await other.reply().catch(() => 'ended'), /^421 |ended/);
  });

  t.test('PORT connects, but only back; a stranger on the passive port is dropped and the owner is served', async t => {
    const { ports } = await serveFtp(t);
    const control = await enter(t, ports.ftp, 'ada');
    await store(t, control, '/lobby/a', Buffer.from('hello'));
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    const { port } = server.address() as { port: number };
    t.match(await control.ask(`PORT 127,0,0,1,${port >> 8},${port & 255}`), /^200 /);
    control.send('RETR /lobby/a');
    const [active] = (await once(server, 'connection')) as [Socket];
    t.equal((await all(active)).toString(), 'hello');
    t.match(await control.reply(), /^150 /);
    t.match(await control.reply(), /^226 /);
    const passive = await control.passivePort();
    const stranger = await dialData(t, passive, '127.0.0.9');
    stranger.resume();
    await once(stranger, 'end');
    const own = await dialData(t, passive);
    control.send('RETR /lobby/a');
    t.equal((await all(own)).toString(), 'hello');
  });

  t.test('a data connection of another TLS session is refused where binding is required', async t => {
    const { ports } = await serveFtp(t, { tlsBinding: 'require' });
    const control = await enter(t, ports.ftp, 'ada');
    await control.upgrade();
    let session: Buffer | undefined;
    (control.socket as TLSSocket).on('session', given => {
      session = given;
    });
    await control.login('ada');
    await control.ask('PBSZ 0');
    await control.ask('PROT P');
    const attempt = async (own: boolean): Promise<string> => {
      const raw = await dialData(t, await control.passivePort());
      t.match(await control.ask('LIST /lobby'), /^150 /);
      const data = connectTls({ socket: raw, rejectUnauthorized: false, ...(own && session && { session }) });
      data.on('error', () => undefined);
      data.resume();
      return control.reply();
    };
    t.match(await attempt(false), /^425 .*resume/);
    t.ok(session, 'the control connection gave a session');
    t.match(await attempt(true), /^226 /);
  });

  t.test('twenty errors before a login, an endless line and an over-long one', async t => {
    const { ports } = await serveFtp(t);
    const guess = new FtpControl(await dialData(t, ports.ftp));
    await guess.reply();
    guess.socket.write('FROBNICATE\r\n'.repeat(20));
    for (let n = 0; n < 20; n++) t.match(await guess.reply(), /^500 /);
    t.match(await guess.reply(), /^421 /);
    const long = new FtpControl(await dialData(t, ports.ftp));
    await long.reply();
    t.match(await long.ask(`NOOP ${'x'.repeat(5_000)}`), /^500 .*4096/);
    t.match(await long.ask('NOOP'), /^200 /);
    long.socket.write('y'.repeat(70_000));
    t.match(await long.reply(), /^421 /);
  });

  t.test('a password in clear from another host is refused before it is sent', async t => {
    const { ports } = await serveFtp(t, { guests: false });
    const control = new FtpControl(await dialData(t, ports.ftp));
    await control.reply();
    await control.ask('USER ada');
    t.match(await control.ask('PASS wrong'), /^530 /);
    await control.ask('USER ada');
    t.match(await control.ask('PASS secret'), /^230 /, 'from this machine it is taken');
  });
});

t.test('a client that was killed leaves a part and no file', async t => {
  const { ports, hub } = await serveFtp(t);
  const control = await enter(t, ports.ftp, 'ada');
  const data = await dialData(t, await control.passivePort());
  await control.ask('STOR /lobby/part');
  data.write(randomBytes(50_000));
  control.socket.end();
  data.end();
  t.match(await control.reply(), /^426 /);
  const ada = await hub.account('ada');
  t.equal(await ada.code('STAT', { path: '/lobby/part' }), 'no-file');
  t.match(await ada.rows('UPLOADS', {}), [{ path: '/lobby/part', held: 50_000 }]);
});

t.test('the doctor takes the way in that the server demands, and says what is wrong with the rest', async t => {
  const said: string[] = [];
  const examine = async (options: Parameters<typeof serveFtp>[1], who: { user?: string; password?: string }) => {
    const { ports } = await serveFtp(t, options);
    said.length = 0;
    const check = { host: '127.0.0.1', port: ports.ftp, ...who };
    return checkFtp(check, (what, result) => said.push(`${what} ${result}`));
  };
  const ada = { user: 'ada', password: 'secret' };
  t.ok(await examine({ isPrivateOnly: true }, ada));
  t.match(said, ['control connection 220 ', 'TLS works', 'sign in as ada', /^PASV .* is open$/, /^EPSV .* is open$/]);
  t.ok(await examine({}, {}), 'anonymous');
  // An address at which the wire does not listen.
  t.notOk(await examine({ masquerade: () => '127.255.255.254' }, ada));
  t.match(
    said.join('\n'),
    /PASV 127\.255\.255\.254 port (\d+) is blocked: .*refused.*ufw allow \1\/tcp.*EPSV .* is open/s,
  );
  await t.rejects(examine({ guests: false }, {}), {
    code: 'auth-failed',
    message: /anonymous may not enter.*name an account/,
  });
  await t.rejects(examine({}, { user: 'ada', password: 'wrong' }), {
    code: 'auth-failed',
    message: /ada may not enter: 530/,
  });
});

t.test('what the hash of a range is, whatever its name', async t => {
  const { ports } = await serveFtp(t);
  const control = await enter(t, ports.ftp, 'ada');
  const content = randomBytes(100_000);
  await store(t, control, '/lobby/a', content);
  for (const [name, ours] of [
    ['SHA-512', 'sha512'],
    ['MD5', 'md5'],
    ['SHA-256', 'sha256'],
  ] as const) {
    await control.ask(`OPTS HASH ${name}`);
    await control.ask('RANG 1000 1999');
    const expected = createHash(ours).update(content.subarray(1_000, 2_000)).digest('hex');
    t.equal(await control.ask('HASH /lobby/a'), `213 ${name} 1000-2000 ${expected} /lobby/a`);
  }
});
