/** One connection of the line protocol: decodes, hands requests on in order, and ends politely. What a request does is not here. */

import { HubError } from '../../../shared/errors.ts';
import type { EventOf } from '../../../shared/events.ts';
import { limits } from '../../../shared/limits.ts';
import { type Decoded, type Frame, LineDecoder } from '../../../shared/line/decoder.ts';
import { formatFrame, parseBody, type Style } from '../../../shared/line/grammar.ts';
import type { Invalid } from '../../../shared/line/invalid.ts';
import type { Session } from '../../hub/session.ts';
import type { Connection, ConnectionEvents } from '../../net/connection.ts';
import type { LineContext } from './context.ts';
import { type Beating, Heartbeat } from './heartbeat.ts';
import { Incoming } from './incoming.ts';
import { encodeEvent, type Filter, Outbox } from './outbox.ts';
import { Requests } from './requests.ts';
import { mayReadToFin, mentionsFin, readsToFin } from './until-fin.ts';
import { greetingFields } from './verbs.ts';

type ByeReason = EventOf<'BYE'>['reason'];

const plainStyle: Style = { lineEnd: '\n', form: 'words' };

export class LineConnection implements ConnectionEvents, Beating {
  readonly connection: Connection;
  readonly context: LineContext;
  readonly requests: Requests;
  style = plainStyle;
  /** The client says how much of a labelled download it takes. */
  hasCredit = false;
  /** Content of `until=fin`: all that comes from here on. */
  incoming: Incoming | undefined;
  #session: Session;
  /** Whose session this connection acts for; itself, unless it was attached. */
  #owner: LineConnection = this;
  #attached: Set<LineConnection> | undefined;
  readonly #decoder = new LineDecoder(decoderLimits);
  readonly #outbox: Outbox;
  #isPumping = false;
  #isPaused = false;
  #peerEnded = false;
  #isListening = false;
  #ending: ByeReason | undefined;
  #isOver = false;
  #cancelLogin: (() => void) | undefined;
  #cancelListening: (() => void) | undefined;
  #heartbeat: Heartbeat | undefined;

  /** Error: `shutting-down`. */
  constructor(connection: Connection, context: LineContext) {
    this.connection = connection;
    this.context = context;
    this.#session = context.hub.connect({
      wire: 'line',
      address: connection.address,
      secure: connection.secure,
      loopback: connection.isLoopback,
    });
    if (connection.observed) connection.observed.session = this.#session.id;
    this.requests = new Requests(this);
    this.#outbox = new Outbox(this);
    context.hub.subscribe(this.#session, this.#outbox);
    this.#cancelLogin = context.clock.after(limits.loginMs, () => this.finish('timeout'));
    connection.listen(this);
    const fields = greetingFields(context);
    connection.write(formatFrame({ marker: '*', name: 'PARTYLINE/1', fields }, plainStyle));
  }

  get session(): Session {
    return this.#session;
  }

  get owner(): LineConnection {
    return this.#owner;
  }

  get isOpen(): boolean {
    return !this.#isOver && this.#ending === undefined;
  }

  data(octets: Buffer): void {
    this.#heartbeat?.heard();
    if (!this.isOpen && !this.incoming) return;
    this.#decoder.push(octets);
    this.pump();
  }

  end(): void {
    this.#peerEnded = true;
    this.#decoder.end();
    // CREDIT cannot come any more.
    this.requests.releaseCredit();
    this.pump();
  }

  drain(): void {
    this.#outbox.drained();
    this.pump();
  }

  close(): void {
    this.#leave();
    this.context.closed(this);
  }

  /** A request was answered. */
  settled(): void {
    if (this.#cancelLogin && this.#session.person) {
      this.#cancelLogin();
      this.#cancelLogin = undefined;
    }
    if (this.incoming && this.requests.isIdle) {
      this.incoming = undefined;
      this.finish('drained');
    }
    if (this.#ending === undefined) {
      this.requests.next();
      this.pump();
    } else this.#endIfIdle();
  }

  /** Answers what is owed, says BYE and ends; requests that have not begun are not begun any more. */
  finish(reason: ByeReason): void {
    if (!this.isOpen) return;
    this.#ending = reason;
    this.requests.releaseCredit();
    if (this.requests.dropHeld()) this.incoming = undefined;
    for (const other of this.#attached ?? []) other.finish(reason);
    this.#endIfIdle();
  }

  /** The hub has ended the session. What still streams in will not come to its end. */
  revoked(): void {
    for (const line of [this, ...(this.#attached ?? [])]) line.incoming?.lose();
    this.finish('revoked');
  }

  get isHeard(): boolean {
    return !this.#isPaused;
  }

  ping(): void {
    this.connection.write(encodeEvent({ event: 'PING' }, this.style));
  }

  lost(): void {
    this.finish('timeout');
  }

  announce(abilities: { hasCredit: boolean; hasHeartbeat: boolean; form: Style['form'] }): void {
    this.hasCredit = abilities.hasCredit;
    this.style = { ...this.style, form: abilities.form };
    this.#heartbeat?.stop();
    this.#heartbeat = abilities.hasHeartbeat ? new Heartbeat(this.context.clock, this) : undefined;
  }

  /** Events pass the filter from here on, and the connection stays for them after the peer's FIN. Error: `conflict`. */
  listen(filter: Filter | undefined, forMs: number | undefined): void {
    if (this.#owner !== this) throw new HubError('conflict', 'an attached connection receives no events');
    this.#outbox.filter = filter;
    this.#isListening = true;
    if (forMs === undefined) return;
    this.#cancelListening?.();
    this.#cancelListening = this.context.clock.after(forMs, () => this.finish('listened'));
  }

  /** Acts for the other connection's session from here on. Error: `conflict`. */
  attach(owner: LineConnection): string {
    if (this.#session.person) throw new HubError('conflict', 'this connection has a name already; ATTACH comes first');
    this.context.hub.disconnect(this.#session);
    this.#owner = owner;
    this.#session = owner.session;
    if (this.connection.observed) this.connection.observed.session = owner.session.id;
    (owner.#attached ??= new Set()).add(this);
    return this.#session.id;
  }

  /** Begins what is decoded until a bound is reached; called again whenever one may be left. */
  pump(): void {
    if (this.#isPumping || this.#isOver) return;
    this.#isPumping = true;
    while (this.#mayTake()) {
      const decoded = this.#decoder.next();
      if (decoded) this.#take(decoded);
      else if (this.#peerEnded) {
        this.#reachedEnd();
        break;
      } else break;
    }
    this.#isPumping = false;
    const isFull = !this.#mayTake() && this.isOpen;
    if (isFull !== this.#isPaused && !this.#isOver) this.#pause(isFull);
  }

  #pause(isFull: boolean): void {
    this.#isPaused = isFull;
    if (isFull) this.connection.pause();
    else this.connection.resume();
  }

  #mayTake(): boolean {
    if (this.incoming) return !this.incoming.isFull;
    return this.isOpen && this.requests.mayBegin && this.connection.pendingOctets < limits.outputOctetsHigh;
  }

  #take(decoded: Decoded): void {
    switch (decoded.kind) {
      case 'raw':
        return this.incoming?.push(decoded.octets);
      case 'invalid':
        return this.#refuse(decoded);
      case 'frame':
        return this.#takeFrame(decoded);
      default:
        decoded satisfies never;
    }
  }

  #takeFrame(frame: Frame): void {
    if (this.style.lineEnd !== frame.lineEnd) this.style = { ...this.style, lineEnd: frame.lineEnd };
    const body = parseBody(frame.body);
    if (readsToFin(body, frame.body)) this.#receive();
    if (!('fault' in body)) return this.requests.begin(frame, body, this.incoming);
    this.requests.refuse(frame.label, body.name ?? '?', new HubError(body.fault, body.reason));
  }

  #refuse(invalid: Invalid): void {
    if (mayReadToFin(invalid)) this.#receive();
    const { label, verb, code, reason } = invalid;
    this.requests.refuse(label, verb ?? '?', new HubError(code, reason));
  }

  /** What follows is content, whatever becomes of the request: it must never be read as commands. */
  #receive(): void {
    this.#decoder.rawFromHere();
    this.incoming = new Incoming(() => this.pump());
  }

  #reachedEnd(): void {
    if (this.incoming) this.incoming.end();
    else if (!this.#isListening) this.finish('drained');
  }

  #endIfIdle(): void {
    if (this.#isOver || !this.requests.isIdle || (this.#attached?.size ?? 0) > 0) return;
    // A turn after the last reply: one's own events leave at the end of a turn, and come before the end.
    this.context.clock.soon(() => {
      if (this.#isOver) return;
      const event = { event: 'BYE', reason: this.#ending!, replies: this.requests.answered } as const;
      this.connection.write(encodeEvent(event, this.style));
      this.connection.lingerClose();
      this.#leave();
    });
  }

  /** The end for everybody else: the session is left, nothing is written any more. */
  #leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelLogin?.();
    this.#cancelListening?.();
    this.#heartbeat?.stop();
    this.incoming?.lose();
    this.requests.cancelAll();
    for (const other of this.#attached ?? []) other.finish('quit');
    if (this.#owner === this) this.context.hub.disconnect(this.#session);
    else {
      this.#owner.#attached?.delete(this);
      if (this.#owner.#ending !== undefined) this.#owner.#endIfIdle();
    }
  }
}

const decoderLimits = { ...limits, sought: mentionsFin };
