/** Settings: which source wins, what is refused and with what advice. */
import t from 'tap';
import { readSettings, type Sources } from '../server/settings.ts';

const read = (sources: Partial<Sources>) => readSettings({ flags: {}, environment: {}, dataDir: '/data', ...sources });

t.test('flags come before the environment, the environment before the file, the file before the default', async t => {
  const environment = { PARTYLINE_LINE_PORT: '2', PARTYLINE_HTTP_PORT: '2' };
  const file = 'line-port = 3\nhttp-port = 3\nhub-name = "den"';
  const { settings, origins } = read({ flags: { 'line-port': '1' }, environment, file });
  t.match(settings, { 'line-port': 1, 'http-port': 2, 'hub-name': 'den', 'line-tls-port': 7071, 'data-dir': '/data' });
  t.match(origins, { 'line-port': 'flag', 'http-port': 'environment', 'hub-name': 'file', 'line-tls-port': 'default' });
});

t.test('guests may enter while the host is loopback, or when somebody says so', async t => {
  t.equal(read({}).settings.guests, true);
  t.equal(read({ flags: { host: '0.0.0.0' } }).settings.guests, false);
  t.equal(read({ flags: { host: '0.0.0.0', guests: 'on' } }).settings.guests, true);
  t.equal(read({ environment: { PARTYLINE_GUESTS: 'off' } }).settings.guests, false);
});

t.test('a key that is not known is an error with a suggestion, in the environment a warning', async t => {
  t.throws(() => read({ flags: { 'line-prot': '1' } }), /did you mean line-port\?/);
  t.throws(() => read({ file: 'colour = 1' }), /there is no setting the file: colour/);
  t.match(read({ environment: { PARTYLINE_LIEN_PORT: '1', PARTYLINE_PASSWORD: 'x' } }).warnings, [
    /did you mean line-port\?/,
  ]);
});

t.test('a value that cannot be is refused by name', async t => {
  t.throws(() => read({ flags: { 'line-port': '70000' } }), /line-port \(flag\)/);
  t.throws(() => read({ environment: { PARTYLINE_GUESTS: 'maybe' } }), /guests \(environment\): "maybe" is on or off/);
  t.throws(() => read({ file: 'line-port = ' }), /is not TOML/);
  t.throws(() => read({ flags: { 'tls-cert': 'a.pem' } }), /go together/);
});
