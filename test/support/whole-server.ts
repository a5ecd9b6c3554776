/** The whole application in this process, in memory, on free ports: for tests of what spans its wires. */
import type { Test } from 'tap';
import { startApp } from '../../server/app.ts';
import { ownCertificate } from '../../server/certificate.ts';
import type { Passwords } from '../../server/hub/host.ts';
import { accountDocument } from '../../server/hub/people.ts';
import { systemClock } from '../../server/net/system-clock.ts';
import { readSettings } from '../../server/settings.ts';
import { memoryBlobs } from '../../server/store/memory/blobs.ts';
import { memoryStore } from '../../server/store/memory/store.ts';

const plainPasswords: Passwords = {
  hash: async password => `plain$${password}`,
  verify: async (password, stored) => stored === `plain$${password}`,
};

const certificate = await ownCertificate(undefined);

/** The accounts ada, bob and chief, an administrator, have this password. `flags`: settings by name. Ends with the test. */
export async function serveWhole(t: Test, password: string, flags: Readonly<Record<string, string>> = {}) {
  const ports = new Map<string, number>();
  const store = memoryStore();
  for (const name of ['ada', 'bob', 'chief']) {
    const { key, value } = accountDocument(name as never, `plain$${password}`, name === 'chief', 0);
    await store.commit([{ kind: 'put-document', document: 'account', key, value }]);
  }
  const names = ['http', 'https', 'line', 'line-tls', 'telnet', 'telnet-tls', 'ftp', 'ftp-tls'];
  const free = Object.fromEntries(names.map(name => [`${name}-port`, '0']));
  const { settings } = readSettings({
    flags: { ...free, 'ftp-passive-ports': '0', 'log-level': 'warn', ...flags },
    environment: {},
    dataDir: '/nowhere',
  });
  const app = await startApp({
    settings,
    store,
    blobs: memoryBlobs(),
    passwords: plainPasswords,
    clock: systemClock,
    certificate,
    onListening: (name, _address, port) => void ports.set(name, port),
  });
  t.teardown(() => app.close());
  return { port: (name: string) => ports.get(name)! };
}
