/** Settings from flags, environment and file: who wins, what is refused and with which words, and the certificate's files. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import t from 'tap';
import { ownCertificate, readCertificate } from '../server/certificate.ts';
import { environmentKey, readSettings, type SettingName, SettingsError, settingsTable } from '../server/settings.ts';
import { settingsFrom } from '../server/settings-sources.ts';
import { tempDir } from './support/temp-dir.ts';

interface Given {
  readonly flags?: Record<string, string>;
  readonly environment?: Record<string, string>;
  readonly file?: string;
}

const read = ({ flags = {}, environment = {}, file }: Given) =>
  readSettings({ flags, environment, file, dataDir: '/var/lib/hub' });

const refusal = (given: Given): string => {
  try {
    read(given);
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  return 'nothing was refused';
};

t.test('without any word the server is on loopback, on the published ports, with guests', async t => {
  const { settings, origins, warnings } = read({});
  t.match(settings, {
    host: '127.0.0.1',
    'data-dir': '/var/lib/hub',
    'http-port': 7080,
    'https-port': 7443,
    'line-port': 7070,
    'line-tls-port': 7071,
    'telnet-port': 7023,
    'telnet-tls-port': 7024,
    'ftp-port': 7021,
    'ftp-tls-port': 7022,
    'ftp-passive-ports': { first: 7100, last: 7139 },
    guests: true,
    ephemeral: false,
    'clear-passwords': false,
  });
  t.same(new Set(Object.values(origins)), new Set(['default']));
  t.same(warnings, []);
});

t.test('a flag wins over the environment, that over the file, that over the default', async t => {
  const file = 'line-port = 1\nhttp-port = 1\ntelnet-port = 1\n';
  const environment = { PARTYLINE_LINE_PORT: '2', PARTYLINE_HTTP_PORT: '2' };
  const { settings, origins } = read({ flags: { 'line-port': '3' }, environment, file });
  t.match(settings, { 'line-port': 3, 'http-port': 2, 'telnet-port': 1, 'ftp-port': 7021 });
  t.match(origins, { 'line-port': 'flag', 'http-port': 'environment', 'telnet-port': 'file', 'ftp-port': 'default' });
});

t.test('a variable that is set to nothing is one that is not set', async t => {
  const { settings, origins } = read({ environment: { PARTYLINE_LINE_PORT: '', PARTYLINE_HOST: '' } });
  t.match(settings, { 'line-port': 7070, host: '127.0.0.1' });
  t.match(origins, { 'line-port': 'default', host: 'default' });
});

t.test('guests are let in while the host is loopback, unless somebody says otherwise', async t => {
  const guests = (host: string, said?: string) =>
    read({ flags: { host }, environment: said === undefined ? {} : { PARTYLINE_GUESTS: said } }).settings.guests;
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) t.equal(guests(host), true, host);
  for (const host of ['0.0.0.0', '::', '10.0.0.5', 'den']) t.equal(guests(host), false, host);
  t.equal(guests('0.0.0.0', 'on'), true);
  t.equal(guests('127.0.0.1', 'off'), false);
});

t.test('proxies are a list of addresses and ranges, as words or as a list in the file', async t => {
  const trusted = (given: Given) => read(given).settings['trust-proxy'];
  t.same(trusted({}), []);
  t.same(trusted({ flags: { 'trust-proxy': '127.0.0.2, 10.0.0.0/8,fd00::/8' } }), [
    '127.0.0.2',
    '10.0.0.0/8',
    'fd00::/8',
  ]);
  t.same(trusted({ file: 'trust-proxy = ["::1"]' }), ['::1']);
  for (const wrong of ['den', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', 'fe80::1%eth0', ',', '::1,']) {
    t.match(refusal({ flags: { 'trust-proxy': wrong } }), /trust-proxy \(flag\): .* is not a list of addresses/, wrong);
  }
});

t.test('an unknown flag or key of the file is refused with what was probably meant', async t => {
  t.match(refusal({ flags: { 'line-prt': '1' } }), /no setting --line-prt; did you mean line-port\?/);
  t.match(refusal({ file: 'hostt = "::1"' }), /the file: hostt; did you mean host\?/);
  t.match(refusal({ flags: { zzz: '1' } }), /--help lists them/);
  t.match(refusal({ file: 'host = = 1' }), /not TOML/);
});

t.test('flags as they are typed: what is missing, too much or not there is said', async t => {
  t.match((await settingsFrom(['--line-port', '9', '--guests=off', '--ephemeral'], {})).settings, {
    'line-port': 9,
    guests: false,
    ephemeral: true,
  });
  const folder = await tempDir(t);
  const cases: readonly (readonly [args: readonly string[], why: RegExp])[] = [
    [['--line-prt', '1'], /no setting --line-prt; did you mean line-port\?/],
    [['--line-port'], /--line-port needs a value/],
    [['--guests', 'off'], /off: .*--name=on or --name=off/],
    [['--config', join(folder, 'none.toml')], /settings file cannot be read: ENOENT/],
  ];
  for (const [args, why] of cases) await t.rejects(settingsFrom(args, {}), why);
  await writeFile(join(folder, 'hub.toml'), 'line-port = 8');
  t.match(await settingsFrom(['--config', join(folder, 'hub.toml')], {}), {
    settings: { 'line-port': 8 },
    origins: { 'line-port': 'file' },
  });
});

t.test('an unknown key of the environment is a warning, and the secrets of clients are none of ours', async t => {
  const secrets = { PARTYLINE_PASSWORD: 'hush-1', PARTYLINE_TOKEN: 'hush-2' };
  const { warnings, settings } = read({ environment: { ...secrets, PARTYLINE_LINE_PROT: '1', OTHER: '1' } });
  t.same(warnings, ['there is no setting PARTYLINE_LINE_PROT; did you mean line-port?']);
  t.notMatch(JSON.stringify(settings), /hush/);
});

t.test('a value that cannot be is refused with its name, its origin and what it would have to be', async t => {
  const cases: readonly (readonly [name: SettingName, value: string, why: RegExp])[] = [
    ['line-port', '65536', /not a port/],
    ['line-port', '-1', /not a port/],
    ['line-port', '7070x', /not a port/],
    ['line-port', '1e3', /not a port/],
    ['guests', 'perhaps', /neither on nor off/],
    ['log-level', 'loud', /none of fatal, error/],
    ['connections-max', '0', /not a number of connections/],
    ['ballast-octets', '1.5', /not a number of octets/],
    ['ftp-passive-ports', '7139-7100', /neither a port nor a range/],
    ['ftp-masquerade', '10.0.0.5', /not a list such as/],
    ['ftp-tls-binding', 'maybe', /none of off, prefer/],
    ['wire-view', 'on', /none of off, states/],
    ['linger-close', 'a while', /not a time such as/],
    ['hub-name', 'a b', /letters, digits/],
    ['tls-cert', 'cert.pem', /go together/],
  ];
  for (const [name, value, why] of cases) {
    t.match(refusal({ environment: { [environmentKey(name)]: value } }), why, `${name}=${value}`);
  }
  t.match(refusal({ environment: { PARTYLINE_LINE_PORT: 'x' } }), /^line-port \(environment\): "x"/);
  t.match(refusal({ file: 'line-port = true' }), /^line-port \(file\): true is not a port/);
});

t.test('every setting can be given by each of the three ways', async t => {
  const odd: Partial<Record<SettingName, string>> = {
    host: '127.0.0.2',
    'data-dir': '/d',
    'hub-name': 'den',
    'ftp-passive-ports': '1-2',
    'ftp-masquerade': '10.0.0.0/8=10.0.0.5',
    'ftp-tls-binding': 'off',
    'tls-cert': 'c',
    'tls-key': 'k',
    'log-level': 'warn',
    'trust-proxy': '127.0.0.9',
    'wire-view': 'off',
    'linger-close': '150ms',
  };
  const names = Object.keys(settingsTable) as SettingName[];
  const isSwitch = (name: SettingName) =>
    ['ephemeral', 'guests', 'registration', 'clear-passwords', 'webhooks', 'ftp-acceleration', 'ftp-private'].includes(
      name,
    );
  const values = Object.fromEntries(names.map(name => [name, odd[name] ?? (isSwitch(name) ? 'on' : '9')]));
  const environment = Object.fromEntries(names.map(name => [environmentKey(name), values[name]!]));
  const file = names.map(name => `${name} = ${JSON.stringify(values[name])}`).join('\n');
  const byFlag = read({ flags: values }).settings;
  t.same(Object.keys(byFlag).sort(), [...names].sort());
  t.same(read({ environment }).settings, byFlag);
  t.same(read({ file }).settings, byFlag);
});

t.test('the certificate is made once, is for this machine, and its key is for its owner alone', async t => {
  const folder = await tempDir(t);
  const made = await ownCertificate(folder);
  t.equal(made.isNew, true);
  const { subjectAltName } = new X509Certificate(made.cert);
  for (const name of ['DNS:localhost', 'IP Address:127.0.0.1', 'IP Address:0:0:0:0:0:0:0:1']) {
    t.match(subjectAltName, name);
  }
  t.equal((await stat(join(folder, 'key.pem'))).mode & 0o777, 0o600);
  t.match(await ownCertificate(folder), { fingerprint: made.fingerprint, isNew: false });
});

t.test('a certificate that has run out, or whose key is another’s, is replaced', async t => {
  const folder = await tempDir(t);
  const day = 86_400_000;
  const old = await generate([{ name: 'commonName', value: 'old' }], {
    keyType: 'ec',
    notBeforeDate: new Date(Date.now() - 2 * day),
    notAfterDate: new Date(Date.now() - day),
  });
  await writeFile(join(folder, 'cert.pem'), old.cert);
  await writeFile(join(folder, 'key.pem'), old.private);
  const renewed = await ownCertificate(folder);
  t.equal(renewed.isNew, true);
  t.ok(new X509Certificate(renewed.cert).checkPrivateKey(createPrivateKey(await readFile(join(folder, 'key.pem')))));
  await writeFile(join(folder, 'key.pem'), old.private);
  await t.rejects(readCertificate(join(folder, 'cert.pem'), join(folder, 'key.pem')), /does not belong/);
  t.match(await ownCertificate(folder), { isNew: true });
});
