/**
 * The role that sends: a group of connections, on each a bounded number of messages that are not acknowledged yet, all requests
 * of one turn in one write.
 */
import type { Socket } from 'node:net';
import { open, sharedBuffer, type Tap, take } from './opening.ts';
import { nowMs, ownCpuMs, serveRole } from './role.ts';
import { digits, requestTemplate, type Wire, type WireName, wires } from './wires.ts';

export type SenderRequest =
  | { readonly do: 'open'; readonly wire: WireName; readonly port: number; readonly senders: number }
  | { readonly do: 'choose'; readonly group: number }
  /** One message with this number. Answered when it is acknowledged. */
  | { readonly do: 'one'; readonly number: number }
  /** Messages 0 … count - 1, dealt out to the connections; each gets a multiple of 16. Answered when all are acknowledged. */
  | { readonly do: 'send'; readonly count: number };

export interface SenderAnswer {
  readonly group: number;
  readonly startMs: number;
  /** When the last acknowledgement came. */
  readonly endMs: number;
  readonly cpuMs: number;
}

/** Messages on their way without an acknowledgement, of all connections of a group: what the line protocol allows on one. */
const unacknowledgedMax = 1_000;
const LF = 10;
const ZERO = 0x30;

class Sender {
  readonly #socket: Socket;
  readonly #tap: Tap;
  readonly #wire: Wire;
  readonly #template: Buffer;
  readonly #numberAt: number;
  readonly #window: number;

  constructor(socket: Socket, tap: Tap, wire: Wire, window: number) {
    this.#window = window;
    this.#socket = socket;
    this.#tap = tap;
    this.#wire = wire;
    const { octets, numberAt } = requestTemplate(wire);
    this.#template = octets;
    this.#numberAt = numberAt;
  }

  /** Requests for `count` numbers from `first` by `step`, with what asks for acknowledgement after each `ackEvery` and the last. */
  #requests(first: number, step: number, count: number): Buffer {
    const { ask, ackEvery } = this.#wire;
    const size = this.#template.length;
    const octets = Buffer.allocUnsafe(count * size + Math.ceil(count / ackEvery) * ask.length);
    let at = 0;
    for (let turn = 1; turn <= count; turn++) {
      octets.set(this.#template, at);
      let rest = first + (turn - 1) * step;
      for (let i = digits - 1; i >= 0; i--) {
        octets[at + this.#numberAt + i] = ZERO + (rest % 10);
        rest = Math.floor(rest / 10);
      }
      at += size;
      if (ask !== '' && (turn % ackEvery === 0 || turn === count)) at += octets.write(ask, at, 'latin1');
    }
    return octets.subarray(0, at);
  }

  send(first: number, step: number, count: number): Promise<void> {
    const { ackEvery, refusal } = this.#wire;
    let sent = 0;
    let acknowledged = 0;
    return new Promise((resolve, reject) => {
      const more = () => {
        const free = this.#window - (sent - acknowledged);
        const some = Math.min(count - sent, free - (free % ackEvery));
        if (some > 0) this.#socket.write(this.#requests(first + sent * step, step, some));
        sent += Math.max(0, some);
      };
      this.#tap.ended = reason => reject(new Error(`sender: ${reason}`));
      this.#tap.take = octets => {
        const refused = refusal.exec(octets.toString('latin1'))?.[0];
        if (refused) return reject(new Error(`sender: ${refused}`));
        for (let i = 0; i < octets.length; i++) if (octets[i] === LF) acknowledged += ackEvery;
        if (acknowledged >= count) resolve();
        else more();
      };
      more();
    });
  }
}

const groups: (readonly Sender[])[] = [];
const buffer = sharedBuffer();
const chosen = { group: 0 };

async function openSender(wire: Wire, port: number, index: number, window: number): Promise<Sender> {
  const tap: Tap = { take: () => undefined, ended: () => undefined };
  const socket = await open({ port }, buffer, tap);
  await take(wire.sender(`s${index}`), socket, tap);
  return new Sender(socket, tap, wire, window);
}

serveRole<SenderRequest, SenderAnswer>(async request => {
  const senders = groups[chosen.group] ?? [];
  const startMs = nowMs();
  const cpuBefore = ownCpuMs();
  if (request.do === 'open') {
    const added: Sender[] = [];
    const { wire, port, senders: count } = request;
    for (let i = 0; i < count; i++) {
      added.push(await openSender(wires[wire], port, i, Math.floor(unacknowledgedMax / count)));
    }
    chosen.group = groups.push(added) - 1;
  } else if (request.do === 'choose') chosen.group = request.group;
  else if (request.do === 'one') await senders[0]?.send(request.number, 1, 1);
  else {
    const share = request.count / senders.length;
    await Promise.all(senders.map((sender, index) => sender.send(index, senders.length, share)));
  }
  return { group: chosen.group, startMs, endMs: nowMs(), cpuMs: ownCpuMs() - cpuBefore };
});
