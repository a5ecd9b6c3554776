/** The web wire: commands, files, sessions and sockets by real clients, and what foreign pages and stored content try. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { Places } from '../server/net/places.ts';
import { commands } from '../shared/commands/index.ts';
import { eventSchemas } from '../shared/events.ts';
import { formatBinary, parseBinary, parseJson } from '../shared/web/binary.ts';
import { tempDir } from './support/temp-dir.ts';
import { run } from './support/tools.ts';
import { basic, openSocket } from './support/web-client.ts';
import { serveWeb } from './support/web-server.ts';

t.setTimeout(60_000);

t.test(
  'every command answers under its name, with rows as JSON or line by line, and errors by their status',
  async t => {
    const { app } = await serveWeb(t);
    const command = async (name: string, payload: object, headers: Record<string, string> = basic('dora')) => {
      const {
        statusCode,
        body,
        headers: given,
      } = await app.inject({
        method: 'POST',
        url: `/api/commands/${name}`,
        payload,
        headers,
      });
      return { statusCode, body, json: parseJson(body) as Record<string, unknown>, headers: given };
    };
    t.match((await command('SAY', { room: 'lobby', text: 'first' })).json, { room: 'lobby', seq: 1 });
    t.match((await command('say', { room: 'lobby', text: 'second' })).json, { seq: 2 }, 'in small letters too');
    const history = await command('HISTORY', { room: 'lobby' });
    t.match(history.json, {
      count: 2,
      rows: [
        { event: 'MSG', text: 'first' },
        { text: 'second', from: 'dora' },
      ],
    });
    const lines = await command('HISTORY', { room: 'lobby' }, { ...basic('dora'), accept: 'application/x-ndjson' });
    const read = lines.body.trimEnd().split('\n').map(parseJson);
    t.match(read, [{ event: 'MSG', seq: 1 }, { seq: 2 }, { ok: { count: 2 } }]);
    const refusals = [
      ['SAY', { room: 'lobby', text: 'x' }, {}, 401, 'auth-required'],
      ['SAY', { room: 'lobby', text: 'x' }, basic('dora', 'wrong'), 401, 'auth-failed'],
      ['SAY', { room: 'lobby' }, basic('dora'), 400, 'bad-argument'],
      ['SAY', { room: 'nowhere', text: 'x' }, basic('dora'), 404, 'no-room'],
      ['BLOCKS', {}, basic('dora'), 403, 'forbidden'],
      ['JUMP', {}, basic('dora'), 400, 'unknown-command'],
    ] as const;
    for (const [name, payload, headers, status, code] of refusals) {
      const { statusCode, json } = await command(name, payload, headers);
      t.match({ statusCode, ...json }, { statusCode: status, error: { code } }, `${name}: ${code}`);
    }
    const broken = await app.inject({
      method: 'POST',
      url: '/api/commands/SAY',
      headers: { ...basic('dora'), 'content-type': 'application/json' },
      payload: '{"room":',
    });
    t.match([broken.statusCode, broken.json()], [400, { error: { code: /bad-/ } }]);
  },
);

t.test('a cookie is opaque, is kept as a token that can be listed, and opens nothing after signing out', async t => {
  const { app } = await serveWeb(t);
  const enter = async (name: string, payload: object) => {
    const answer = await app.inject({ method: 'POST', url: `/api/commands/${name}`, payload });
    return { ...answer.cookies[0], set: String(answer.headers['set-cookie']) };
  };
  const who = (value = '') => app.inject({ url: '/api/session', cookies: { partyline: value } });
  const cleo = await enter('LOGIN', { user: 'cleo', password: 'secret' });
  t.match(cleo.set, /HttpOnly; SameSite=Lax$/);
  t.match((await who(cleo.value)).json(), { user: 'cleo', wire: 'web' });
  const tokens = await app.inject({
    method: 'POST',
    url: '/api/commands/TOKENS',
    payload: {},
    cookies: { partyline: cleo.value ?? '' },
  });
  t.match(tokens.json().rows, [{ label: 'browser', user: 'cleo' }]);
  const out = await app.inject({ method: 'DELETE', url: '/api/session', cookies: { partyline: cleo.value ?? '' } });
  t.equal(out.statusCode, 204);
  t.equal((await who(cleo.value)).statusCode, 401);
  const stolen = await enter('LOGIN', { user: 'dora', password: 'secret' });
  t.equal((await who(stolen.value)).statusCode, 200);
  await app.inject({
    method: 'POST',
    url: '/api/commands/PASSWORD',
    payload: { old: 'secret', new: 'another' },
    headers: basic('dora'),
  });
  t.equal((await who(stolen.value)).statusCode, 401, 'a new password ends what the old one opened');
  const guest = await enter('NICK', { user: 'gus' });
  t.match((await who(guest.value)).json(), { user: 'gus', guest: true });
  t.match((await who(guest.value)).json(), { user: 'gus' }, 'the same guest again');
  t.equal((await who('g_made-up')).statusCode, 401);
});

t.test('curl sends a file, goes on with a part of it, reads conditionally, and takes a folder as a zip', async t => {
  const { ports, app } = await serveWeb(t);
  const folder = await tempDir(t);
  const content = randomBytes(700_000);
  await writeFile(join(folder, 'data.bin'), content);
  const url = `http://127.0.0.1:${ports.http}/files/lobby/`;
  const curl = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await run('curl', ['-sS', '-u', 'dora:secret', ...args]);
    t.equal(code, 0, stderr);
    return stdout;
  };
  const sent = JSON.parse(String(await curl('-T', join(folder, 'data.bin'), url)));
  t.match(sent, { path: '/lobby/data.bin', size: content.length });
  await writeFile(join(folder, 'part'), content.subarray(0, 100_000));
  await curl('-C', '-', '-o', join(folder, 'part'), `${url}data.bin`);
  t.ok(content.equals(await readFile(join(folder, 'part'))), 'the rest by a range');
  await curl('-T', join(folder, 'data.bin'), `${url}deep/er/again.bin?parents`);
  await curl('-o', join(folder, 'all.zip'), `${url}deep?zip`);
  await mkdir(join(folder, 'out'));
  const script = 'import sys,zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])';
  const { code } = await run('python3', ['-c', script, join(folder, 'all.zip'), join(folder, 'out')]);
  t.equal(code, 0);
  t.ok(content.equals(await readFile(join(folder, 'out/er/again.bin'))), 'the zip holds it whole');
  const ask = (method: 'GET' | 'PUT' | 'DELETE' | 'HEAD', headers: Record<string, string>, payload?: string) =>
    app.inject({
      method,
      url: '/files/lobby/data.bin',
      headers: { ...basic('dora'), ...headers },
      ...(payload && { payload }),
    });
  const etag = `"${sent.hash}"`;
  t.equal((await ask('GET', { 'if-none-match': etag })).statusCode, 304);
  t.match((await ask('HEAD', {})).headers, { 'content-length': String(content.length), etag });
  t.match((await ask('GET', { range: 'bytes=-5' })).headers, { 'content-range': 'bytes 699995-699999/700000' });
  t.match((await ask('GET', { range: 'bytes=800000-' })).headers, { 'content-range': 'bytes */700000' });
  t.equal((await ask('GET', { range: 'bytes=0-4', 'if-range': '"another"' })).statusCode, 200);
  t.equal((await ask('PUT', { 'if-match': `"sha256:${'0'.repeat(64)}"` }, 'new')).statusCode, 412);
  t.equal((await ask('PUT', { 'if-none-match': '*' }, 'new')).statusCode, 409);
  t.equal((await ask('PUT', { 'if-match': etag }, 'new')).statusCode, 201);
  t.equal((await ask('DELETE', { 'if-match': etag })).statusCode, 412, 'it is another one by now');
  t.equal((await ask('DELETE', {})).statusCode, 200);
  t.equal((await ask('GET', {})).statusCode, 404);
  const climbing = await app.inject({ url: '/files/lobby/..%2f..%2fetc/passwd', headers: basic('dora') });
  t.equal(climbing.statusCode, 400);
});

t.test('foreign pages, rebound names and stored content are kept from what they try', async t => {
  const { app, ports } = await serveWeb(t);
  const say = (headers: Record<string, string>) =>
    app.inject({
      method: 'POST',
      url: '/api/commands/SAY',
      headers: { host: 'localhost:80', ...basic('dora'), ...headers },
      payload: { room: 'lobby', text: 'hi' },
    });
  t.equal((await say({ origin: 'http://localhost:80' })).statusCode, 200);
  t.equal((await say({ host: 'hub.example', origin: 'https://hub.example' })).statusCode, 200, 'a name of the setting');
  for (const headers of [
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { host: 'evil.example' },
    { host: '127.0.0.1.evil.example' },
  ]) {
    t.equal((await say(headers)).statusCode, 403, JSON.stringify(headers));
  }
  for (const headers of [{ origin: 'http://evil.example' }, { host: 'evil.example' }]) {
    t.equal((await openSocket(t, ports.http, headers)).status, 403, JSON.stringify(headers));
  }
  const hostile = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
  for (const [name, how, type] of [
    ['x.svg', 'attachment', 'application/octet-stream'],
    ['x.html', 'attachment', 'application/octet-stream'],
    ['x.xml', 'attachment', 'application/octet-stream'],
    ['x.png', 'inline', 'image/png'],
    ['x.md', 'inline', 'text/plain; charset=utf-8'],
  ] as const) {
    const url = `/files/lobby/${name}`;
    t.equal((await app.inject({ method: 'PUT', url, headers: basic('dora'), payload: hostile })).statusCode, 201);
    const { headers } = await app.inject({ url, headers: basic('dora') });
    t.match(headers, {
      'content-type': type,
      'content-disposition': new RegExp(`^${how}; `),
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
    });
  }
  const put = await app.inject({
    method: 'PUT',
    url: `/files/lobby/${encodeURIComponent('a\r\nSet-Cookie: x=1')}`,
    headers: basic('dora'),
    payload: 'x',
  });
  t.equal(put.statusCode, 400, 'no line ends in a name');
  const page = await app.inject({ url: '/' });
  t.match(page.headers['content-security-policy'], /^default-src 'self';/);
  t.notMatch(page.body, /<script/);
});

t.test('a socket hears what every wire hears, asks what every wire asks, and moves octets both ways', async t => {
  const { ports, account } = await serveWeb(t);
  const dora = await account('dora');
  await dora.do('SAY', { room: 'lobby', text: 'before' });
  const cleo = await openSocket(t, ports.https, basic('cleo'), true);
  t.match(await cleo.ask('WHOAMI'), { ok: { user: 'cleo', secure: true, wire: 'web' } });
  t.match(await cleo.ask('JOIN', { room: 'lobby', after: 0 }), { ok: { room: 'lobby', last: 1 } });
  t.match(
    cleo.seen.find(({ row }) => row),
    { event: 'MSG', row: { seq: 1, text: 'before' } },
    'the replay',
  );
  await dora.do('SAY', { room: 'lobby', text: 'after \u001b[31m' });
  t.match(await cleo.until(({ events }) => events?.[0]?.['event'] === 'MSG'), {
    events: [{ seq: 2, text: 'after [31m' }],
  });
  const content = randomBytes(300_000);
  cleo.socket.send(formatBinary({ id: 'p', do: 'PUT', with: { path: '/lobby/blob' } }, content));
  t.match(await cleo.until(({ id }) => id === 'p'), { ok: { size: content.length } });
  t.match(await cleo.ask('GET', { path: '/lobby/blob' }), { ok: { size: content.length } });
  t.ok(content.equals(Buffer.concat(cleo.binary.map(message => parseBinary(message)!.content))));
  const stranger = await openSocket(t, ports.http);
  t.match(await stranger.ask('SAY', { room: 'lobby', text: 'x' }), { error: { code: 'auth-required' } });
  t.match(await stranger.ask('NICK', { user: 'eve' }), { ok: { user: 'eve' } });
  t.match(await stranger.ask('SAY', { room: 'lobby', text: 'x' }), { ok: { seq: 4 } });
});

t.test('a socket that reads too slowly is told of one GAP, which begins where its events end', async t => {
  const { ports, account, settle } = await serveWeb(t);
  const dora = await account('dora');
  const cleo = await openSocket(t, ports.http, basic('cleo'));
  await cleo.ask('JOIN', { room: 'lobby' });
  cleo.socket.pause();
  const text = 'x'.repeat(15_000);
  for (let seq = 1; seq <= 1_500; seq++) {
    await dora.do('SAY', { room: 'lobby', text });
    if (seq % 50 === 0) await settle();
  }
  cleo.socket.resume();
  const isGap = (event: Record<string, unknown>) => event['event'] === 'GAP';
  const told = await cleo.until(({ events }) => events?.some(isGap) ?? false);
  const heard = cleo.seen.flatMap(({ events = [] }) => events).filter(event => event['event'] === 'MSG');
  t.same(
    heard.map(event => event['seq']),
    heard.map((_, at) => at + 1),
  );
  t.match(told.events?.find(isGap), { room: 'lobby', from: heard.length + 1, to: 1_500 });
});

t.test('a revoked session takes its sockets with it, and a drain tells them all', async t => {
  const { app, ports, account } = await serveWeb(t);
  const login = await app.inject({
    method: 'POST',
    url: '/api/commands/LOGIN',
    payload: { user: 'cleo', password: 'secret' },
  });
  const { value = '' } = login.cookies[0]!;
  const tabs = [];
  for (let n = 0; n < 2; n++) tabs.push(await openSocket(t, ports.http, { cookie: `partyline=${value}` }));
  const cleo = await account('cleo');
  const [token] = await cleo.rows('TOKENS', {});
  t.match(await cleo.do('REVOKE', { id: String(token!['id']) }), { sessions: 2 });
  for (const tab of tabs) {
    await tab.closed;
    t.match(tab.seen.at(-1), { events: [{ event: 'BYE', reason: 'revoked' }] });
  }
  const entered = await app.inject({ method: 'POST', url: '/api/commands/NICK', payload: { user: 'gus' } });
  const guest = await openSocket(t, ports.http, { cookie: `partyline=${entered.cookies[0]!.value}` });
  t.match(await guest.ask('WHOAMI'), { ok: { user: 'gus', guest: true } });
  t.match(await guest.ask('NICK', { user: 'gil' }), { error: { code: 'conflict' } }, 'the name is the cookie’s');
  const closing = app.close();
  const code = await guest.closed;
  t.equal(code, 1001);
  t.match(guest.seen.at(-1), { events: [{ event: 'BYE', reason: 'shutting-down' }] });
  await closing;
});

t.test('a socket takes a place like any connection, and comes from where a trusted proxy says', async t => {
  const places = new Places(1);
  const { ports, hub, account } = await serveWeb(t, { places, proxies: ['127.0.0.1', '10.0.0.0/8'] });
  const { session } = await account('admin');
  await hub.execute(session, 'BLOCK', { address: '192.0.2.7' });
  const forwarded = (hops: string) => ({ 'x-forwarded-for': hops });
  const blocked = await openSocket(t, ports.http, forwarded('198.51.100.1, 192.0.2.7, 10.0.0.3'));
  t.not(blocked.status, 101, 'the nearest hop that is no proxy is the peer');
  const socket = await openSocket(t, ports.http, forwarded('192.0.2.7, 198.51.100.1'));
  t.equal(socket.status, 101, 'what a stranger wrote before it is not believed');
  t.equal(places.taken, 1);
  t.equal((await openSocket(t, ports.http)).status, 503);
  socket.socket.close();
  await socket.closed;
  for (let status = 0; status !== 101; ) ({ status } = await openSocket(t, ports.http));
  t.match(await (await openSocket(t, ports.https, {}, true)).status, 503);
});

t.test('whatever comes as a message is answered or refused, and the next one is in step', async t => {
  const { ports } = await serveWeb(t);
  const { socket, ask, status } = await openSocket(t, ports.http, basic('cleo'));
  t.equal(status, 101);
  const names = Object.keys(commands).filter(
    name => !['PASSWORD', 'LOGIN', 'TOKEN', 'NICK', 'REGISTER'].includes(name),
  );
  const hostile = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .record({ id: fc.string(), do: fc.constantFrom(...names), with: fc.dictionary(fc.string(), fc.jsonValue()) })
      .map(message => JSON.stringify(message)),
    fc.uint8Array({ maxLength: 64 }),
  );
  for (const message of fc.sample(hostile, 2_000)) socket.send(message);
  t.match(await ask('WHOAMI'), { ok: { user: 'cleo' } });
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.uint8Array(), (fields, content) => {
      const parsed = parseBinary(formatBinary({ id: '1', do: 'PUT', with: fields }, content))!;
      return (
        JSON.stringify(parsed.head) === JSON.stringify({ id: '1', do: 'PUT', with: fields }) &&
        Buffer.from(content).equals(parsed.content)
      );
    }),
  );
});

t.test('the descriptions name every command and event, pages have no script, and metrics no people', async t => {
  const { app } = await serveWeb(t);
  const open = (await app.inject({ url: '/openapi.json' })).json();
  const { GET: _, ...served } = commands;
  for (const name of Object.keys(served)) t.ok(open.paths[`/api/commands/${name}`].post.summary, name);
  const { messages } = (await app.inject({ url: '/asyncapi.json' })).json().components;
  for (const name of Object.keys(eventSchemas)) t.ok(messages[name], name);
  const contents = await app.inject({ url: '/docs/' });
  const links = [...contents.body.matchAll(/href="(\/docs\/[^"]+)"/g)].map(([, link]) => link!);
  t.ok(links.length > 3);
  for (const link of links) {
    const { statusCode, body } = await app.inject({ url: link });
    t.equal(statusCode, 200, link);
    for (const [, to] of body.matchAll(/href="((?!https?:|#|mailto:)[^"#]+)/g)) {
      const target = new URL(to!, `http://hub${link}`).pathname;
      t.equal((await app.inject({ url: target })).statusCode, 200, `${link} → ${target}`);
    }
  }
  t.equal((await app.inject({ url: '/docs/..%2fpackage.json' })).statusCode, 404);
  const metrics = await app.inject({ url: '/metrics' });
  t.match(metrics.body, /^partyline_http_requests_total{status="2xx"} \d+$/m);
  const remote = await app.inject({ url: '/metrics', remoteAddress: '10.0.0.9' });
  t.equal(remote.statusCode, 401);
});
