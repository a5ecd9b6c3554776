/** One FTP control connection: takes commands in order, answers them, and runs one transfer at a time beside it (RFC 959). */
import type { Socket } from 'node:net';
import { CommandDecoder, type Decoded } from '../../../shared/ftp/command-line.ts';
import { type FactName, factNames } from '../../../shared/ftp/listing.ts';
import { formatReply, type Reply, reply } from '../../../shared/ftp/reply.ts';
import { limits } from '../../../shared/limits.ts';
import type { EventBatch, Exchange, Session, Sink } from '../../hub/session.ts';
import type { Connection, ConnectionEvents } from '../../net/connection.ts';
import type { Served } from '../../net/service.ts';
import type { FtpContext } from './context.ts';
import { DataConnections, NoDataConnection } from './data-connection.ts';
import { resolvePath } from './paths.ts';
import { describeRefusal } from './refusal.ts';
import { verbs } from './verbs/index.ts';

/** What commands say for those that follow. */
export class FtpState {
  folder = '/';
  /** Given by USER, not entered yet. */
  user: string | undefined;
  isText = false;
  isCompressed = false;
  /** Of REST, for the next transfer. */
  restart = 0;
  /** Of RANG, both inclusive. */
  range: readonly [first: number, last: number] | undefined;
  renaming: string | undefined;
  /** Announced by ALLO, for the next upload. */
  announced: number | undefined;
  facts: ReadonlySet<FactName> = new Set(factNames.filter(fact => fact !== 'UNIX.mode'));
  hashName = 'SHA-256';
  isExtendedOnly = false;
  /** PBSZ was said. */
  hasBufferSize = false;
}

interface Running {
  readonly abort: AbortController;
  readonly isTransfer: boolean;
}

export class FtpConnection implements ConnectionEvents, Served, Sink {
  readonly isDeaf = true;
  readonly context: FtpContext;
  state = new FtpState();
  readonly dataConnections: DataConnections;
  #connection: Connection;
  #session: Session;
  #decoder = new CommandDecoder(limits);
  readonly #held: Decoded[] = [];
  #running: Running | undefined;
  /** A command is being answered while a transfer runs: replies keep the order of what was said. */
  #isAnsweringBeside = false;
  /** Another connection takes this one's place: what comes meanwhile was sent in clear. */
  #isSwitching = false;
  #ending: Reply | undefined;
  #peerEnded = false;
  #isOver = false;
  #errors = 0;
  /** Who waits for the command that runs. */
  #idle: (() => void)[] = [];
  #cancelIdle: (() => void) | undefined;
  #cancelLogin: (() => void) | undefined;

  /** `isImplicit`: TLS comes before the first word. Errors: `shutting-down`, `banned`. */
  constructor(connection: Connection, context: FtpContext, isImplicit: boolean) {
    this.#connection = connection;
    this.context = context;
    this.#session = this.#connect();
    this.dataConnections = new DataConnections(context, socket => this.#observeData(socket));
    this.dataConnections.isPrivate = isImplicit;
    connection.listen(this);
    this.#watchLogin();
    if (isImplicit) this.#secure(() => this.#greet());
    else this.#greet();
  }

  get connection(): Connection {
    return this.#connection;
  }

  get session(): Session {
    return this.#session;
  }

  /** The peer's FIN came without QUIT before it: as from a client that was killed. */
  get isForsaken(): boolean {
    return this.#peerEnded && !this.#held.some(held => held.kind === 'command' && held.verb === 'QUIT');
  }

  /** Of whoever is in, over all their connections. */
  pace(signal: AbortSignal): ReturnType<FtpContext['paces']['begin']> {
    return this.context.paces.begin(this.#session.person?.principal ?? '', signal);
  }

  get isTransferring(): boolean {
    return this.#running?.isTransfer === true;
  }

  /** What a path that the client wrote means. */
  path(name: string): string {
    return resolvePath(this.state.folder, name);
  }

  /** Executes a hub command. Errors: HubError. */
  async ask(
    name: Parameters<FtpContext['hub']['execute']>[1],
    fields: unknown,
    exchange?: Exchange,
  ): Promise<Readonly<Record<string, unknown>>> {
    return this.context.hub.execute(this.#session, name, fields, exchange);
  }

  /** Forgets who is there; TLS stays. */
  reinitialise(): void {
    const wasIn = this.#session.person !== undefined;
    this.context.hub.disconnect(this.#session);
    this.#session = this.#connect();
    this.state = new FtpState();
    this.dataConnections.drop();
    if (wasIn) this.#watchLogin();
  }

  /** Behind the reply that agrees to it. Whatever was sent behind AUTH in clear ends the connection. */
  switchToTls(): void {
    if (this.#held.length > 0 || this.#decoder.isAmid) {
      this.endWith(reply(421, 'Commands behind AUTH in clear are refused; connect again.'));
      return;
    }
    this.#isSwitching = true;
    this.context.clock.soon(() => this.#secure(() => undefined));
  }

  /** Runs a transfer: 150 and what was opened, then what `run` resolves to, or why not. Commands beside it are answered. */
  async transfer(opening: string, run: (signal: AbortSignal) => Promise<Reply>): Promise<Reply> {
    const { refusal } = this.dataConnections;
    if (refusal) return refusal;
    const abort = new AbortController();
    this.#running = { abort, isTransfer: true };
    this.#cancelIdle?.();
    this.#write(reply(150, opening));
    this.#next();
    try {
      return await run(abort.signal);
    } catch (error) {
      if (error instanceof NoDataConnection) return reply(425, error.message);
      if (abort.signal.aborted) return reply(426, 'The transfer was given up.');
      throw error;
    }
  }

  /** True if a transfer ran. */
  abort(): boolean {
    const { abort, isTransfer } = this.#running ?? {};
    if (!isTransfer) return false;
    abort?.abort();
    return true;
  }

  /** Resolves when the command that runs has been answered. */
  idle(): Promise<void> {
    return new Promise(resolve => {
      if (this.#running) this.#idle.push(resolve);
      else resolve();
    });
  }

  /** The last reply: FIN follows when a running transfer has ended. */
  endWith(last: Reply): void {
    this.#ending ??= last;
    this.#held.length = 0;
    this.#next();
  }

  data(octets: Buffer): void {
    this.#take(octets);
  }

  end(): void {
    this.#peerEnded = true;
    this.#next();
  }

  drain(): void {
    this.#next();
  }

  close(): void {
    this.#leave();
    this.context.closed(this);
  }

  deliver(_batch: EventBatch): void {}

  revoked(): void {
    this.abort();
    this.endWith(reply(421, 'Your session was ended.'));
  }

  finish(): void {
    this.endWith(reply(421, 'The server is going down; come back in a moment.'));
  }

  #connect(): Session {
    const { address, secure, isLoopback: loopback } = this.#connection;
    const session = this.context.hub.connect({ wire: 'ftp', address, secure, loopback });
    this.context.hub.subscribe(session, this);
    if (this.#connection.observed) this.#connection.observed.session = session.id;
    return session;
  }

  #observeData(socket: Socket): void {
    const { observed } = this.#connection;
    const data =
      observed && this.context.observer?.opened('ftp-data', socket, this.dataConnections.isPrivate, observed);
    if (data) data.session = observed.session;
  }

  #greet(): void {
    this.#write(reply(220, `partyline ${this.context.hub.name}: files and rooms. USER to enter.`));
  }

  #secure(done: () => void): void {
    this.#isSwitching = true;
    this.#connection.secured(this.dataConnections.secureContext).then(
      secured => {
        this.#connection = secured;
        this.#isSwitching = false;
        this.reinitialise();
        done();
      },
      () => this.#leave(),
    );
  }

  #take(octets: Buffer): void {
    if (this.#isOver || this.#isSwitching || this.#ending) return;
    this.#held.push(...this.#decoder.push(octets));
    if (this.#held.length > limits.commandsHeldMax) this.#connection.pause();
    this.#next();
  }

  #next(): void {
    while (!this.#isOver && !this.#isSwitching) {
      const next = this.#held[0];
      if (this.#isAnsweringBeside) return;
      if (this.#running) {
        if (!next || !this.#running.isTransfer || !isBeside(next)) return;
      } else if (this.#ending) return this.#finish(this.#ending);
      if (!next) {
        if (this.#peerEnded) this.#finish(reply(221, 'Goodbye.'));
        return;
      }
      if (this.#connection.pendingOctets > limits.outputOctetsHigh) return;
      this.#held.shift();
      if (this.#held.length === limits.commandsHeldMax) this.#connection.resume();
      this.#begin(next);
    }
  }

  #begin(decoded: Decoded): void {
    const isBesideTransfer = this.#running !== undefined;
    if (isBesideTransfer) this.#isAnsweringBeside = true;
    else {
      this.#running = { abort: new AbortController(), isTransfer: false };
      this.#watchIdle();
    }
    this.#answer(decoded).then(answer => {
      this.#write(answer);
      this.#count(answer);
      if (isBesideTransfer) this.#isAnsweringBeside = false;
      else {
        this.#running = undefined;
        for (const resolve of this.#idle.splice(0)) resolve();
        this.#watchIdle();
      }
      this.#next();
    });
  }

  async #answer(decoded: Decoded): Promise<Reply> {
    if (decoded.kind !== 'command') return this.#refuse(decoded.kind);
    const { verb: name, argument } = decoded;
    const entry = verbs.get(name);
    if (!entry) return reply(/^[A-Z]{3,4}$/.test(name) ? 502 : 500, 'There is no such command; HELP lists all.');
    if (!entry.open && !this.#session.person) return reply(530, 'Enter first: USER and PASS.');
    if (entry.argument && (argument === undefined || argument === '')) return reply(501, `Usage: ${entry.syntax}`);
    try {
      return await entry.run(this, argument ?? '');
    } catch (error) {
      return describeRefusal(error, name, this.context.log);
    }
  }

  #refuse(kind: Exclude<Decoded['kind'], 'command'>): Reply {
    switch (kind) {
      case 'overlong':
        return reply(500, `A command has at most ${limits.commandOctetsMax} octets.`);
      case 'malformed':
        return reply(501, 'The command holds an octet that cannot be in one.');
      case 'endless':
      case 'http': {
        const last = reply(421, 'This port speaks FTP.');
        this.endWith(last);
        return last;
      }
      default:
        return kind satisfies never;
    }
  }

  /** Somebody who only guesses is not waited for. */
  #count({ code }: Reply): void {
    if (this.#session.person || code < 500) return;
    if (++this.#errors >= limits.loginErrorsMax) this.endWith(reply(421, 'Too many errors; goodbye.'));
  }

  #write(answer: Reply): void {
    // The last one is written by the end itself.
    if (answer !== this.#ending) this.#connection.write(formatReply(answer));
  }

  #watchIdle(): void {
    this.#cancelIdle?.();
    if (this.#isOver || !this.#session.person) return;
    const tooLong = () => this.endWith(reply(421, 'Nothing came for too long.'));
    this.#cancelIdle = this.context.clock.after(limits.controlIdleMs, tooLong);
  }

  /** Commands do not lengthen it: nobody stays who does not enter. */
  #watchLogin(): void {
    this.#cancelLogin?.();
    this.#cancelLogin = this.context.clock.after(limits.terminalLoginMs, () => {
      if (!this.#session.person) this.endWith(reply(421, 'Nobody entered in time.'));
    });
  }

  #finish(last: Reply): void {
    this.#connection.write(formatReply(last));
    this.#connection.lingerClose();
    this.#leave();
  }

  #leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelIdle?.();
    this.#cancelLogin?.();
    this.#running?.abort.abort();
    this.dataConnections.close();
    this.context.hub.disconnect(this.#session);
  }
}

function isBeside(decoded: Decoded): boolean {
  return decoded.kind === 'command' && verbs.get(decoded.verb)?.beside === true;
}
