/** One connection of the line protocol: decodes, begins requests in order, answers, and ends politely. Rules of the hub are the hub's. */
import type { Command } from '../../../shared/commands/command.ts';
import { type CommandName, commands, isCommandName } from '../../../shared/commands/index.ts';
import { HubError } from '../../../shared/errors.ts';
import type { EventOf } from '../../../shared/events.ts';
import { limits } from '../../../shared/limits.ts';
import { type Decoded, type Frame, type Invalid, LineDecoder } from '../../../shared/line/decoder.ts';
import { type Body, type Fields, formatFrame, parseBody, type Style } from '../../../shared/line/grammar.ts';
import { parseFields, requestFields } from '../../../shared/line/request.ts';
import { isSessionVerb, type SessionVerb, sessionVerbs } from '../../../shared/line/session-verbs.ts';
import type { Exchange, Session } from '../../hub/session.ts';
import type { Connection } from '../../net/connection.ts';
import type { LineContext } from './context.ts';
import { errorFrame } from './error-frame.ts';
import { Incoming } from './incoming.ts';
import { encodeEvent, type Filter, Outbox } from './outbox.ts';
import { ReplyQueue } from './replies.ts';
import { Transfer } from './transfer.ts';
import { capabilityFields, verbHandlers } from './verbs.ts';

type ByeReason = EventOf<'BYE'>['reason'];

interface Running {
  readonly abort: AbortController;
  readonly transfer: Transfer | undefined;
}

export class LineConnection {
  readonly connection: Connection;
  readonly context: LineContext;
  #session: Session;
  /** This connection owns the session, rather than acting for another's. */
  #isOwner = true;
  readonly #decoder = new LineDecoder(limits);
  readonly #replies: ReplyQueue;
  readonly #outbox: Outbox;
  #style: Style = { lineEnd: '\n', form: 'words' };
  #labelled: Map<string, Running> | undefined;
  #incoming: Incoming | undefined;
  #attached: Set<LineConnection> | undefined;
  #hasCredit = false;
  #unanswered = 0;
  #unansweredOctets = 0;
  #replyCount = 0;
  #isBlocked = false;
  #isPaused = false;
  #peerEnded = false;
  #isListening = false;
  #state: 'open' | 'ending' | 'closed' = 'open';
  #cancelTimer: (() => void) | undefined;
  #cancelHeartbeat: (() => void) | undefined;
  #silentBeats = 0;

  constructor(connection: Connection, context: LineContext) {
    this.connection = connection;
    this.context = context;
    const write = (octets: string | Uint8Array) => connection.write(octets);
    this.#replies = new ReplyQueue(write);
    this.#outbox = new Outbox({
      write: octets => this.#replies.event(octets),
      pendingOctets: () => connection.pendingOctets,
      style: () => this.#style,
    });
    this.#session = context.hub.connect({
      wire: 'line',
      address: connection.address,
      secure: connection.secure,
      loopback: connection.isLoopback,
    });
    context.hub.subscribe(this.#session, this.#outbox);
    this.#cancelTimer = context.clock.after(limits.loginMs, () => this.#nameless());
    connection.listen(this);
    const { hub, ...facts } = capabilityFields(context.hubName, context.guests);
    const fields = { hub, line: facts.line, blob: facts.blob, auth: facts.auth, caps: facts.caps };
    connection.write(formatFrame({ marker: '*', name: 'PARTYLINE/1', fields }, this.#style));
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get session(): Session {
    return this.#session;
  }

  data(octets: Buffer): void {
    this.#silentBeats = 0;
    if (this.#state !== 'open') return;
    this.#decoder.push(octets);
    this.#pump();
  }

  end(): void {
    this.#peerEnded = true;
    this.#decoder.end();
    this.#pump();
  }

  drain(): void {
    this.#outbox.drained();
    this.#pump();
  }

  close(): void {
    this.#state = 'closed';
    this.#cancelTimer?.();
    this.#cancelHeartbeat?.();
    this.#incoming?.lose();
    for (const { abort } of this.#labelled?.values() ?? []) abort.abort();
    for (const other of this.#attached ?? []) other.finish('quit');
    if (this.#isOwner) this.context.hub.disconnect(this.#session);
    this.context.closed(this);
  }

  /** Answers what is owed, says BYE and ends. */
  finish(reason: ByeReason): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    void this.#owed().then(() => this.#sayBye(reason));
  }

  /** A turn after the last reply, so that one's own events, which leave at the end of a turn, come before the end. */
  #sayBye(reason: ByeReason): void {
    this.context.clock.soon(() => {
      const event = { event: 'BYE', reason, replies: this.#replyCount } as const;
      this.connection.write(encodeEvent(event, this.#style));
      if (this.#peerEnded) this.connection.end();
      else this.connection.lingerClose();
    });
  }

  async #owed(): Promise<void> {
    await this.#replies.empty();
    while (this.#labelled && this.#labelled.size > 0)
      await new Promise<void>(resolve => this.context.clock.soon(resolve));
  }

  announce({
    hasCredit,
    hasHeartbeat,
    form,
  }: {
    hasCredit: boolean;
    hasHeartbeat: boolean;
    form: Style['form'];
  }): void {
    this.#hasCredit = hasCredit;
    this.#style = { ...this.#style, form };
    this.#cancelHeartbeat?.();
    if (hasHeartbeat) this.#beat();
  }

  /** Only events from here on, filtered; after the peer's FIN too. */
  listen(filter: Filter, forMs: number | undefined): void {
    this.#outbox.filter = filter;
    this.#isListening = true;
    if (forMs === undefined) return;
    this.#cancelTimer?.();
    this.#cancelTimer = this.context.clock.after(forMs, () => this.finish('listened'));
  }

  attach(owner: LineConnection): string {
    this.context.hub.disconnect(this.#session);
    this.#isOwner = false;
    this.#session = owner.session;
    (owner.#attached ??= new Set()).add(this);
    return this.#session.id;
  }

  cancel(label: string): void {
    this.#labelled?.get(label)?.abort.abort();
  }

  credit(label: string, octets: number): void {
    this.#labelled?.get(label)?.transfer?.allow(octets);
  }

  quit(): void {
    this.context.clock.soon(() => this.finish('quit'));
    this.#isBlocked = true;
  }

  #nameless(): void {
    if (!this.#session.person) this.finish('timeout');
  }

  #beat(): void {
    this.#cancelHeartbeat = this.context.clock.after(limits.heartbeatMs, () => {
      if (++this.#silentBeats > 2) return this.finish('timeout');
      this.connection.write(encodeEvent({ event: 'PING' }, this.#style));
      this.#beat();
    });
  }

  /** Begins what is decoded until a bound is reached; called again when one is left. */
  #pump(): void {
    while (this.#state === 'open' && this.#mayBegin()) {
      const decoded = this.#decoder.next();
      if (!decoded) {
        this.#unpause();
        if (this.#peerEnded) this.#reachedEnd();
        return;
      }
      const wait = this.#take(decoded);
      if (wait) this.#block(wait);
    }
    if (this.#state === 'open' && !this.#isPaused) {
      this.#isPaused = true;
      this.connection.pause();
    }
  }

  #unpause(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.connection.resume();
  }

  #mayBegin(): boolean {
    if (this.#incoming) return !this.#incoming.isFull;
    return (
      !this.#isBlocked &&
      this.#unanswered < limits.unansweredMax &&
      this.#unansweredOctets < limits.unansweredOctetsMax &&
      this.connection.pendingOctets < limits.outputOctetsHigh
    );
  }

  #block(wait: Promise<void>): void {
    this.#isBlocked = true;
    void wait.finally(() => {
      this.#isBlocked = false;
      this.#pump();
    });
  }

  #reachedEnd(): void {
    this.#incoming?.end();
    if (!this.#isListening && !this.#incoming) this.finish('drained');
  }

  #take(decoded: Decoded): Promise<void> | undefined {
    if (decoded.kind === 'raw') {
      this.#incoming?.push(decoded.octets);
      return undefined;
    }
    if (decoded.kind === 'invalid') return this.#refuse(decoded);
    if (this.#style.lineEnd !== decoded.lineEnd) this.#style = { ...this.#style, lineEnd: decoded.lineEnd };
    const body = parseBody(decoded.body);
    if ('fault' in body) {
      const error = new HubError(body.fault, body.reason);
      return this.#answerBad(decoded.label, body.name ?? '?', error, body.fault === 'protocol-attack');
    }
    return this.#begin(decoded, body);
  }

  #refuse({ label, verb, code, reason, fatal }: Invalid): undefined {
    this.#answerBad(label, verb ?? '?', new HubError(code, reason), fatal);
    return undefined;
  }

  #answerBad(label: string | undefined, verb: string, error: unknown, isFatal = false): undefined {
    this.#place(label)(errorFrame(label, verb, error, this.#style, this.context.log));
    if (isFatal || (error instanceof HubError && error.code === 'version')) this.finish('protocol');
    return undefined;
  }

  #begin(frame: Frame, body: Body): Promise<void> | undefined {
    const { label } = frame;
    const entry = entryOf(body.name);
    if (body.marker !== '' || !entry) {
      return this.#answerBad(label, body.name, new HubError('unknown-command', 'try HELP'));
    }
    let fields: Record<string, unknown>;
    try {
      fields = requestFields(body.name, entry, body, frame.blob);
    } catch (error) {
      return this.#answerBad(label, body.name, error);
    }
    if (body.name === 'PUT' && fields['until'] === 'fin') {
      this.#decoder.rawFromHere();
      this.#incoming = new Incoming(() => this.#pump());
    }
    const run = () => this.#run(frame, body.name, entry, fields);
    // Without a label a request sees what those before it did, so only independent ones are begun behind each other.
    const isAlone = entry.barrier || this.#incoming !== undefined || (label === undefined && !entry.independent);
    if (!isAlone) {
      void run();
      return undefined;
    }
    const before = entry.barrier || this.#incoming ? this.#owed() : this.#replies.empty();
    const alone = (async () => {
      await before;
      await run();
    })();
    // Content of `until=fin` flows while the request runs, so it must not wait for the request's end.
    return this.#incoming ? undefined : alone;
  }

  async #run(frame: Frame, verb: string, entry: Command, fields: Record<string, unknown>): Promise<void> {
    const { label } = frame;
    const octets = frame.body.length + (frame.blob?.octets ?? 0);
    this.#unansweredOctets += octets;
    const answer = this.#place(label);
    const transfer = entry.content === 'out' ? this.#newTransfer(label) : undefined;
    const running = label === undefined ? undefined : { abort: new AbortController(), transfer };
    if (running) {
      if (this.#labelled?.has(label!)) {
        this.#unansweredOctets -= octets;
        return answer(
          errorFrame(label, verb, new HubError('bad-argument', `#${label} is in use`), this.#style, this.context.log),
        );
      }
      (this.#labelled ??= new Map()).set(label!, running);
    }
    const row = (given: Fields, name = verb): void =>
      this.connection.write(formatFrame({ label, marker: '=', name, fields: given }, this.#style));
    try {
      if (transfer && this.#streaming() > limits.streamingMax) {
        throw new HubError('busy', `${limits.streamingMax} downloads run on this connection; wait for one`);
      }
      const output = isSessionVerb(verb)
        ? this.#runVerb(verb, fields, row)
        : await this.#execute(verb as CommandName, fields, frame, row, running, transfer);
      if (output) answer(formatFrame({ label, marker: '+', name: verb, fields: output }, this.#style));
      else answer('');
    } catch (error) {
      const incoming = this.#incoming;
      if (incoming) await incoming.discard();
      answer(errorFrame(label, verb, error, this.#style, this.context.log));
      if (error instanceof HubError && error.code === 'version') this.finish('protocol');
    } finally {
      this.#unansweredOctets -= octets;
      if (running) this.#labelled?.delete(label!);
      if (this.#incoming) {
        this.#incoming = undefined;
        this.finish('drained');
      } else this.#pump();
    }
  }

  #runVerb(verb: SessionVerb, fields: Record<string, unknown>, row: (fields: Fields) => void): Fields | undefined {
    const entry: Command = sessionVerbs[verb];
    if (!entry.open && !this.#session.person) {
      throw new HubError('auth-required', 'give a name first: NICK name, or LOGIN name :password');
    }
    const input = parseFields(verb, entry, fields);
    const run = verbHandlers[verb] as (line: this, input: unknown, row: (fields: Fields) => void) => Fields | undefined;
    return run(this, input, row);
  }

  #execute(
    verb: CommandName,
    fields: Record<string, unknown>,
    frame: Frame,
    row: (fields: Fields, name?: string) => void,
    running: Running | undefined,
    transfer: Transfer | undefined,
  ): Promise<Fields> {
    const content = this.#contentOf(frame);
    const exchange: Exchange = {
      row: (given, name, blob) => {
        if (blob) return transfer!.send(given as Fields, blob, this.#style);
        row(given as Fields, name);
        if (this.connection.pendingOctets > limits.outputOctetsHigh) return this.connection.drained();
      },
      ...(content && { content }),
      ...(running && { signal: running.abort.signal }),
    };
    return this.context.hub.execute(this.#session, verb, fields, exchange) as Promise<Fields>;
  }

  #contentOf(frame: Frame): Exchange['content'] {
    if (this.#incoming) return { pieces: this.#incoming };
    return frame.blob && { octets: frame.blob.octets, pieces: frame.blob.pieces };
  }

  #newTransfer(label: string | undefined): Transfer {
    const isLimited = this.#hasCredit && label !== undefined;
    return new Transfer(this.connection, label, isLimited ? limits.creditOctets : Number.POSITIVE_INFINITY);
  }

  #streaming(): number {
    let count = 0;
    for (const { transfer } of this.#labelled?.values() ?? []) if (transfer) count++;
    return count;
  }

  /** Takes a place for the final line: in order for a request without a label, at once for one with. */
  #place(label: string | undefined): (reply: string) => void {
    this.#unanswered++;
    const fill = label === undefined ? this.#replies.open() : (reply: string) => this.connection.write(reply);
    return reply => {
      this.#unanswered--;
      if (reply !== '') this.#replyCount++;
      fill(reply);
    };
  }
}

function entryOf(verb: string): Command | undefined {
  if (isSessionVerb(verb)) return sessionVerbs[verb];
  return isCommandName(verb) ? commands[verb] : undefined;
}
