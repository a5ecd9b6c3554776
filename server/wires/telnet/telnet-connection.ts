/** One person on the TELNET wire: a terminal on a connection, a session of the hub behind it, and how they end together. */

import type { CommandName } from '../../../shared/commands/index.ts';
import { HubError } from '../../../shared/errors.ts';
import { limits } from '../../../shared/limits.ts';
import type { LoneCommand } from '../../../shared/telnet/codes.ts';
import { AnswerRows } from '../../../shared/terminal/answer-rows.ts';
import { type Answer, Chat } from '../../../shared/terminal/chat.ts';
import { type ClientKind, Terminal, type WireKey } from '../../../shared/terminal/terminal.ts';
import type { EventBatch, Session, Sink } from '../../hub/session.ts';
import type { Connection, ConnectionEvents } from '../../net/connection.ts';
import type { Served } from '../../net/service.ts';
import type { TelnetContext } from './context.ts';
import { login } from './login.ts';
import { type LinkEvents, TelnetLink } from './telnet-link.ts';

export class TelnetConnection implements ConnectionEvents, LinkEvents, Served, Sink {
  readonly connection: Connection;
  readonly #context: TelnetContext;
  readonly #session: Session;
  readonly #terminal: Terminal;
  readonly #link: TelnetLink;
  #chat: Chat | undefined;
  #isKnown = false;
  #isOver = false;
  #cancelLogin: (() => void) | undefined;

  /** Errors: `shutting-down`, `banned`. */
  constructor(connection: Connection, context: TelnetContext) {
    this.connection = connection;
    this.#context = context;
    const { hub, clock } = context;
    const { address, secure, isLoopback: loopback, observed } = connection;
    this.#session = hub.connect({ wire: 'telnet', address, secure, loopback });
    if (observed) observed.session = this.#session.id;
    // Until somebody is in: whoever types ahead may have typed the password with the name.
    observed?.conceal(true);
    hub.subscribe(this.#session, this);
    this.#terminal = new Terminal({
      clock,
      write: (text, isPrompt) => this.#write(text, isPrompt),
      whenFree: paint => context.paints.add(paint),
      conceal: isHidden => this.#link.echo(isHidden),
      flow: mayRead => (mayRead ? connection.resume() : connection.pause()),
    });
    this.#cancelLogin = clock.after(limits.terminalLoginMs, () => this.#bye('nobody gave a name'));
    this.#terminal.print(`partyline · ${hub.name}`);
    this.#link = new TelnetLink(connection, clock, this);
    connection.listen(this);
  }

  data(octets: Buffer): void {
    if (!this.#isOver) this.#link.data(octets);
  }

  end(): void {
    this.#link.end();
    this.#terminal.end();
  }

  drain(): void {
    this.#terminal.resume();
  }

  close(): void {
    this.#leave();
    this.#context.closed(this);
  }

  known(kind: ClientKind): void {
    this.#terminal.describe(kind);
    if (this.#isKnown) return;
    this.#isKnown = true;
    this.#attend().catch(error => this.#failed(error));
  }

  text(octets: Uint8Array): void {
    this.#terminal.input(octets);
  }

  resized(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
  }

  command(command: LoneCommand): void {
    const key = keys[command];
    if (key) this.#terminal.key(key);
    else if (command === 'AYT') this.#terminal.print('[partyline: yes]');
    else if (command === 'AO') {
      this.#terminal.drop();
      this.#link.send('DM');
    }
  }

  deliver(batch: EventBatch): void {
    this.#chat?.events(batch.events, (key, make) => batch.encode(key, make));
  }

  revoked(): void {
    this.#bye('your session was ended');
  }

  finish(): void {
    const bye = () => this.#bye('the server is going down; come back in a moment');
    // Else what was asked would be answered when the page is read.
    this.#terminal.stopPaging();
    if (this.#chat) void this.#chat.settled().then(bye);
    else bye();
  }

  async #attend(): Promise<void> {
    const { guests, registration, clock } = this.#context;
    const { secure, isLoopback } = this.connection;
    const name = await login(this.#terminal, {
      guests,
      registration,
      isPrivate: secure || isLoopback,
      enter: async (verb, fields) => (await this.#execute(verb, fields, {})).user as string,
    });
    this.#cancelLogin?.();
    if (name === undefined) return this.#bye('goodbye');
    if (this.#isOver) return;
    this.connection.observed?.conceal(false);
    const chat = new Chat(
      this.#terminal,
      {
        clock,
        request: (verb, fields) => this.#request(verb, fields),
        watch: async (fields, row, signal) => {
          await this.#execute('WIRE', fields, { row, signal, connection: this.connection.observed?.id });
        },
        routes: (path, way) => this.#context.routes({ path, way, name, host: this.connection.localAddress }),
        // One's own last message comes at the end of the turn behind its answer.
        quit: () => clock.soon(() => clock.soon(() => this.#bye('goodbye'))),
      },
      { name },
    );
    this.#chat = chat;
    await chat.start('lobby');
  }

  async #request(verb: CommandName, fields: Readonly<Record<string, unknown>>): Promise<Answer> {
    const rows = new AnswerRows();
    const output = await this.#execute(verb, fields, {
      connection: this.connection.observed?.id,
      row: (row, name, blob) =>
        rows.add({ fields: row, ...(name !== undefined && { name }), ...(blob && { blob: Uint8Array.from(blob) }) }),
    });
    return { output, rows: rows.all };
  }

  async #execute(
    verb: CommandName,
    fields: Readonly<Record<string, unknown>>,
    exchange: Parameters<TelnetContext['hub']['execute']>[3],
  ): Promise<Readonly<Record<string, unknown>>> {
    try {
      return await this.#context.hub.execute(this.#session, verb, fields, exchange);
    } catch (error) {
      if (error instanceof HubError) throw error;
      this.#context.log.error({ err: error, verb }, 'a request failed');
      throw new HubError('internal');
    }
  }

  #write(text: string, isPrompt: boolean): void {
    this.#link.write(text, isPrompt);
    if (this.connection.pendingOctets > limits.outputOctetsHigh) this.#terminal.pause();
  }

  #failed(error: unknown): void {
    if (!(error instanceof HubError)) this.#context.log.error({ err: error }, 'a terminal failed');
    this.#bye(error instanceof HubError ? error.message : new HubError('internal').message);
  }

  /** The last words, behind all that was printed; then FIN. */
  #bye(words: string): void {
    if (this.#isOver) return;
    this.#terminal.print(words);
    this.#terminal.close();
    this.connection.lingerClose();
    this.#leave();
  }

  #leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelLogin?.();
    this.#link.close();
    this.#context.hub.disconnect(this.#session);
  }
}

const keys: Partial<Record<LoneCommand, WireKey>> = {
  IP: 'interrupt',
  BRK: 'interrupt',
  EOF: 'eof',
  EC: 'erase',
  EL: 'kill',
};
