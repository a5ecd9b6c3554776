/**
 * A TCP proxy that misbehaves on demand: cuts, freezes, delays, limits and fragments, each direction by itself.
 * Without faults it is faithful: FIN and RST go through as they came, backpressure too.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { resetSocket } from '../../server/net/reset.ts';
import { dial } from './dial.ts';
import { cutRandomly, type Random, seededRandom } from './octets.ts';

export type Direction = 'toServer' | 'toClient';

/** How a cut looks from both ends: an orderly end that came too early, or a reset. */
export type Cut = 'fin' | 'rst';

export interface Faults {
  /** After that many octets of one connection in this direction, cut it in both. */
  readonly cut: { readonly afterOctets: number; readonly as: Cut } | undefined;
  /** Read no further: the sender's buffers fill. At most one chunk that was read already is held back. */
  readonly isFrozen: boolean;
  /** Added to each chunk; chunks do not overtake each other, so it slows the stream too. */
  readonly delayMs: number;
  /** Infinity for no limit. */
  readonly octetsPerSecond: number;
  /** Forward in pieces of 1 to `octetsMax`, the same for the same seed. */
  readonly fragments: { readonly seed: number; readonly octetsMax: number } | undefined;
}

export interface FaultProxy {
  readonly port: number;
  /** Changes faults of one direction, on connections that are open and on later ones. */
  set(direction: Direction, faults: Partial<Faults>): void;
  /** Ends all open connections now. */
  cutAll(as: Cut): void;
  /** Octets forwarded in each direction, over all connections. */
  readonly octets: Readonly<Record<Direction, number>>;
  /** Connections accepted so far. */
  readonly accepted: number;
}

const NO_FAULTS: Faults = {
  cut: undefined,
  isFrozen: false,
  delayMs: 0,
  octetsPerSecond: Number.POSITIVE_INFINITY,
  fragments: undefined,
};

/** Slices of a limited stream in a second. */
const SLICES_PER_SECOND = 20;

/** The faults of one direction, and how its connections hear of a change. */
interface Lane {
  faults: Faults;
  octets: number;
  readonly wakers: Set<() => void>;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
}

const cutLink = ({ client, server }: Link, as: Cut): void => {
  for (const socket of [client, server]) {
    if (as === 'rst') resetSocket(socket);
    else socket.end();
  }
};

const whileFrozen = async (lane: Lane, source: Socket): Promise<void> => {
  while (lane.faults.isFrozen && !source.destroyed) {
    await new Promise<void>(resolve => {
      lane.wakers.add(resolve);
      source.once('close', resolve);
    });
  }
};

/** The pieces in which one chunk is to be forwarded. */
const piecesOf = (chunk: Buffer, { fragments, octetsPerSecond }: Faults, random: Random): readonly Buffer[] => {
  if (fragments !== undefined) return cutRandomly(chunk, random, fragments.octetsMax);
  const size = Math.max(1, Math.min(chunk.length, Math.floor(octetsPerSecond / SLICES_PER_SECOND)));
  return Array.from({ length: Math.ceil(chunk.length / size) }, (_, n) => chunk.subarray(n * size, (n + 1) * size));
};

const write = (destination: Socket, piece: Buffer): Promise<void> =>
  new Promise(resolve => {
    destination.write(piece, () => resolve());
  });

/**
 * Forwards one direction of one connection to its FIN. Behind a cut it goes on reading and drops what comes, lest an
 * orderly end turns into a reset.
 */
const pump = async (source: Socket, destination: Socket, lane: Lane, cut: (as: Cut) => void): Promise<void> => {
  let random: Random | undefined;
  let passed = 0;
  await whileFrozen(lane, source);
  for await (const chunk of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    await whileFrozen(lane, source);
    if (lane.faults.delayMs > 0) await sleep(lane.faults.delayMs);
    random ??= seededRandom(lane.faults.fragments?.seed ?? 0);
    for (const piece of piecesOf(chunk, lane.faults, random)) {
      if (!destination.writable) break;
      const { cut: limit, octetsPerSecond, fragments } = lane.faults;
      const allowed = piece.subarray(0, Math.max(0, (limit?.afterOctets ?? Number.POSITIVE_INFINITY) - passed));
      await write(destination, allowed);
      passed += allowed.length;
      lane.octets += allowed.length;
      if (limit !== undefined && passed >= limit.afterOctets) cut(limit.as);
      if (fragments !== undefined) await nextTurn();
      if (octetsPerSecond < Number.POSITIVE_INFINITY) await sleep((piece.length / octetsPerSecond) * 1000);
    }
  }
  await whileFrozen(lane, source);
  destination.end();
};

/** Connects one accepted client to the server and forwards both ways; a reset on one side is a reset on the other. */
const join = (link: Link, lanes: Readonly<Record<Direction, Lane>>): void => {
  const { client, server } = link;
  const cut = (as: Cut): void => cutLink(link, as);
  client.on('error', () => resetSocket(server));
  server.on('error', () => resetSocket(client));
  // The iterators reject with the errors that were dealt with above.
  pump(client, server, lanes.toServer, cut).catch(() => {});
  pump(server, client, lanes.toClient, cut).catch(() => {});
};

/** Listens on a free port of 127.0.0.1 in front of `port`; ends with the test. */
export const startFaultProxy = async (t: Test, port: number): Promise<FaultProxy> => {
  const lane = (): Lane => ({ faults: NO_FAULTS, octets: 0, wakers: new Set() });
  const lanes: Readonly<Record<Direction, Lane>> = { toServer: lane(), toClient: lane() };
  const links = new Set<Link>();
  let accepted = 0;

  const accept = async (client: Socket): Promise<void> => {
    accepted++;
    client.on('error', () => {});
    const server = await dial({ port }).catch(() => undefined);
    if (server === undefined) return void resetSocket(client);
    const link = { client, server };
    links.add(link);
    client.once('close', () => links.delete(link));
    join(link, lanes);
  };
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, client => void accept(client));
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  t.teardown(() => {
    listener.close();
    for (const link of links) cutLink(link, 'rst');
  });

  return {
    port: (listener.address() as AddressInfo).port,
    set: (direction, faults) => {
      const { wakers } = lanes[direction];
      lanes[direction].faults = { ...lanes[direction].faults, ...faults };
      for (const wake of wakers) wake();
      wakers.clear();
    },
    cutAll: as => {
      for (const link of links) cutLink(link, as);
    },
    get octets() {
      return { toServer: lanes.toServer.octets, toClient: lanes.toClient.octets };
    },
    get accepted() {
      return accepted;
    },
  };
};
