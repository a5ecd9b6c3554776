/** The TELNET wire in this process over a hub in memory, on a free port. */
import Fastify from 'fastify';
import type { Test } from 'tap';
import { ownCertificate } from '../../server/certificate.ts';
import { Places } from '../../server/net/places.ts';
import { systemClock } from '../../server/net/system-clock.ts';
import { telnetWire } from '../../server/wires/telnet/index.ts';
import { type TestHub, testHub } from './hub.ts';

/** The account `ada` has the password `secret`. Ends with the test. */
export async function serveTelnet(
  t: Test,
): Promise<{ readonly people: TestHub; readonly port: number; drain(): Promise<void> }> {
  const people = await testHub({ name: 'den' });
  people.hub.disconnect((await people.account('ada')).session);
  const { key, cert } = await ownCertificate(undefined);
  const app = Fastify({ logger: { level: 'warn', stream: process.stderr } });
  let port = 0;
  app.register(telnetWire, {
    hub: people.hub,
    clock: systemClock,
    host: '127.0.0.1',
    port: 0,
    tls: { port: 0, key, cert },
    guests: true,
    registration: false,
    routes: ({ path, way, host }) => [`${way} ${host}${path}`],
    places: new Places(5_000),
    onListening: (name, _address, number) => {
      if (name === 'telnet') port = number;
    },
  });
  await app.ready();
  t.teardown(() => app.close());
  return { people, port, drain: () => app.close() };
}
