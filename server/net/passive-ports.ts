/**
 * Ports on which peers of known address are expected, one connection each: a listener an expectation, or one listener for
 * all where the range is a single port. Who else comes is dropped. Knows no protocol.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { addressOf } from './proxies.ts';

export interface PortRange {
  /** 0 takes any free port, and `last` says nothing. */
  readonly first: number;
  readonly last: number;
}

/** Somebody is expected. */
export interface Expected {
  readonly port: number;
  /** Resolves once with the connection, which does not flow yet. Rejects when it is given up. */
  readonly socket: Promise<Socket>;
  /** Nobody is expected any more. A connection that came and was not taken is closed. */
  giveUp(): void;
}

interface Waiting {
  readonly address: string;
  came(socket: Socket): void;
}

const socketOptions = { allowHalfOpen: true, pauseOnConnect: true, noDelay: true } as const;

export class PassivePorts {
  readonly #host: string;
  readonly #range: PortRange;
  /** Where the search for a free port goes on, so that one that was just closed rests. */
  #next: number;
  #shared: Promise<{ readonly server: Server; readonly port: number }> | undefined;
  readonly #waiting: Waiting[] = [];

  constructor(host: string, range: PortRange) {
    this.#host = host;
    this.#range = range;
    this.#next = range.first;
  }

  /** Error: `undefined` when no port of the range is free. */
  async expect(address: string): Promise<Expected | undefined> {
    const { first, last } = this.#range;
    return first !== 0 && first === last ? this.#expectOnShared(address) : this.#expectOnOwn(address);
  }

  /** Nobody is accepted any more. */
  async close(): Promise<void> {
    const shared = await this.#shared?.catch(() => undefined);
    shared?.server.close();
  }

  async #expectOnOwn(address: string): Promise<Expected | undefined> {
    const waiting = hope(address);
    const server = createServer(socketOptions, socket => {
      if (addressOf(socket) !== address) return void socket.destroy();
      // One is enough, and the port is free for the next.
      server.close();
      waiting.came(socket);
    });
    const port = await this.#listen(server);
    if (port === undefined) return undefined;
    return {
      port,
      socket: waiting.socket,
      giveUp: () => {
        server.close();
        waiting.giveUp();
      },
    };
  }

  async #listen(server: Server): Promise<number | undefined> {
    const { first, last } = this.#range;
    if (first === 0) return listenOn(server, this.#host, 0);
    for (let tries = first; tries <= last; tries++) {
      const port = this.#next;
      this.#next = port >= last ? first : port + 1;
      const bound = await listenOn(server, this.#host, port);
      if (bound !== undefined) return bound;
    }
    return undefined;
  }

  async #expectOnShared(address: string): Promise<Expected | undefined> {
    this.#shared ??= this.#openShared();
    const { port } = await this.#shared;
    const waiting = hope(address);
    this.#waiting.push(waiting);
    return {
      port,
      socket: waiting.socket,
      giveUp: () => {
        const at = this.#waiting.indexOf(waiting);
        if (at >= 0) this.#waiting.splice(at, 1);
        waiting.giveUp();
      },
    };
  }

  async #openShared() {
    const server = createServer(socketOptions, socket => {
      const address = addressOf(socket);
      const at = this.#waiting.findIndex(waiting => waiting.address === address);
      if (at < 0) return void socket.destroy();
      const [waiting] = this.#waiting.splice(at, 1);
      waiting!.came(socket);
    });
    const port = await listenOn(server, this.#host, this.#range.first);
    if (port === undefined) throw new Error(`port ${this.#range.first} is taken`);
    return { server, port };
  }
}

function hope(address: string) {
  let settle: { resolve(socket: Socket): void; reject(error: Error): void };
  const socket = new Promise<Socket>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // Whoever gives up does not wait.
  socket.catch(() => undefined);
  let came: Socket | undefined;
  return {
    address,
    socket,
    came(connection: Socket) {
      came = connection;
      connection.on('error', () => undefined);
      settle.resolve(connection);
    },
    giveUp() {
      settle.reject(new Error('nobody is expected any more'));
      came?.destroy();
    },
  };
}

/** Undefined where the port is taken. */
function listenOn(server: Server, host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error));
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      server.on('error', () => undefined);
      const bound = server.address();
      resolve(bound !== null && typeof bound === 'object' ? bound.port : undefined);
    });
  });
}
