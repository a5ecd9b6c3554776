/** R19: every role and action, asked by every way in, gets the table's answer with the code of its kind. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { connect, type Hub, password, type Verb } from '../client/index.ts';
import { type Role, roleActions } from '../server/hub/permissions.ts';
import { type Action, actions } from '../shared/commands/command.ts';
import { commands } from '../shared/commands/index.ts';
import { type ErrorCode, errors, isErrorCode } from '../shared/errors.ts';
import { formatFrame } from '../shared/line/grammar.ts';
import { requestWords } from '../shared/line/request.ts';
import { roleNames } from '../shared/model.ts';
import { bindFtp, dialData, enter } from './support/ftp-server.ts';
import { connectLine } from './support/line-client.ts';
import { type LineServer, serveLine } from './support/line-server.ts';
import { startServer } from './support/server-process.ts';
import { tempDir } from './support/temp-dir.ts';
import { cleanEnv, run } from './support/tools.ts';
import { basic, openSocket } from './support/web-client.ts';
import { bindWeb } from './support/web-server.ts';

const isLong = process.env['PARTYLINE_TEST_LONG'] === '1';
const commandLine = fileURLToPath(new URL('../client/cli/main.js', import.meta.url));
t.setTimeout(600_000);

interface Try {
  readonly verb: Verb;
  readonly input: Readonly<Record<string, string | number>>;
  /** The same for the command line; `URL` stands for the address with the person. */
  readonly words: readonly string[];
}

/** `n` makes what is tried its own for each role and way. */
const tries: Readonly<Record<Action, (n: string) => Try>> = {
  see: () => ({ verb: 'TOPIC', input: { room: 'den' }, words: ['room', 'topic', 'URL/den'] }),
  read: () => ({ verb: 'HISTORY', input: { room: 'den' }, words: ['room', 'roles', 'URL/den'] }),
  post: () => ({ verb: 'SAY', input: { room: 'den', text: 'hi' }, words: ['say', 'URL/den', 'hi'] }),
  list: () => ({ verb: 'LS', input: { path: '/den' }, words: ['ls', 'URL/den'] }),
  download: () => ({ verb: 'GET', input: { path: '/den/theirs' }, words: ['cat', 'URL/den/theirs'] }),
  upload: n => ({ verb: 'MKDIR', input: { path: `/den/made-${n}` }, words: ['mkdir', `URL/den/made-${n}`] }),
  overwrite: n => ({
    verb: 'PUT',
    input: { path: `/den/own-${n}`, mode: 'replace', size: 1 },
    words: ['put', 'FILE', `URL/den/own-${n}`],
  }),
  'delete-own': n => ({ verb: 'RM', input: { path: `/den/old-${n}` }, words: ['rm', `URL/den/old-${n}`] }),
  'delete-any': n => ({ verb: 'RM', input: { path: `/den/any-${n}` }, words: ['rm', `URL/den/any-${n}`] }),
  invite: () => ({ verb: 'INVITE', input: { room: 'den' }, words: ['invite', 'make', 'URL/den'] }),
  moderate: () => ({ verb: 'BANS', input: { room: 'den' }, words: ['room', 'bans', 'URL/den'] }),
  manage: () => ({
    verb: 'VISIBILITY',
    input: { room: 'den', visibility: 'private' },
    words: ['room', 'visibility', 'URL/den', 'private'],
  }),
};

/** A way in: gives `ok`, or the code with which the try is refused. */
type Way = (t: Test, server: LineServer, user: string) => Promise<(tried: Try) => Promise<string>>;

const onLine =
  (encode: (tried: Try) => string): Way =>
  async (t, { ports }, user) => {
    const client = await connectLine(t, ports.line);
    client.send(`LOGIN ${user} :secret`);
    await client.until(/^\+ LOGIN/);
    return async tried => {
      client.send(encode(tried));
      const last = (await client.until(new RegExp(`^[-+] ${tried.verb} `))).at(-1)!;
      return last.startsWith('+') ? 'ok' : last.split(' ')[2]!;
    };
  };

/** The same hub over the web wire; GET and PUT have their own form there. */
const onWeb =
  (form: 'http' | 'socket'): Way =>
  async (t, { hub }, user) => {
    const { ports } = await bindWeb(t, hub);
    if (form === 'socket') {
      const { ask } = await openSocket(t, ports.http, basic(user));
      return async ({ verb, input }) => (await ask(verb, input)).error?.code ?? 'ok';
    }
    return async ({ verb, input }) => {
      const headers = { ...basic(user), 'content-type': 'application/json' };
      const base = `http://127.0.0.1:${ports.http}`;
      const answer = await (verb === 'GET'
        ? fetch(`${base}/files${input['path']}`, { headers: basic(user) })
        : fetch(`${base}/api/commands/${verb}`, { method: 'POST', headers, body: JSON.stringify(input) }));
      if (answer.ok) return 'ok';
      const { error } = (await answer.json()) as { error: { code: ErrorCode } };
      return answer.status === errors[error.code].http ? error.code : `status ${answer.status}`;
    };
  };

/** What FTP has no verb for is not tried. */
const onFtp: Way = async (t, { hub }, user) => {
  const { ports } = await bindFtp(t, hub);
  const control = await enter(t, ports.ftp, user);
  return async ({ verb, input: { path } }) => {
    const spoken = { LS: 'STAT', GET: 'RETR', MKDIR: 'MKD', PUT: 'STOR', RM: 'RMD' }[verb as string];
    if (spoken === undefined) return 'no verb';
    const isTransfer = verb === 'GET' || verb === 'PUT';
    const data = isTransfer && (await dialData(t, await control.passivePort()));
    const first = await control.ask(`${spoken} ${path}`);
    if (data) data.end().resume();
    if (!/^[45]/.test(first)) return isTransfer ? (await control.reply()).replace(/^226 .*/, 'ok') : 'ok';
    // What a dropper does not see is not there for them.
    return first.replace(/^55[03] There is no room.*/, 'no-room').replace(/^55[03] .*/, 'forbidden');
  };
};

const ways: Readonly<Record<string, Way>> = {
  ftp: onFtp,
  http: onWeb('http'),
  websocket: onWeb('socket'),
  'line, words': onLine(({ verb, input }) => {
    const { words, fields } = requestWords(commands[verb as keyof typeof commands], input);
    return formatFrame({ marker: '', name: verb, words, fields }, { lineEnd: '\n', form: 'words' }).trimEnd();
  }),
  'line, JSON': onLine(({ verb, input }) => `${verb} ${JSON.stringify(input)}`),
  library: async (t, { ports }, user) => {
    const hub: Hub = await connect(`pl://${user}@127.0.0.1:${ports.line}`, {
      auth: password('secret'),
      reconnect: false,
    });
    t.teardown(() => hub.destroy());
    return async ({ verb, input }) =>
      hub.request(verb, input as never, { onRow: () => undefined }).then(
        () => 'ok',
        error => error.code,
      );
  },
  'command line': async (t, { ports }, user) => {
    const folder = await tempDir(t);
    await mkdir(join(folder, 'c'));
    await writeFile(join(folder, 'file'), 'another');
    const env = cleanEnv({ XDG_CONFIG_HOME: join(folder, 'c'), PARTYLINE_PASSWORD: 'secret' });
    return async ({ words }) => {
      const url = `pl://${user}@127.0.0.1:${ports.line}`;
      const args = words.map(word => (word === 'FILE' ? join(folder, 'file') : word.replace('URL', url)));
      const { code, stderr } = await run(process.execPath, [commandLine, ...args], { env });
      return code === 0 ? 'ok' : `exit ${code}: ${stderr}`;
    };
  },
};

const expectedOf = (role: string, action: Action) => {
  // What a dropper puts where something stands gets a name of its own.
  if (role === 'dropper' && action === 'overwrite') return 'ok';
  // Of a listing a dropper gets what is theirs.
  if (role === 'dropper' && action === 'list') return 'ok';
  if (roleActions[role as Role].includes(action)) return 'ok';
  return role === 'none' ? 'no-room' : 'forbidden';
};

t.test('the table answers on every way in', async t => {
  const server = await serveLine(t);
  const ask = async (user: string) => ways['line, JSON']!(t, server, user);
  const dora = await ask('dora');
  const make = async (who: (tried: Try) => Promise<string>, verb: Verb, input: Try['input']) =>
    t.equal(await who({ verb, input, words: [] }), 'ok', `${verb} ${JSON.stringify(input)}`);
  const putAs = async (user: string, path: string) => {
    const client = await connectLine(t, server.ports.line);
    client.send(`LOGIN ${user} :secret\n{1} PUT ${path}\nx`);
    await client.until(/^\+ PUT/);
    client.finish();
  };
  await make(dora, 'CREATE', { room: 'den' });
  await putAs('dora', '/den/theirs');
  await make(dora, 'VISIBILITY', { room: 'den', visibility: 'private' });
  for (const [way, enter] of Object.entries(ways)) {
    const isProcess = way === 'command line';
    const cleo = await ask('cleo');
    const person = await enter(t, server, 'cleo');
    for (const role of isProcess && !isLong ? (['reader'] as const) : roleNames) {
      const n = `${way.replaceAll(/\W/g, '')}-${role}`;
      await make(dora, 'ROLE', { room: 'den', user: 'cleo', role: 'member' });
      await putAs('cleo', `/den/own-${n}`);
      await make(cleo, 'MKDIR', { path: `/den/old-${n}` });
      await make(dora, 'MKDIR', { path: `/den/any-${n}` });
      await make(dora, 'ROLE', { room: 'den', user: 'cleo', role });
      for (const action of actions) {
        const answer = await person(tries[action](n));
        if (answer === 'no verb') continue;
        const expected = expectedOf(role, action);
        if (!isProcess || expected === 'ok') t.equal(answer, expected, `${way}: ${role} ${action}`);
        else if (isErrorCode(expected))
          t.match(answer, new RegExp(`^exit ${errors[expected].exit}: `), `${way}: ${role} ${action}`);
      }
    }
  }
});

t.test(
  'an address that is kept out is refused on every listener with the reason, and what is open from it ends',
  async t => {
    const { hub, ports } = await serveLine(t);
    const from = { localAddress: '127.0.0.9' };
    const connected = await connectLine(t, ports.line, from);
    connected.send('NICK eve\nJOIN lobby');
    await connected.until(/^\+ JOIN/);
    const nameless = await connectLine(t, ports.line, from);
    await nameless.line();
    const admin = hub.connect({ wire: 'test', address: '127.0.0.1', secure: true, loopback: true });
    await hub.execute(admin, 'LOGIN', { user: 'admin', password: 'secret' });
    await hub.execute(admin, 'BLOCK', { address: '127.0.0.9', reason: 'noise' });
    t.equal(await connected.line(), '* BYE reason=revoked replies=2');
    t.match(await nameless.line(), /^\* BYE reason=revoked /, 'also who has not said a name yet');
    for (const tls of [false, true]) {
      const refused = await connectLine(t, tls ? ports['line-tls'] : ports.line, { ...from, tls });
      refused.finish();
      t.equal(
        String(await refused.rest()),
        '- ? banned :your address is kept out of this hub: noise\n* BYE reason=revoked replies=1\n',
      );
    }
    const other = await connectLine(t, ports.line);
    t.match(await other.line(), /^\* PARTYLINE/);
  },
);

t.test('from the first start to an invited guest and a device, by the command line alone', async t => {
  const server = await startServer(t, { dataDir: join(await tempDir(t), 'data') });
  const config = await tempDir(t);
  const pl = async (secret: Readonly<Record<string, string>>, ...args: readonly string[]) => {
    const result = await run(process.execPath, [commandLine, ...args], {
      env: cleanEnv({ XDG_CONFIG_HOME: config, ...secret }),
    });
    return `${result.stdout}${result.stderr}`;
  };
  const asAda = { PARTYLINE_PASSWORD: 'first' };
  const link = /partyline register '(pl:\/\/\S+)'/.exec(server.output())?.[1] ?? '';
  const own = link.replace('NAME', 'ada');
  t.equal(await pl(asAda, 'register', own), 'account ada (administrator) made\n');
  t.match(await pl(asAda, 'register', own.replace('ada', 'eve')), /^partyline: this invite does not open/, 'once');
  const url = `pl://ada@127.0.0.1:${server.ports.line}`;
  t.match(await pl(asAda, 'room', 'create', `${url}/yard`, 'behind', 'the', 'house'), /^room {2}yard\n$/);
  t.match(await pl(asAda, 'room', 'visibility', `${url}/yard`, 'private'), /^visibility {2}private$/m);
  t.match(await pl(asAda, 'room', 'list', url), /^yard +0 +0 +behind the house$/m);
  t.match(await pl(asAda, 'room', 'list', '--json', url), /^{"room":"yard",.*"text":"behind the house"}$/m);
  const invite = await pl(asAda, 'invite', 'make', `${url}/yard`, '--role', 'reader');
  const guestLink = /^use +partyline chat '(\S+)'$/m.exec(invite)?.[1]?.replace('NAME', 'gus') ?? '';
  t.equal(await pl({}, 'ls', guestLink), '', 'a guest reads in the private room');
  const token =
    /^token +(pl_\S+)$/m.exec(await pl(asAda, 'token', 'make', url, '--device', 'cam', '--room', 'yard'))?.[1] ?? '';
  t.equal(await pl({ PARTYLINE_TOKEN: token }, 'say', `${url}/yard`, 'motion'), '');
  t.match(await pl(asAda, 'search', `${url}/yard`, 'motion'), /^yard 1 {2}\d{4}-\d\d-\d\d \d\d:\d\d cam: motion\n$/);
  t.match(await pl(asAda, 'stats', url), /^line +1 +1\n.*^events +\d+$/ms);
  t.match(await pl(asAda, 'session', 'list', url), /^\S+ +ada +1 +line +127\.0\.0\.1 +\S+$/m);
  const changed = { ...asAda, PARTYLINE_NEW_PASSWORD: 'second' };
  t.equal(await pl(changed, 'password', url), 'account ada has a new password\n');
  t.match(await pl(asAda, 'room', 'list', url), /^partyline: the name or the password is wrong/);
});
