/** The line wire in this process over a hub in memory: plain and TLS on free ports, with a clock that a test may turn. */
import Fastify from 'fastify';
import type { Test } from 'tap';
import { type Certificate, ownCertificate } from '../../server/certificate.ts';
import type { Hub } from '../../server/hub/hub.ts';
import { Places } from '../../server/net/places.ts';
import { Proxies } from '../../server/net/proxies.ts';
import { systemClock } from '../../server/net/system-clock.ts';
import { lineWire } from '../../server/wires/line/index.ts';
import type { Clock } from '../../shared/clock.ts';
import { testHub } from './hub.ts';

export interface LineServer {
  readonly hub: Hub;
  readonly ports: { line: number; 'line-tls': number };
  /** Drains and closes; the teardown does it too. */
  close(): Promise<void>;
}

export interface LineServerOptions {
  readonly clock?: Clock;
  readonly connectionsMax?: number;
  readonly guests?: boolean;
  readonly certificate?: Certificate;
  /** Default: as many as `connectionsMax`. */
  readonly places?: Places;
  /** Addresses whose connections begin with a PROXY header. */
  readonly proxies?: readonly string[];
}

/** The accounts `cleo`, `dora` and `admin`, an administrator, have the password `secret`. Ends with the test. */
export async function serveLine(t: Test, options: LineServerOptions = {}): Promise<LineServer> {
  const { clock = systemClock, connectionsMax = 10_000, guests = true } = options;
  const certificate = options.certificate ?? (await ownCertificate(undefined));
  const { hub, account } = await testHub({
    name: 'den',
    clock,
    settings: { guests, clearPasswords: false, registration: false },
  });
  for (const name of ['cleo', 'dora', 'admin']) hub.disconnect((await account(name)).session);
  const ports = { line: 0, 'line-tls': 0 };
  const app = Fastify({ logger: false });
  await app.register(lineWire, {
    hub,
    clock,
    host: '127.0.0.1',
    port: 0,
    tls: { port: 0, key: certificate.key, cert: certificate.cert },
    guests,
    places: options.places ?? new Places(connectionsMax),
    ...(options.proxies && { proxies: new Proxies(options.proxies) }),
    onListening: (name, _address, port) => {
      ports[name] = port;
    },
  });
  await app.ready();
  const close = () => app.close();
  t.teardown(close);
  return { hub, ports, close };
}

/** The machine's clock until it is turned: timers that are due run at once, in order. */
export class TurnedClock implements Clock {
  #aheadMs = 0;
  readonly #timers = new Set<{ readonly atMs: number; readonly run: () => void }>();

  now(): number {
    return systemClock.now() + this.#aheadMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.now() + delayMs, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  soon(run: () => void): void {
    systemClock.soon(run);
  }

  turn(ms: number): void {
    this.#aheadMs += ms;
    const due = [...this.#timers].filter(({ atMs }) => atMs <= this.now()).sort((a, b) => a.atMs - b.atMs);
    for (const timer of due) {
      if (this.#timers.delete(timer)) timer.run();
    }
  }
}
