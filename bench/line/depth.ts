/** A room with a million messages beside one with a thousand, on one server: appending, reading, searching, and a start. */
import { join } from 'node:path';
import { connect, type Hub, password } from '../../client/index.ts';
import { limits } from '../../shared/limits.ts';
import type { RoomName } from '../../shared/names.ts';
import { interleave } from '../contest.ts';
import { addAccount, startPartylineOn } from '../servers/node-servers.ts';
import { makeFolder, temporary } from '../servers/server.ts';
import { median, quantile, range } from '../statistics.ts';
import { short, spread, table } from '../table.ts';

const sizes = { short: 1_000, long: 1_000_000 } as const;
type Room = keyof typeof sizes;
const rooms = Object.keys(sizes) as readonly Room[];
/** Told in the middle of each room; nothing else has them. */
const needles = { word: 'haystack', chinese: '午饭' } as const;
const appends = 5_000;
const reads = 100;
const starts = 3;

export async function measureDepth(rounds: number): Promise<string> {
  const { folder, remove } = await makeFolder(temporary);
  try {
    const data = join(folder, 'data');
    await addAccount(data);
    const server = await startPartylineOn(data);
    const rows = await measure(server.port, rounds).finally(() => server.stop());
    const empty = join(folder, 'empty');
    await (await startPartylineOn(empty)).stop();
    const contestants = [
      { name: 'empty', run: () => startMs(empty) },
      { name: 'full', run: () => startMs(data) },
    ];
    const times = await interleave(contestants, starts);
    const full = times.get('full') ?? [];
    rows.push([
      'start, ms',
      ...[times.get('empty') ?? [], full].map(all => `${short(median(all))} (${spread(range(all))})`),
    ]);
    return table(['', 'a room of a thousand, or empty', 'a room of a million'], rows);
  } finally {
    await remove();
  }
}

async function startMs(data: string): Promise<number> {
  const startedMs = performance.now();
  const server = await startPartylineOn(data);
  const ms = performance.now() - startedMs;
  await server.stop();
  return ms;
}

async function measure(port: number, rounds: number): Promise<string[][]> {
  const hub = await connect(`pl://bench@127.0.0.1:${port}`, { auth: password('secret') });
  for (const room of rooms) {
    await hub.request('CREATE', { room: room as RoomName });
    await say(hub, room, sizes[room] / 2);
    for (const text of Object.values(needles)) await hub.request('SAY', { room: room as RoomName, text });
    await say(hub, room, sizes[room] / 2);
  }
  const tasks: Readonly<Record<string, (room: Room) => Promise<readonly number[]>>> = {
    'HISTORY of 50 anywhere, ms': room => timed(reads, () => history(hub, room)),
    'SEARCH of a word, ms': room => timed(reads / 10, () => search(hub, room, needles.word)),
    'SEARCH of two Chinese characters, ms': room => timed(reads / 10, () => search(hub, room, needles.chinese)),
    // Last, since it makes the short room longer.
    'append, thousand a second': room => appendRate(hub, room),
  };
  const rows: string[][] = [];
  for (const [name, task] of Object.entries(tasks)) {
    const samples = await interleave(
      rooms.map(room => ({ name: room, run: () => task(room) })),
      rounds,
    );
    const cells = rooms.map(room => {
      const all = (samples.get(room) ?? []).flat();
      return `${short(median(all))} (p99 ${short(quantile(all, 0.99))})`;
    });
    rows.push([name, ...cells]);
  }
  await hub.finish();
  return rows;
}

/** As many unanswered as the server takes; texts as people write them, of words that many messages share. */
async function say(hub: Hub, room: Room, count: number): Promise<void> {
  let next = 0;
  const talk = async () => {
    while (next < count) {
      const n = next++;
      const text = `message ${n % 977} about topic ${n % 89} of machine ${n % 31} 今天 ${n % 7 === 0 ? '会议' : '天气'}`;
      await hub.request('SAY', { room: room as RoomName, text });
    }
  };
  await Promise.all(Array.from({ length: limits.unansweredMax }, talk));
}

async function appendRate(hub: Hub, room: Room): Promise<readonly number[]> {
  const startedMs = performance.now();
  await say(hub, room, appends);
  return [appends / (performance.now() - startedMs)];
}

async function timed(count: number, task: () => Promise<void>): Promise<readonly number[]> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const startedMs = performance.now();
    await task();
    times.push(performance.now() - startedMs);
  }
  return times;
}

async function history(hub: Hub, room: Room): Promise<void> {
  const after = Math.floor(Math.random() * (sizes[room] - 50));
  let count = 0;
  for await (const _row of hub.rows('HISTORY', { room: room as RoomName, after, limit: 50 })) count++;
  if (count !== 50) throw new Error(`HISTORY gave ${count} rows`);
}

async function search(hub: Hub, room: Room, query: string): Promise<void> {
  let count = 0;
  for await (const _row of hub.rows('SEARCH', { room: room as RoomName, query })) count++;
  if (count !== 1) throw new Error(`SEARCH found ${count}`);
}
