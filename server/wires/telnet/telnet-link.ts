/**
 * TELNET on one connection: takes the protocol off what comes, puts it on what goes, agrees on options by table 3, and
 * finds out who is there. What a person types and reads passes through; what it means is not here.
 */

import type { Clock } from '../../../shared/clock.ts';
import { limits } from '../../../shared/limits.ts';
import type { LoneCommand, Negotiation } from '../../../shared/telnet/codes.ts';
import { TelnetDecoder } from '../../../shared/telnet/decoder.ts';
import { encodeCommand, encodeNegotiation, encodeSubnegotiation, encodeText } from '../../../shared/telnet/encoder.ts';
import { Negotiator, type Outcome, type Side } from '../../../shared/telnet/negotiation.ts';
import type { ClientKind } from '../../../shared/terminal/terminal.ts';
import type { Connection } from '../../net/connection.ts';
import { Opening } from './opening.ts';
import { codeOf, type OptionPeer, options, optionsByCode, SEND } from './options.ts';

/** Who sits behind the protocol. */
export interface LinkEvents {
  /** What the client is, as soon as it is known, and again when more is. Nothing typed comes before the first call. */
  known(kind: ClientKind): void;
  text(octets: Uint8Array): void;
  command(command: LoneCommand): void;
  resized(columns: number, rows: number): void;
}

const echo = codeOf('ECHO');
const goAhead = codeOf('SUPPRESS-GO-AHEAD');
const timingMark = codeOf('TIMING-MARK');
const terminalType = codeOf('TERMINAL-TYPE');
const endOfRecord = codeOf('END-OF-RECORD');

export class TelnetLink implements OptionPeer {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #events: LinkEvents;
  readonly #decoder = new TelnetDecoder(limits);
  readonly #negotiator = new Negotiator({
    mayEnable: (side, code) => optionsByCode.get(code)?.[side] === 'agree',
    heardMax: limits.negotiationsMax,
  });
  readonly #opening = new Opening();
  /** What came before it is known who is there. */
  #held: Uint8Array[] | undefined = [];
  #heldOctets = 0;
  readonly #cancelWaiting: () => void;
  #cancelNop: (() => void) | undefined;

  /** Says the first words. */
  constructor(connection: Connection, clock: Clock, events: LinkEvents) {
    this.#connection = connection;
    this.#clock = clock;
    this.#events = events;
    for (const { code, ours, theirs } of options) {
      if (theirs === 'ask') this.#want('theirs', code, true);
      if (ours === 'offer') this.#want('ours', code, true);
    }
    this.#cancelWaiting = clock.after(limits.telnetAnswerMs, () => this.#conclude());
  }

  data(octets: Uint8Array): void {
    for (const found of this.#decoder.push(octets)) {
      if (found.kind === 'data') this.#text(found.octets);
      else {
        this.#heard();
        if (found.kind === 'command') this.#events.command(found.command);
        else if (found.kind === 'negotiation') this.#negotiated(found.verb, found.option);
        // One that was too long says nothing that can be used.
        else if (found.kind === 'subnegotiation') {
          optionsByCode.get(found.option)?.subnegotiation?.(this, found.octets);
        }
      }
    }
  }

  /** The peer's FIN: nothing more will be learnt. */
  end(): void {
    this.#conclude();
  }

  close(): void {
    this.#cancelWaiting();
    this.#cancelNop?.();
  }

  /** `isPrompt`: clients that send lines are told that no line end follows (RFC 885, RFC 854 on GA). */
  write(text: string, isPrompt: boolean): void {
    this.#connection.write(encodeText(text));
    if (!isPrompt || !this.#opening.isTelnet || this.isEchoing) return;
    if (this.#negotiator.isOn('ours', endOfRecord)) this.send('EOR');
    else if (!this.#negotiator.isOn('ours', goAhead)) this.send('GA');
  }

  send(command: LoneCommand): void {
    this.#connection.write(encodeCommand(command));
  }

  /** We show what is typed, or hide it; the client does not. */
  get isEchoing(): boolean {
    return this.#negotiator.isOn('ours', echo);
  }

  echo(isOn: boolean): void {
    if (this.#opening.isTelnet) this.#want('ours', echo, isOn);
  }

  resized(columns: number, rows: number): void {
    this.#events.resized(columns, rows);
  }

  terminalType(name: string): void {
    const goOn = this.#opening.named(name);
    if (goOn) this.subnegotiate(terminalType, [SEND]);
    else if (this.#opening.isDone) this.#conclude();
  }

  subnegotiate(option: number, octets: readonly number[]): void {
    this.#connection.write(encodeSubnegotiation(option, octets));
  }

  on(side: Side): readonly number[] {
    return this.#negotiator.on(side);
  }

  #heard(): void {
    if (this.#opening.isTelnet) return;
    this.#opening.heard();
    this.#keepAlive();
  }

  #keepAlive(): void {
    this.#cancelNop = this.#clock.after(limits.telnetNopMs, () => {
      this.send('NOP');
      this.#keepAlive();
    });
  }

  #text(octets: Uint8Array): void {
    if (!this.#held) return this.#events.text(octets);
    this.#held.push(octets);
    this.#heldOctets += octets.length;
    if (this.#heldOctets > limits.lineOctetsMax) this.#conclude();
  }

  #negotiated(verb: Negotiation, option: number): void {
    if (option === timingMark) return this.#markTime(verb);
    const outcome = this.#negotiator.receive(verb, option);
    if (outcome) this.#act(outcome);
  }

  /** Outside the states of RFC 1143: every DO is answered, behind what was written before it. */
  #markTime(verb: Negotiation): void {
    if (verb === 'DO') this.#clock.soon(() => this.#connection.write(encodeNegotiation('WILL', timingMark)));
    else if (verb === 'WILL') this.#connection.write(encodeNegotiation('DONT', timingMark));
  }

  #want(side: Side, option: number, isOn: boolean): void {
    this.#act(this.#negotiator.want(side, option, isOn));
  }

  #act(outcome: Outcome): void {
    if (outcome.send) this.#connection.write(encodeNegotiation(outcome.send, outcome.option));
    if (this.#opening.negotiated(outcome)) this.subnegotiate(terminalType, [SEND]);
    if (outcome.refused && this.#opening.isDone) this.#conclude();
  }

  #conclude(): void {
    this.#cancelWaiting();
    const { kind } = this.#opening;
    if (kind.input === 'keys') this.echo(true);
    this.#events.known(kind);
    const held = this.#held;
    this.#held = undefined;
    for (const octets of held ?? []) this.#events.text(octets);
  }
}
