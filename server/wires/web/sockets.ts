/** The WebSockets that are open: who may open one, and how they all end. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { fastifyCookie } from '@fastify/cookie';
import type { FastifyBaseLogger } from 'fastify';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../../../shared/clock.ts';
import { errors, HubError } from '../../../shared/errors.ts';
import { limits } from '../../../shared/limits.ts';
import type { Hub } from '../../hub/hub.ts';
import type { Session, Sink } from '../../hub/session.ts';
import type { Observed } from '../../net/observer.ts';
import { upgradeOrigin, type WebContext } from './context.ts';
import { demandHost, demandSameOrigin } from './guard.ts';
import { Socket } from './socket.ts';
import { asHubError, errorBody } from './status.ts';
import { cookieName, credentialOf, enterAs } from './visitors.ts';

export interface SocketContext {
  readonly hub: Hub;
  readonly clock: Clock;
  readonly log: FastifyBaseLogger;
  readonly observed: Observed | undefined;
  /** A guest's session, which the requests with the same cookie share. */
  isShared(session: Session): boolean;
}

/** A session for a socket, and how it is left. */
interface Seat {
  readonly session: Session;
  join(sink: Sink): void;
  leave(): void;
}

export class Sockets {
  readonly #web: WebContext;
  readonly #log: FastifyBaseLogger;
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: limits.blobOctetsMax + limits.messageOctetsMax * 2,
  });
  readonly #open = new Set<Socket>();
  readonly #shared = new WeakSet<Session>();
  #drained: (() => void) | undefined;

  constructor(web: WebContext, log: FastifyBaseLogger) {
    this.#web = web;
    this.#log = log;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Never throws: what is refused is answered in HTTP. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const gone = () => socket.destroy();
    socket.on('error', gone);
    this.#admit(request).then(
      seat => {
        socket.off('error', gone);
        this.#server.handleUpgrade(request, socket, head, ws => this.#seat(ws, request, seat));
        if (socket.destroyed) seat.leave();
      },
      error => {
        const known = asHubError(error);
        if (!known) this.#log.error({ err: error }, 'a WebSocket was not opened');
        refuse(socket, known ?? new HubError('internal'));
      },
    );
  }

  /** Resolves when every socket is gone; what runs after `drainMs` is cut. */
  async drain(): Promise<void> {
    const gone = new Promise<void>(resolve => {
      this.#drained = resolve;
    });
    if (this.#open.size === 0) return;
    for (const socket of this.#open) socket.finish('shutting-down');
    const cut = () => {
      for (const client of this.#server.clients) client.terminate();
    };
    const cancel = this.#web.clock.after(limits.drainMs, cut);
    await gone;
    cancel();
  }

  async #admit(request: IncomingMessage): Promise<Seat> {
    if (this.#drained) throw new HubError('shutting-down');
    demandHost(request, this.#web.names);
    demandSameOrigin(request);
    if (request.url?.split('?')[0] !== '/ws') throw new HubError('no-file', 'a WebSocket is at /ws');
    const { hub, visitors, places, proxies } = this.#web;
    if (places.isFull) throw new HubError('busy', 'too many connections; come back later');
    const origin = upgradeOrigin(request, proxies);
    const credential = credentialOf(request.headers, fastifyCookie.parse(request.headers.cookie ?? '')[cookieName]);
    if (credential?.kind === 'guest-cookie') {
      const { session, sinks, leave } = await visitors.visit(credential, origin);
      this.#shared.add(session);
      let own: Sink | undefined;
      const join = (sink: Sink) => {
        own = sink;
        sinks.add(sink);
      };
      const part = () => {
        leave();
        if (own) sinks.delete(own);
      };
      return { session, join, leave: part };
    }
    const session = credential ? await enterAs(hub, credential, origin) : hub.connect(origin);
    return { session, join: sink => hub.subscribe(session, sink), leave: () => hub.disconnect(session) };
  }

  #seat(ws: WebSocket, { socket: duplex, headers }: IncomingMessage, { session, join, leave }: Seat): void {
    const { hub, clock, observer, places } = this.#web;
    places.taken++;
    const observed = observer?.of(duplex);
    // Behind a proxy the connection is not the person's own.
    if (observed && headers['x-forwarded-for'] === undefined) observed.session = session.id;
    const isShared = (one: Session) => this.#shared.has(one);
    const socket = new Socket(ws, duplex, session, { hub, clock, log: this.#log, observed, isShared });
    this.#open.add(socket);
    join(socket);
    duplex.on('drain', () => socket.drained());
    ws.on('close', () => {
      places.taken--;
      socket.closed();
      leave();
      this.#open.delete(socket);
      if (this.#open.size === 0) this.#drained?.();
    });
    if (session.signal.aborted) socket.revoked();
    else if (this.#drained) socket.finish('shutting-down');
  }
}

function refuse(socket: Duplex, error: HubError): void {
  const body = JSON.stringify(errorBody(error));
  const head = `HTTP/1.1 ${errors[error.code].http} Refused\r\nConnection: close\r\nContent-Type: application/json\r\n`;
  socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
