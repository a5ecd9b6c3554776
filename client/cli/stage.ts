/** Where a lesson plays: a hub that tells what it sees, and a connection of the same session on which things are made to happen. */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { delay } from '../../shared/clock.ts';
import { type WireEvent, wireEventOf } from '../../shared/wire-lines.ts';
import { clientClock } from '../clock.ts';
import { type Address, type Hub, PartylineError } from '../index.ts';

export interface Scene {
  readonly events: readonly WireEvent[];
  /** What the server's machine offers to look at. */
  readonly sources: string;
}

export interface Play {
  /** How long the server waits behind our FIN. */
  readonly holdMs: number;
  /** The server says nothing more behind our FIN. */
  readonly isSilent: boolean;
  /** Acts on the connection; its end is ours. */
  act(actor: Actor): Promise<void>;
}

/** A connection by hand: half-open, a line at a time. */
export class Actor {
  readonly #socket: Socket;
  readonly #seen: Promise<unknown>;
  #read = '';

  /** `seen`: the server has begun to see the states of both ends, or has had time for it. */
  constructor(socket: Socket, seen: Promise<unknown>) {
    this.#socket = socket;
    this.#seen = seen;
    socket.on('data', octets => {
      this.#read += octets;
    });
  }

  /** Sends a line and resolves with what answers it. */
  async ask(line: string): Promise<string> {
    this.#socket.write(`${line}\n`);
    const [verb = ''] = line.split(' ');
    return this.until(new RegExp(`^[+-] ${verb}.*$`, 'm'));
  }

  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.#read)?.[0];
      if (found !== undefined) {
        this.#read = '';
        return found;
      }
      if (this.#socket.readableEnded) throw new PartylineError('cancelled', 'the server ended the connection');
      await Promise.race([once(this.#socket, 'data'), once(this.#socket, 'end')]);
    }
  }

  /** Resolves when the server looks on. */
  async isSeen(): Promise<void> {
    await this.#seen;
  }

  /** Our FIN; resolves when the other one has come and all is closed. */
  async finish(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.end();
    await closed;
  }
}

/** For a server that sees no states. */
const patienceMs = 1_000;

/** Plays on a connection of its own, which the server watches from its beginning to its end. */
export async function perform(hub: Hub, { host, port }: Address, play: Play): Promise<Scene> {
  const events: WireEvent[] = [];
  let sources = '';
  const waiting = new Set<() => void>();
  const until = async (isThere: () => boolean) => {
    while (!isThere()) await new Promise<void>(resolve => waiting.add(resolve));
  };
  const watching = hub.request(
    'WIRE',
    { do: 'watch', which: port, once: true, for: '60s' },
    {
      onRow({ fields }) {
        const event = wireEventOf(fields);
        if (event) events.push(event);
        else sources = String(fields['sources'] ?? '');
        for (const wake of waiting) wake();
        waiting.clear();
      },
    },
  );
  const failed = watching.then(() => undefined);
  await Promise.race([until(() => sources !== ''), failed]);
  const tickets: string[] = [];
  await hub.request('TICKET', {}, { onRow: ({ fields }) => void tickets.push(String(fields['ticket'])) });
  const socket = connectTcp({ host, port, allowHalfOpen: true, noDelay: true });
  await once(socket, 'connect');
  const states = (side: string) => events.some(event => event.kind === 'state' && event.side === side);
  const seen = Promise.race([until(() => states('client') && states('server')), delay(clientClock, patienceMs)]);
  const actor = new Actor(socket, seen);
  try {
    await actor.until(/^\* PARTYLINE.*$/m);
    await actor.ask(`ATTACH ${tickets[0]}`);
    await Promise.race([until(() => events.length > 0), failed]);
    await hub.request('LINGER', { which: events[0]!.conn, ms: play.holdMs, ...(play.isSilent && { silent: true }) });
    await play.act(actor);
    await watching;
  } finally {
    socket.destroy();
  }
  return { events: events.sort((a, b) => a.t - b.t), sources };
}
