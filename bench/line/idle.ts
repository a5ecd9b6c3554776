/** Memory of a server for a session that has joined a room of fifty and is silent. */
import { fileURLToPath } from 'node:url';
import { connect, password } from '../../client/index.ts';
import { systemClock } from '../../server/net/system-clock.ts';
import { delay } from '../../shared/clock.ts';
import type { RoomName } from '../../shared/names.ts';
import { interleave } from '../contest.ts';
import type { ReceiversAnswer, ReceiversRequest } from '../load/receivers.ts';
import { startRole } from '../load/role.ts';
import { rssOctetsOf } from '../process.ts';
import { startBareFanout, startPartyline } from '../servers/node-servers.ts';
import type { PeerStart } from '../servers/peers.ts';
import type { Server } from '../servers/server.ts';
import { median, range } from '../statistics.ts';
import { short, spread, table } from '../table.ts';

const sessions = 2_000;
/** Small rooms, since everybody in a room hears of everybody who comes. */
const members = 50;
const prefixes = ['a', 'b'];
const restMs = 1_000;
const collectable = fileURLToPath(new URL('../load/collectable.js', import.meta.url));
const flags = ['--expose-gc', '--import', collectable];

export async function measureIdle(peers: readonly PeerStart[], rounds: number): Promise<string> {
  const contestants = [
    { name: 'partyline', run: () => weigh(startWithRooms, true) },
    { name: 'bare', run: () => weigh(() => startBareFanout(flags), true) },
    ...peers.flatMap(({ name, start }) => (start ? [{ name, run: () => weigh(start, false) }] : [])),
  ];
  const samples = await interleave(contestants, rounds);
  const rows = [...samples].map(([name, weights]) => {
    const [each, further] = [weights.map(weight => weight.each), weights.map(weight => weight.further)];
    return [name, short(median(each)), spread(range(each)), short(median(further)), spread(range(further))];
  });
  const head = ['', `from none to ${prefixes.length * sessions}`, 'min–max', `the last ${sessions}`, 'min–max'];
  return `Growth of the server, KiB for each session.\n\n${table(head, rows)}`;
}

/** The peers make a room when somebody enters it; here somebody has to. */
async function startWithRooms(): Promise<Server> {
  const server = await startPartyline({ flags, hasAccount: true });
  const hub = await connect(`pl://bench@127.0.0.1:${server.port}`, { auth: password('secret') });
  for (const prefix of prefixes) {
    for (let room = 0; room < sessions / members; room++) {
      await hub.request('CREATE', { room: `${prefix}-${room}` as RoomName });
    }
  }
  await hub.finish();
  return server;
}

interface Weight {
  /** With what grows once, such as the heap of a server that has woken. */
  readonly each: number;
  /** What a further session costs a server that has some. */
  readonly further: number;
}

async function weigh(start: () => Promise<Server>, isNode: boolean): Promise<Weight> {
  const receivers = startRole<ReceiversRequest, ReceiversAnswer>('./receivers.js');
  const server = await start();
  try {
    const { name: wire, port, pid } = server;
    const weight = async () => {
      await delay(systemClock, restMs);
      if (isNode) process.kill(pid, 'SIGUSR2');
      await delay(systemClock, restMs);
      return rssOctetsOf(pid);
    };
    const weights = [await weight()];
    for (const prefix of prefixes) {
      await receivers.ask({ do: 'open', wire, port, count: sessions, prefix, rooms: members });
      weights.push(await weight());
    }
    const [empty, half, full] = weights as [number, number, number];
    return { each: (full - empty) / (prefixes.length * sessions) / 1024, further: (full - half) / sessions / 1024 };
  } finally {
    receivers.stop();
    await server.stop();
  }
}
