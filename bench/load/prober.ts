/** The role that waits for replies: one request after the other on two connections, the time of each kept. */
import type { Socket } from 'node:net';
import { systemClock } from '../../server/net/system-clock.ts';
import { delay } from '../../shared/clock.ts';
import { quantile } from '../statistics.ts';
import { open, sharedBuffer, type Tap, take } from './opening.ts';
import { nowMs, serveRole } from './role.ts';
import type { Step } from './wires.ts';

export type ProberRequest =
  /** `talks`: the second connection says something to the lobby each time, which is stored; else there is none. */
  | { readonly do: 'start'; readonly port: number; readonly talks: boolean; readonly prefix: string }
  /** One connection that takes these steps, and then repeats a request that is answered by a line. */
  | { readonly do: 'repeat'; readonly port: number; readonly steps: readonly Step[]; readonly request: string }
  | { readonly do: 'stop' };

/** Milliseconds. */
export interface Latency {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface ProberAnswer {
  readonly ping: Latency;
  readonly say: Latency;
}

const restMs = 2;
const buffer = sharedBuffer();

class Probe {
  readonly #samples: number[] = [];
  readonly #socket: Socket;
  readonly #tap: Tap;
  #isStopped = false;

  constructor(socket: Socket, tap: Tap) {
    this.#socket = socket;
    this.#tap = tap;
  }

  async run(request: string): Promise<void> {
    while (!this.#isStopped) {
      const startMs = nowMs();
      await new Promise<void>((resolve, reject) => {
        this.#tap.ended = reason => reject(new Error(reason));
        this.#tap.take = octets => {
          if (octets[0] === 0x2d) reject(new Error(octets.toString('latin1')));
          if (octets.includes(10)) resolve();
        };
        this.#socket.write(request);
      });
      this.#samples.push(nowMs() - startMs);
      await delay(systemClock, restMs);
    }
  }

  stop(): Latency {
    this.#isStopped = true;
    this.#tap.ended = () => undefined;
    this.#socket.destroy();
    const all = this.#samples;
    return { count: all.length, p50: quantile(all, 0.5), p99: quantile(all, 0.99), max: quantile(all, 1) };
  }
}

async function start(port: number, steps: readonly Step[]): Promise<Probe> {
  const tap: Tap = { take: () => undefined, ended: () => undefined };
  const socket = await open({ port }, buffer, tap);
  await take(steps, socket, tap);
  return new Probe(socket, tap);
}

const named = (name: string): readonly Step[] => [{ send: `NICK ${name}\n`, until: '+ NICK' }];

const running: Probe[] = [];
const nothing: Latency = { count: 0, p50: Number.NaN, p99: Number.NaN, max: Number.NaN };

serveRole<ProberRequest, ProberAnswer>(async request => {
  if (request.do === 'start') {
    const { port, talks, prefix } = request;
    running.push(await start(port, talks ? named(`${prefix}p`) : []));
    if (talks) running.push(await start(port, named(`${prefix}s`)));
    const requests = ['PING\n', 'SAY lobby :does anybody hear me while this file moves?\n'];
    // A probe that is stopped ends with its connection, amid a request.
    for (const [i, probe] of running.entries()) void probe.run(requests[i]!).catch(() => undefined);
    return { ping: nothing, say: nothing };
  }
  if (request.do === 'repeat') {
    const probe = await start(request.port, request.steps);
    running.push(probe);
    void probe.run(request.request).catch(() => undefined);
    return { ping: nothing, say: nothing };
  }
  const [ping = nothing, say = nothing] = running.splice(0).map(probe => probe.stop());
  return { ping, say };
});
