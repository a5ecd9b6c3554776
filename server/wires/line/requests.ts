/** The requests of one connection: begun in order, answered in order or under their label, counted, and when asked given up. */
import type { Command } from '../../../shared/commands/command.ts';
import { parseFields } from '../../../shared/commands/fields.ts';
import { type CommandName, commands } from '../../../shared/commands/index.ts';
import { type ErrorCode, errors, HubError } from '../../../shared/errors.ts';
import { limits } from '../../../shared/limits.ts';
import type { Frame } from '../../../shared/line/decoder.ts';
import { type Body, type Fields, formatFrame } from '../../../shared/line/grammar.ts';
import { requestFields } from '../../../shared/line/request.ts';
import { isSessionVerb, type SessionVerb, sessionVerbs } from '../../../shared/line/session-verbs.ts';
import { errorFrame } from './error-frame.ts';
import type { Incoming } from './incoming.ts';
import type { LineConnection } from './line-connection.ts';
import { LineRequest } from './line-request.ts';
import { ReplyQueue, type Slot } from './replies.ts';
import { verbHandlers } from './verbs.ts';

export class Requests {
  readonly replies: ReplyQueue;
  readonly #line: LineConnection;
  #labelled: Map<string, LineRequest> | undefined;
  /** Read, and not begun before those in front of it are answered. */
  #held: LineRequest | undefined;
  /** Running, and nothing behind it begins. */
  #alone: LineRequest | undefined;
  #running = 0;
  #runningOctets = 0;
  #streaming = 0;
  #answered = 0;

  constructor(line: LineConnection) {
    this.#line = line;
    this.replies = new ReplyQueue(line.connection);
  }

  /** Final lines sent. */
  get answered(): number {
    return this.#answered;
  }

  get isIdle(): boolean {
    return this.#running === 0;
  }

  get mayBegin(): boolean {
    if (this.#held || this.#alone || this.#runningOctets >= limits.unansweredOctetsMax) return false;
    return this.#running - this.#streaming < limits.unansweredMax;
  }

  begin(frame: Frame, body: Body, incoming: Incoming | undefined): void {
    const { label, blob } = frame;
    const { name } = body;
    const entry = body.marker === '' ? entries.get(name) : undefined;
    if (!entry) return this.refuse(label, name, new HubError('unknown-command', 'try HELP'));
    let fields: Record<string, unknown>;
    try {
      fields = requestFields(name, entry, body, blob);
      if (label !== undefined && this.#labelled?.has(label)) throw new HubError('bad-argument', `#${label} is in use`);
      if (incoming && blob) throw new HubError('bad-argument', 'until=fin and a blob exclude each other');
    } catch (error) {
      return this.refuse(label, name, error);
    }
    const request = new LineRequest(this.#line, name, entry, fields, frame, incoming);
    if (this.#mayStart(request)) this.#start(request);
    else this.#hold(request);
  }

  /** Answers what cannot be a request. Content behind it is read to its end first. */
  refuse(label: string | undefined, verb: string, error: unknown): void {
    const { incoming, connection } = this.#line;
    const slot: Slot = { reply: undefined, behind: undefined };
    this.#running++;
    if (label === undefined) this.replies.open(slot);
    const answer = () => {
      const frame = this.#errorFrame(label, verb, error);
      if (label === undefined) this.replies.fill(slot, frame);
      else connection.write(frame);
      this.#answered++;
      this.#running--;
      this.#line.settled();
    };
    if (incoming) void incoming.discard().then(answer);
    else answer();
  }

  cancel(label: string): void {
    this.#labelled?.get(label)?.cancel();
  }

  allow(label: string, octets: number): void {
    this.#labelled?.get(label)?.allow(octets);
  }

  /** No CREDIT can come any more: what streams is limited by the connection alone. */
  releaseCredit(): void {
    for (const request of this.#labelled?.values() ?? []) request.allow(Number.POSITIVE_INFINITY);
  }

  /** What was read and not begun is not begun any more; true if there was such a request. */
  dropHeld(): boolean {
    const wasHeld = this.#held !== undefined;
    this.#held = undefined;
    return wasHeld;
  }

  /** The connection is gone. */
  cancelAll(): void {
    this.dropHeld();
    this.#alone?.cancel();
    for (const request of this.#labelled?.values() ?? []) request.cancel();
  }

  /** What a request that waits may need has changed. */
  next(): void {
    const held = this.#held;
    if (!held || !this.#mayStart(held)) return;
    this.#held = undefined;
    this.#start(held);
  }

  /**
   * Without a label a request sees what those before it did, so only independent ones begin behind each other; a barrier
   * waits for all, also for labelled ones.
   */
  #mayStart({ entry, label }: LineRequest): boolean {
    if (entry.barrier || this.#line.incoming) return this.#running === 0;
    return label !== undefined || entry.independent === true || this.replies.isEmpty;
  }

  #hold(request: LineRequest): void {
    this.#held = request;
    // Nothing behind a barrier is read, so no CREDIT comes that could end what it waits for.
    if (request.entry.barrier || this.#line.incoming) this.releaseCredit();
  }

  #start(request: LineRequest): void {
    const { label, entry, verb } = request;
    this.#running++;
    this.#runningOctets += request.octets;
    if (label === undefined) this.replies.open(request);
    else (this.#labelled ??= new Map()).set(label, request);
    if (entry.barrier || (label === undefined && !entry.independent)) this.#alone = request;
    try {
      if (request.isStreaming) this.#admitStream(request);
      if (isSessionVerb(verb)) this.#succeed(request, this.#runVerb(request, verb));
      else this.#execute(request, verb as CommandName);
    } catch (error) {
      this.#fail(request, error);
    }
  }

  #admitStream(request: LineRequest): void {
    if (++this.#streaming > limits.streamingMax) {
      throw new HubError('busy', `${limits.streamingMax} downloads run on this connection; wait for one`);
    }
    if (this.#line.hasCredit) request.limitCredit();
  }

  #runVerb(request: LineRequest, verb: SessionVerb): Fields | undefined {
    const entry: Command = sessionVerbs[verb];
    if (!entry.open && !this.#line.session.person) {
      throw new HubError('auth-required', 'give a name first: NICK name, or LOGIN name :password');
    }
    const input = parseFields(verb, entry, request.fields);
    const row = (fields: Fields) => void request.row(fields);
    const run = verbHandlers[verb] as (
      line: LineConnection,
      input: unknown,
      row: (fields: Fields) => void,
    ) => Fields | undefined;
    return run(this.#line, input, row);
  }

  #execute(request: LineRequest, verb: CommandName): void {
    const { session, context } = this.#line;
    context.hub.execute(session, verb, request.fields, request).then(
      fields => this.#succeed(request, fields as Fields),
      error => this.#fail(request, error),
    );
  }

  #succeed(request: LineRequest, fields: Fields | undefined): void {
    const { label, verb } = request;
    this.#end(request, fields && formatFrame({ label, marker: '+', name: verb, fields }, this.#line.style));
  }

  #fail(request: LineRequest, error: unknown): void {
    const end = () => this.#end(request, this.#errorFrame(request.label, request.verb, error));
    const { incoming } = this.#line;
    if (incoming) void incoming.discard().then(end);
    else end();
  }

  #errorFrame(label: string | undefined, verb: string, error: unknown): string {
    const { style, context } = this.#line;
    if (error instanceof HubError && isFatal(error.code)) this.#line.finish('protocol');
    return errorFrame(label, verb, error, style, context.log);
  }

  /** Without a reply for the verbs that are not answered. */
  #end(request: LineRequest, reply: string | undefined): void {
    const { label } = request;
    if (reply !== undefined) this.#answered++;
    if (label === undefined) this.replies.fill(request, reply ?? '');
    else {
      this.#labelled!.delete(label);
      if (reply !== undefined) this.#line.connection.write(reply);
    }
    if (request.isStreaming) this.#streaming--;
    if (this.#alone === request) this.#alone = undefined;
    this.#running--;
    this.#runningOctets -= request.octets;
    this.#line.settled();
  }
}

const entries = new Map<string, Command>([...Object.entries(commands), ...Object.entries(sessionVerbs)]);

function isFatal(code: ErrorCode): boolean {
  return errors[code].class === 'fatal';
}
