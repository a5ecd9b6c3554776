/** Messages delivered per second: few senders, many receivers, every message acknowledged. */
import { systemClock } from '../../server/net/system-clock.ts';
import { delay } from '../../shared/clock.ts';
import { compare, controlBand, interleave } from '../contest.ts';
import type { ReceiversAnswer, ReceiversRequest } from '../load/receivers.ts';
import { type Role, startRole } from '../load/role.ts';
import type { SenderAnswer, SenderRequest } from '../load/sender.ts';
import { cpuMsOf } from '../process.ts';
import type { Server } from '../servers/server.ts';
import { median, range } from '../statistics.ts';
import { short, spread, table } from '../table.ts';
import { shown } from './verdict.ts';

/** One burst. Shares are processor time by wall time: 1 is a core. */
interface Burst {
  readonly perSecond: number;
  /** Processor time of the server for one message to all. */
  readonly serverUs: number;
  readonly serverShare: number;
  readonly receiversShare: number;
  readonly senderShare: number;
}

interface Load {
  readonly receivers: Role<ReceiversRequest, ReceiversAnswer>;
  readonly sender: Role<SenderRequest, SenderAnswer>;
}

/** nats-server asks a new client whether it lives after two seconds, which must not fall into a burst. */
const restMs = 3_000;
const burstSeconds = 0.5;
const settleNumber = 99_999_999;

/** How many talk, and how many hear them. */
export interface Crowd {
  readonly senders: number;
  readonly receivers: number;
}

class Room {
  readonly server: Server;
  readonly #load: Load;
  readonly #crowd: Crowd;
  #receiversGroup = 0;
  #senderGroup = 0;
  #messages: number;

  constructor(server: Server, load: Load, crowd: Crowd) {
    this.server = server;
    this.#load = load;
    this.#crowd = crowd;
    this.#messages = 64 * crowd.senders * Math.min(10, Math.ceil(1_000 / crowd.receivers));
  }

  async open(): Promise<void> {
    const { name: wire, port, sender = { wire, port } } = this.server;
    const { receivers: count, senders } = this.#crowd;
    this.#receiversGroup = (
      await this.#load.receivers.ask({ do: 'open', wire, port, count, prefix: 'r', rooms: 'lobby' })
    ).group;
    this.#senderGroup = (await this.#load.sender.ask({ do: 'open', ...sender, senders })).group;
  }

  async #choose(): Promise<void> {
    await this.#load.receivers.ask({ do: 'choose', group: this.#receiversGroup });
    await this.#load.sender.ask({ do: 'choose', group: this.#senderGroup });
  }

  /** Compiles what is hot and finds how many messages fill a burst. */
  async warm(): Promise<void> {
    await this.#choose();
    const settled = this.#load.receivers.ask({ do: 'settle', number: settleNumber });
    await this.#load.sender.ask({ do: 'one', number: settleNumber });
    await settled;
    for (const seconds of [burstSeconds / 4, burstSeconds, burstSeconds]) {
      const { perSecond } = await this.burst();
      const { receivers, senders } = this.#crowd;
      const messages = Math.min(500_000, (perSecond / receivers) * seconds);
      this.#messages = Math.ceil(Math.max(10, messages / (64 * senders))) * 64 * senders;
    }
  }

  async burst(): Promise<Burst> {
    await this.#choose();
    const { receivers, sender } = this.#load;
    const serverBefore = await cpuMsOf(this.server.pid);
    await receivers.ask({ do: 'expect', count: this.#messages, senders: this.#crowd.senders });
    const collected = receivers.ask({ do: 'collect' });
    const [sent, received] = await Promise.all([sender.ask({ do: 'send', count: this.#messages }), collected]);
    const ms = Math.max(sent.endMs, received.endMs) - sent.startMs;
    const serverMs = (await cpuMsOf(this.server.pid)) - serverBefore;
    return {
      serverUs: (serverMs * 1000) / this.#messages,
      perSecond: (this.#messages * this.#crowd.receivers * 1000) / ms,
      serverShare: serverMs / ms,
      receiversShare: received.cpuMs / ms,
      senderShare: sent.cpuMs / ms,
    };
  }
}

/** Runs all servers against each other; the first is the one that is compared. Resolves with a table. */
export async function measureFanout(servers: readonly Server[], crowd: Crowd, rounds: number): Promise<string> {
  const load: Load = { receivers: startRole('./receivers.js'), sender: startRole('./sender.js') };
  const rooms = servers.map(server => new Room(server, load, crowd));
  try {
    const fallen = new Map<Room, string>();
    for (const room of rooms) await orFall(fallen, room, () => room.open());
    await delay(systemClock, restMs);
    for (const room of rooms) await orFall(fallen, room, () => room.warm());
    const contestants = rooms.map(room => ({
      name: room.server.name as string,
      run: () => orFall(fallen, room, () => room.burst()),
    }));
    const control = { name: 'again', run: () => orFall(fallen, rooms[0]!, () => rooms[0]!.burst()) };
    const samples = await interleave([...contestants, control], rounds);
    const notes = [...fallen].map(([{ server }, why]) => `\n\n${server.name} fell out: ${why}.`);
    return report(samples, servers[0]!.name) + notes.join('');
  } finally {
    load.receivers.stop();
    load.sender.stop();
  }
}

/** A server that ends connections or loses messages falls out, and the others go on. */
async function orFall<T>(fallen: Map<Room, string>, room: Room, work: () => Promise<T>): Promise<T | undefined> {
  if (fallen.has(room)) return undefined;
  try {
    return await work();
  } catch (error) {
    fallen.set(room, error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

function report(all: ReadonlyMap<string, readonly (Burst | undefined)[]>, first: string): string {
  const samples = new Map<string, readonly Burst[]>();
  for (const [name, bursts] of all) if (!bursts.includes(undefined)) samples.set(name, bursts as readonly Burst[]);
  if (!samples.has(first)) return '';
  const rate = (name: string) => samples.get(name)!.map(({ perSecond }) => perSecond);
  const share = (bursts: readonly Burst[], of: 'serverShare' | 'receiversShare' | 'senderShare') =>
    `${Math.round(100 * median(bursts.map(burst => burst[of])))}`;
  const band = controlBand(rate(first), rate('again'));
  const rows = [...samples]
    .filter(([name]) => name !== 'again')
    .map(([name, bursts]) => [
      name,
      short(median(rate(name))),
      spread(range(rate(name))),
      name === first ? '' : shown(compare(rate(first), rate(name), band)),
      short(median(bursts.map(({ serverUs }) => serverUs))),
      `${share(bursts, 'serverShare')} / ${share(bursts, 'receiversShare')} / ${share(bursts, 'senderShare')}`,
    ]);
  const head = [
    '',
    'deliveries/s',
    'min–max',
    `${first} / it`,
    'server µs a message',
    'CPU % server / receivers / sender',
  ];
  return `${table(head, rows)}\n\n${first} against itself: ${spread(band)}`;
}
