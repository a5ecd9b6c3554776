/** The role that sits at terminals: sessions of TELNET that are silent, type and talk, or wait for the echo of each key. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { systemClock } from '../../server/net/system-clock.ts';
import { delay } from '../../shared/clock.ts';
import { quantile } from '../statistics.ts';
import type { Latency } from './prober.ts';
import { nowMs, serveRole } from './role.ts';

export type TypistsRequest =
  /** Sessions in the lobby, as terminals that know colours. */
  | { readonly do: 'open'; readonly port: number; readonly count: number; readonly prefix: string }
  /** Answered at once: each of them types a key every so often, and sends each twentieth time what it typed. */
  | { readonly do: 'type'; readonly everyMs: number }
  /** One further session types a key when the one before is shown, for so long. */
  | { readonly do: 'probe'; readonly port: number; readonly forMs: number };

const openedAtOnce = 4;
const keysPerLine = 20;
/** Nobody else writes these. */
const rare = ['Ω', 'Ж', 'Щ', 'Ф', 'Ю', 'Я'];
const [terminalType, terminalIs] = [
  Buffer.of(255, 253, 24),
  Buffer.from('\xff\xfa\x18\x00XTERM-256COLOR\xff\xf0', 'latin1'),
];
const sessions: Socket[] = [];

/** Resolves when what comes holds the words. */
function until(socket: Socket, words: string | Buffer): Promise<void> {
  let held = Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error(`the connection ended before “${words}”`));
    const look = (octets: Buffer) => {
      held = Buffer.concat([held.subarray(-200), octets]);
      if (held.indexOf(words) < 0) return;
      socket.off('data', look);
      socket.off('close', ended);
      resolve();
    };
    socket.on('data', look);
    socket.on('close', ended);
  });
}

async function enter(port: number, name: string, localAddress: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
  const asked = until(socket, terminalType);
  await once(socket, 'connect');
  await asked;
  const prompted = until(socket, 'name: ');
  socket.write(Buffer.concat([Buffer.of(255, 251, 24), terminalIs, terminalIs]));
  await prompted;
  const entered = until(socket, '[#lobby] ');
  socket.write(`${name}\r\0`);
  await entered;
  return socket;
}

async function open({ port, count, prefix }: Extract<TypistsRequest, { do: 'open' }>): Promise<void> {
  for (let first = 0; first < count; first += openedAtOnce) {
    const some = Array.from({ length: Math.min(openedAtOnce, count - first) }, (_, i) =>
      enter(port, `${prefix}${first + i}`, `127.0.0.${2 + ((first + i) % 8)}`),
    );
    for (const socket of await Promise.all(some)) {
      socket.resume();
      sessions.push(socket);
    }
  }
}

async function type(socket: Socket, index: number, everyMs: number): Promise<void> {
  // People do not type in step.
  await delay(systemClock, Math.random() * everyMs);
  for (let n = index; !socket.destroyed; n++) {
    await delay(systemClock, everyMs);
    socket.write(n % keysPerLine === 0 ? '\r\0' : 'a');
  }
}

async function probe(port: number, forMs: number): Promise<Latency> {
  const socket = await enter(port, 'probe', '127.0.0.1');
  const samples: number[] = [];
  const endMs = nowMs() + forMs;
  for (let n = 0; nowMs() < endMs; n++) {
    const key = rare[n % rare.length]!;
    const shown = until(socket, key);
    const startMs = nowMs();
    socket.write(key);
    await shown;
    samples.push(nowMs() - startMs);
    await delay(systemClock, 5);
    // A short line: the editor's work is not what is measured.
    if (n % keysPerLine === keysPerLine - 1) socket.write('\x15');
  }
  socket.destroy();
  return {
    count: samples.length,
    p50: quantile(samples, 0.5),
    p99: quantile(samples, 0.99),
    max: quantile(samples, 1),
  };
}

const none: Latency = { count: 0, p50: Number.NaN, p99: Number.NaN, max: Number.NaN };

serveRole<TypistsRequest, Latency>(async request => {
  if (request.do === 'probe') return probe(request.port, request.forMs);
  if (request.do === 'open') await open(request);
  else
    for (const [index, socket] of sessions.entries()) void type(socket, index, request.everyMs).catch(() => undefined);
  return none;
});
