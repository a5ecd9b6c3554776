/** One FTP control connection: takes commands in order, answers them, and runs one transfer at a time beside it (RFC 959). */
import type { Socket } from 'node:net';
import { formatReply, type Reply, reply } from '../../../shared/ftp/reply.ts';
import { limits } from '../../../shared/limits.ts';
import { resolvePath } from '../../../shared/paths.ts';
import type { EventBatch, Exchange, Session, Sink } from '../../hub/session.ts';
import type { Connection, ConnectionEvents } from '../../net/connection.ts';
import type { Served } from '../../net/service.ts';
import { CommandQueue } from './command-queue.ts';
import type { FtpContext } from './context.ts';
import { DataConnections, NoDataConnection } from './data-connection.ts';
import { Deadlines } from './deadlines.ts';
import { dispatch, isBeside } from './dispatch.ts';
import { FtpState } from './state.ts';

export class FtpConnection implements ConnectionEvents, Served, Sink {
  readonly isDeaf = true;
  readonly context: FtpContext;
  state = new FtpState();
  readonly dataConnections: DataConnections;
  #connection: Connection;
  #session: Session;
  readonly #commands: CommandQueue;
  readonly #deadlines: Deadlines;
  /** Another connection takes this one's place: what comes meanwhile was sent in clear. */
  #isSwitching = false;
  #ending: Reply | undefined;
  #peerEnded = false;
  #isOver = false;
  #errors = 0;

  /** `isImplicit`: TLS comes before the first word. Errors: `shutting-down`, `banned`. */
  constructor(connection: Connection, context: FtpContext, isImplicit: boolean) {
    this.#connection = connection;
    this.context = context;
    this.#session = this.#connect();
    this.dataConnections = new DataConnections(context, socket => this.#observeData(socket));
    this.dataConnections.isPrivate = isImplicit;
    this.#commands = new CommandQueue(this.#attendant());
    this.#deadlines = new Deadlines(context.clock, this);
    connection.listen(this);
    this.#deadlines.awaitLogin();
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
    return this.#peerEnded && !this.#commands.holds('QUIT');
  }

  /** Of whoever is in, over all their connections. */
  pace(signal: AbortSignal): ReturnType<FtpContext['paces']['begin']> {
    return this.context.paces.begin(this.#session.person?.principal ?? '', signal);
  }

  get isIn(): boolean {
    return this.#session.person !== undefined;
  }

  get isTransferring(): boolean {
    return this.#commands.isTransferring;
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
    const wasIn = this.isIn;
    this.context.hub.disconnect(this.#session);
    this.#session = this.#connect();
    this.state = new FtpState();
    this.dataConnections.drop();
    if (wasIn) this.#deadlines.awaitLogin();
  }

  /** Behind the reply that agrees to it. Whatever was sent behind AUTH in clear ends the connection. */
  switchToTls(): void {
    if (this.#commands.hasMore) {
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
    const signal = this.#commands.becomeTransfer();
    this.#write(reply(150, opening));
    this.#commands.next();
    try {
      return await run(signal);
    } catch (error) {
      if (error instanceof NoDataConnection) return reply(425, error.message);
      if (signal.aborted) return reply(426, 'The transfer was given up.');
      throw error;
    }
  }

  /** True if a transfer ran. */
  abort(): boolean {
    if (!this.isTransferring) return false;
    this.#commands.abort();
    return true;
  }

  /** Resolves when the command that runs has been answered. */
  idle(): Promise<void> {
    return this.#commands.idle();
  }

  /** The last reply: FIN follows when a running transfer has ended. */
  endWith(last: Reply): void {
    this.#ending ??= last;
    this.#commands.clear();
    this.#commands.next();
  }

  data(octets: Buffer): void {
    if (this.#isOver || this.#isSwitching || this.#ending) return;
    this.#commands.push(octets);
    if (this.#commands.isFull) this.#connection.pause();
  }

  end(): void {
    this.#peerEnded = true;
    this.#commands.next();
  }

  drain(): void {
    this.#commands.next();
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

  #attendant(): ConstructorParameters<typeof CommandQueue>[0] {
    return {
      isReady: () => !this.#isOver && !this.#isSwitching && this.#connection.pendingOctets <= limits.outputOctetsHigh,
      isBeside,
      run: command => {
        if (!this.#commands.isFull) this.#connection.resume();
        this.#deadlines.moved();
        return dispatch(this, command);
      },
      answered: answer => {
        this.#write(answer);
        this.#count(answer);
        this.#deadlines.moved();
      },
      atRest: () => {
        const last = this.#ending ?? (this.#peerEnded ? reply(221, 'Goodbye.') : undefined);
        if (last && !this.#isOver && !this.#isSwitching) this.#finish(last);
      },
    };
  }

  /** Somebody who only guesses is not waited for. */
  #count({ code }: Reply): void {
    if (this.isIn || code < 500) return;
    if (++this.#errors >= limits.loginErrorsMax) this.endWith(reply(421, 'Too many errors; goodbye.'));
  }

  #write(answer: Reply): void {
    // The last one is written by the end itself.
    if (answer !== this.#ending) this.#connection.write(formatReply(answer));
  }

  #finish(last: Reply): void {
    this.#connection.write(formatReply(last));
    this.#connection.lingerClose();
    this.#leave();
  }

  #leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deadlines.stop();
    this.#commands.abort();
    this.dataConnections.close();
    this.context.hub.disconnect(this.#session);
  }
}
