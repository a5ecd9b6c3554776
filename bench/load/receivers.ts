/**
 * The role that receives: many connections in one process. The first of a group, the witness, reads every line and its
 * number; of the others octets are counted, which must come to exactly what the witness got.
 */
import type { Socket } from 'node:net';
import { systemClock } from '../../server/net/system-clock.ts';
import { open, sharedBuffer, type Tap, take } from './opening.ts';
import { nowMs, ownCpuMs, serveRole } from './role.ts';
import { digits, type Wire, type WireName, wires } from './wires.ts';

export type ReceiversRequest =
  | {
      readonly do: 'open';
      readonly wire: WireName;
      readonly port: number;
      readonly count: number;
      /** Of the names, which are told apart by a number. */
      readonly prefix: string;
      /** Everybody in one room, or so many in each of the rooms `PREFIX-0`, `PREFIX-1` …. */
      readonly rooms: 'lobby' | number;
    }
  /** Answered when every receiver has seen the message with this number. */
  | { readonly do: 'settle'; readonly number: number }
  /** Answered at once: from here on messages 0 … count - 1 are expected, of which each sender says every so manieth. */
  | { readonly do: 'expect'; readonly count: number; readonly senders: number }
  /** Answered when every receiver has all that was expected. */
  | { readonly do: 'collect' }
  /** The group that the other requests mean. */
  | { readonly do: 'choose'; readonly group: number };

type Open = Extract<ReceiversRequest, { do: 'open' }>;

export interface ReceiversAnswer {
  readonly group: number;
  /** When the last octet came, and the processor time since `expect`. */
  readonly endMs: number;
  readonly cpuMs: number;
}

const PERCENT = 0x25;
const ZERO = 0x30;
const LF = 10;
const deadlineMs = 60_000;
/** ngircd listens with a backlog of ten; a connection beyond it waits for a second. */
const openedAtOnce = 4;

class Receiver {
  octets = 0;
  readonly tap: Tap;
  readonly socket: Socket;

  constructor(socket: Socket, tap: Tap) {
    this.socket = socket;
    this.tap = tap;
  }
}

/** Reads whole lines and demands the numbers of each sender in order. */
class Witness {
  readonly #refusal: RegExp;
  readonly #end: number;
  /** By sender: the number that comes next. */
  readonly #next: number[];
  #rest: Buffer = Buffer.alloc(0);
  seen = 0;
  trouble: string | undefined;

  constructor(wire: Wire, senders: number) {
    this.#refusal = wire.refusal;
    this.#end = wire.end ?? LF;
    this.#next = Array.from({ length: senders }, (_, sender) => sender);
  }

  read(octets: Buffer): void {
    const all = this.#rest.length === 0 ? octets : Buffer.concat([this.#rest, octets]);
    let done = 0;
    for (let at = all.indexOf(PERCENT); at >= 0; at = all.indexOf(PERCENT, done)) {
      const end = all.indexOf(this.#end, at);
      if (end < 0) break;
      let number = 0;
      for (let i = at + 1; i <= at + digits; i++) number = number * 10 + (all[i]! - ZERO);
      const sender = number % this.#next.length;
      if (number !== this.#next[sender]) this.trouble ??= `message ${number} came instead of ${this.#next[sender]}`;
      this.#next[sender] = number + this.#next.length;
      this.seen++;
      done = end + 1;
    }
    this.#rest = Buffer.from(all.subarray(done));
    if (this.trouble) this.trouble += ` ${this.#refusal.exec(all.toString('latin1'))?.[0] ?? ''}`;
  }
}

class Group {
  readonly #wire: Wire;
  readonly #receivers: Receiver[] = [];
  #cpuMs = 0;
  #endMs = 0;
  #finish: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #collected: Promise<void> = Promise.resolve();

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  async open(request: Open, buffer: Uint8Array): Promise<void> {
    const { count } = request;
    for (let first = 0; first < count; first += openedAtOnce) {
      const some = Array.from({ length: Math.min(openedAtOnce, count - first) }, (_, i) =>
        this.#openOne(request, first + i, buffer),
      );
      this.#receivers.push(...(await Promise.all(some)));
    }
  }

  async #openOne({ port, prefix, rooms }: Open, index: number, buffer: Uint8Array): Promise<Receiver> {
    const tap: Tap = { take: () => undefined, ended: () => undefined };
    const socket = await open({ port, localAddress: `127.0.0.${2 + (index % 8)}` }, buffer, tap);
    const room = rooms === 'lobby' ? rooms : `${prefix}-${Math.floor(index / rooms)}`;
    await take(this.#wire.receiver(`${prefix}${index}`, room), socket, tap);
    tap.ended = reason => this.#finish?.reject(new Error(`receiver ${index}: ${reason}`));
    this.#ignore(tap, socket);
    return new Receiver(socket, tap);
  }

  /** Between measurements: only the question whether one lives is answered. */
  #ignore(tap: Tap, socket: Socket): void {
    const { alive } = this.#wire;
    tap.take = octets => {
      if (alive && octets.includes(alive[0])) socket.write(alive[1]);
    };
  }

  async settle(number: number): Promise<void> {
    const mark = `%${String(number).padStart(digits, '0')}`;
    await Promise.all(
      this.#receivers.map(({ tap, socket }) => {
        let text = '';
        const { alive, end = LF } = this.#wire;
        return new Promise<void>((resolve, reject) => {
          const cancel = systemClock.after(deadlineMs, () => reject(new Error(`${mark} did not come`)));
          tap.take = octets => {
            if (alive && octets.includes(alive[0])) socket.write(alive[1]);
            text += octets.toString('latin1');
            const at = text.indexOf(mark);
            if (at < 0) text = text.slice(-mark.length);
            if (at < 0 || text.indexOf(String.fromCharCode(end), at) < 0) return;
            cancel();
            resolve();
          };
        });
      }),
    );
  }

  expect(count: number, senders: number): void {
    const witness = new Witness(this.#wire, senders);
    let left = Number.POSITIVE_INFINITY;
    let target = Number.POSITIVE_INFINITY;
    this.#cpuMs = ownCpuMs();
    this.#collected = new Promise((resolve, reject) => {
      const cancel = systemClock.after(deadlineMs, () => reject(new Error(this.#shortfall(witness, count, target))));
      this.#finish = {
        resolve: () => {
          cancel();
          this.#endMs = nowMs();
          this.#cpuMs = ownCpuMs() - this.#cpuMs;
          resolve();
        },
        reject,
      };
    });
    this.#collected.catch(() => undefined);
    const fail = (why: string) => this.#finish?.reject(new Error(why));
    this.#receivers.forEach((receiver, index) => {
      receiver.octets = 0;
      receiver.tap.take = octets => {
        receiver.octets += octets.length;
        if (index === 0) {
          witness.read(octets);
          if (witness.trouble) return fail(witness.trouble);
          if (witness.seen < count) return;
          target = receiver.octets;
          left = this.#receivers.filter(other => other.octets !== target).length;
        } else if (receiver.octets === target) left--;
        if (receiver.octets > target) fail(`receiver ${index} got more than the witness`);
        if (left === 0) this.#finish?.resolve();
      };
    });
  }

  async collect(): Promise<{ endMs: number; cpuMs: number }> {
    await this.#collected;
    this.#finish = undefined;
    for (const { tap, socket } of this.#receivers) this.#ignore(tap, socket);
    return { endMs: this.#endMs, cpuMs: this.#cpuMs };
  }

  #shortfall(witness: Witness, count: number, target: number): string {
    const short = this.#receivers.filter(({ octets }) => octets !== target).length;
    return `the witness has ${witness.seen} of ${count} messages, ${short} receivers differ from it`;
  }
}

const groups: Group[] = [];
const buffer = sharedBuffer();
const chosen = { group: 0 };

serveRole<ReceiversRequest, ReceiversAnswer>(async request => {
  const group = groups[chosen.group];
  let outcome = { endMs: 0, cpuMs: 0 };
  if (request.do === 'open') {
    const added = new Group(wires[request.wire]);
    chosen.group = groups.push(added) - 1;
    await added.open(request, buffer);
  } else if (request.do === 'choose') chosen.group = request.group;
  else if (request.do === 'settle') await group?.settle(request.number);
  else if (request.do === 'expect') group?.expect(request.count, request.senders);
  else if (group) outcome = await group.collect();
  return { group: chosen.group, ...outcome };
});
