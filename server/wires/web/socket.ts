/** One WebSocket: requests in, answers and events out, bounded on both sides. What a request does, the hub knows. */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Command } from '../../../shared/commands/command.ts';
import { type CommandName, commands, isCommandName } from '../../../shared/commands/index.ts';
import { HubError } from '../../../shared/errors.ts';
import type { EventOf, HubEvent } from '../../../shared/events.ts';
import { limits } from '../../../shared/limits.ts';
import { formatBinary, parseBinary, parseJson } from '../../../shared/web/binary.ts';
import { type BinaryHead, ClientEnvelope } from '../../../shared/web/envelope.ts';
import type { EventBatch, Exchange, Session, Sink } from '../../hub/session.ts';
import { textFrame } from './frame.ts';
import { Gaps } from './gaps.ts';
import type { SocketContext } from './sockets.ts';
import { asHubError, errorBody } from './status.ts';

type ByeReason = EventOf<'BYE'>['reason'];

interface Asked {
  readonly id: string;
  readonly name: CommandName;
  readonly entry: Command;
  readonly fields: unknown;
  readonly content: Uint8Array | undefined;
  readonly octets: number;
}

export class Socket implements Sink {
  readonly #socket: WebSocket;
  /** Below it; nothing is compressed, so that whole frames may be written there between those of `ws`. */
  readonly #way: Duplex;
  readonly #context: SocketContext;
  readonly #session: Session;
  readonly #running = new Map<string, AbortController>();
  readonly #gaps = new Gaps();
  /** Read, and behind a barrier. */
  #waiting: Asked[] = [];
  #isAlone = false;
  #octets = 0;
  #replies = 0;
  #ending: ByeReason | undefined;
  #missedBeats = 0;
  #cancelBeat: (() => void) | undefined;
  #cancelLogin: (() => void) | undefined;

  constructor(socket: WebSocket, way: Duplex, session: Session, context: SocketContext) {
    this.#socket = socket;
    this.#way = way;
    this.#session = session;
    this.#context = context;
    socket.on('message', (data, isBinary) => this.#message(data as Buffer, isBinary));
    socket.on('pong', () => {
      this.#missedBeats = 0;
    });
    // What is wrong with a frame closes it; `ws` has answered already.
    socket.on('error', () => undefined);
    if (!session.person) this.#cancelLogin = context.clock.after(limits.loginMs, () => this.finish('timeout'));
    this.#beat();
  }

  deliver(batch: EventBatch): void {
    if (this.#gaps.isOpen || this.#socket.bufferedAmount > limits.eventOctetsMax) {
      return this.#gaps.drop(batch.events);
    }
    const { text, frame } = batch.encode('web', encodeEvents);
    this.#context.observed?.tap?.message('server', text);
    if (this.#socket.readyState === this.#socket.OPEN) this.#way.write(frame);
  }

  revoked(): void {
    for (const abort of this.#running.values()) abort.abort();
    this.finish('revoked');
  }

  /** The connection has taken all that was written. */
  drained(): void {
    if (this.#socket.bufferedAmount > 0 || !this.#gaps.isOpen) return;
    this.#send(JSON.stringify({ events: this.#gaps.take() }));
  }

  /** Answers what runs, says BYE and closes. */
  finish(reason: ByeReason): void {
    if (this.#ending !== undefined) return;
    this.#ending = reason;
    this.#waiting = [];
    this.#endIfIdle();
  }

  /** It is gone. */
  closed(): void {
    this.#ending ??= 'quit';
    this.#waiting = [];
    this.#cancelBeat?.();
    this.#cancelLogin?.();
    for (const abort of this.#running.values()) abort.abort();
  }

  #beat(): void {
    this.#cancelBeat = this.#context.clock.after(limits.heartbeatMs, () => {
      if (this.#missedBeats++ > 2 && !this.#socket.isPaused) return this.#socket.terminate();
      this.#socket.ping();
      this.#beat();
    });
  }

  #message(data: Buffer, isBinary: boolean): void {
    this.#missedBeats = 0;
    if (this.#ending !== undefined) return;
    this.#context.observed?.tap?.message('client', isBinary ? `(${data.length} octets)` : data.toString());
    const parts = isBinary ? parseBinary(data) : { head: parseJson(data.toString()), content: undefined };
    const parsed = ClientEnvelope.safeParse(parts?.head);
    const id = (parts?.head as { id?: unknown } | undefined)?.id;
    const known = typeof id === 'string' ? id : undefined;
    if (!parsed.success) {
      return this.#refuse(known, new HubError('bad-json', 'a message is {"id":…,"do":…,"with":{…}} or {"cancel":…}'));
    }
    const envelope = parsed.data;
    if ('cancel' in envelope) return this.#running.get(envelope.cancel)?.abort();
    const name = envelope.do.toUpperCase();
    if (!isCommandName(name)) return this.#refuse(known, new HubError('unknown-command'));
    if (this.#running.has(envelope.id)) return this.#refuse(known, new HubError('bad-argument', 'the id is in use'));
    const entry: Command = commands[name];
    this.#waiting.push({
      id: envelope.id,
      name,
      entry,
      fields: envelope.with ?? {},
      content: parts?.content,
      octets: data.length,
    });
    this.#octets += data.length;
    this.#next();
  }

  /** Begins what may begin; what changes who asks is alone. Reading stops while much is unanswered or unsent. */
  #next(): void {
    for (let [asked] = this.#waiting; asked && this.#mayBegin(asked); [asked] = this.#waiting) {
      this.#waiting.shift();
      void this.#run(asked);
    }
    const isFull =
      this.#octets > limits.unansweredOctetsMax || this.#running.size + this.#waiting.length > limits.unansweredMax;
    if (isFull) this.#socket.pause();
    else if (this.#socket.isPaused) this.#socket.resume();
  }

  #mayBegin({ entry }: Asked): boolean {
    return !this.#isAlone && (!entry.barrier || this.#running.size === 0);
  }

  async #run({ id, name, entry, fields, content, octets }: Asked): Promise<void> {
    const abort = new AbortController();
    this.#running.set(id, abort);
    this.#isAlone = entry.barrier === true;
    const exchange: Exchange = {
      signal: abort.signal,
      connection: this.#context.observed?.id,
      row: (row, event, blob) => this.#row(id, row, event, blob, abort.signal),
      ...(content && { content: { octets: content.length, pieces: [content] } }),
    };
    try {
      if (entry.open && this.#context.isShared(this.#session)) {
        throw new HubError('conflict', 'this socket has its name from a cookie');
      }
      const ok = await this.#context.hub.execute(this.#session, name, fields, exchange);
      this.#answer({ id, ok });
    } catch (error) {
      this.#refuse(id, error);
    }
    if (this.#session.person) this.#cancelLogin?.();
    if (this.#isAlone) this.#isAlone = false;
    this.#running.delete(id);
    this.#octets -= octets;
    if (this.#ending === undefined) this.#next();
    else this.#endIfIdle();
  }

  #row(
    id: string,
    row: Readonly<Record<string, unknown>>,
    event: string | undefined,
    blob: Uint8Array | undefined,
    signal: AbortSignal,
  ): void | Promise<void> {
    if (signal.aborted || this.#socket.readyState !== this.#socket.OPEN) throw new HubError('cancelled');
    const message = blob
      ? formatBinary({ id, row } satisfies BinaryHead, blob)
      : JSON.stringify({ id, row, ...(event !== undefined && { event }) });
    if (typeof message === 'string' && this.#socket.bufferedAmount < limits.outputOctetsHigh)
      return this.#send(message);
    return new Promise((resolve, reject) => {
      this.#socket.send(message, error => (error ? reject(new HubError('cancelled')) : resolve()));
    });
  }

  #refuse(id: string | undefined, error: unknown): void {
    const known = asHubError(error);
    if (!known) this.#context.log.error({ err: error }, 'a request failed');
    this.#answer({ ...(id !== undefined && { id }), ...errorBody(known ?? new HubError('internal')) });
  }

  #answer(answer: unknown): void {
    this.#replies++;
    this.#send(JSON.stringify(answer));
  }

  #send(message: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#context.observed?.tap?.message('server', message);
    this.#socket.send(message);
  }

  #endIfIdle(): void {
    if (this.#running.size > 0) return;
    const reason = this.#ending!;
    // A turn after the last answer: one's own events leave at the end of a turn.
    this.#context.clock.soon(() => {
      const bye = { event: 'BYE', reason, replies: this.#replies } as const;
      this.#send(JSON.stringify({ events: [bye] }));
      this.#socket.close(reason === 'shutting-down' ? 1001 : 1000, reason);
    });
  }
}

/** Once for all sockets that hear them. */
function encodeEvents(events: readonly HubEvent[]) {
  const text = JSON.stringify({ events });
  return { text, frame: textFrame(text) };
}
