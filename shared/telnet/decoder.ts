/**
 * Octets of a TELNET connection → data, commands, negotiations, subnegotiations (RFC 854, 855). Sans-IO: takes any
 * octets in any pieces, never throws, holds at most one subnegotiation. Every way of saying Enter is one CR in the data.
 */
import { commandName, commands, type LoneCommand, type Negotiation } from './codes.ts';

export type Decoded =
  | { readonly kind: 'data'; readonly octets: Uint8Array }
  | { readonly kind: 'command'; readonly command: LoneCommand }
  | { readonly kind: 'negotiation'; readonly verb: Negotiation; readonly option: number }
  | { readonly kind: 'subnegotiation'; readonly option: number; readonly octets: Uint8Array }
  /** A subnegotiation was longer than the limit and is thrown away. */
  | { readonly kind: 'too-long'; readonly option: number };

const { IAC, SE, DM } = commands;
const NUL = 0;
const LF = 10;
const CR = 13;

type State =
  | 'data'
  /** Behind a CR: the LF or NUL that may follow belongs to it. */
  | 'cr'
  | 'iac'
  | 'negotiation'
  | 'option'
  | 'subnegotiation'
  | 'subnegotiation-iac'
  /** Behind an octet that is DM or begins a character of four octets. */
  | 'mark';

export class TelnetDecoder {
  readonly #octetsMax: number;
  #state: State = 'data';
  #verb: Negotiation = 'DO';
  #option = 0;
  #held: number[] = [];
  #isTooLong = false;
  #found: Decoded[] = [];
  /** Data since the last thing that was found. */
  #data: number[] = [];

  /** `subnegotiationOctetsMax`: what a longer one holds is thrown away up to its end. */
  constructor({ subnegotiationOctetsMax }: { readonly subnegotiationOctetsMax: number }) {
    this.#octetsMax = subnegotiationOctetsMax;
  }

  /** What these octets complete, in order. */
  push(octets: Uint8Array): readonly Decoded[] {
    this.#found = [];
    for (const octet of octets) this.#take(octet);
    this.#flush();
    return this.#found;
  }

  #take(octet: number): void {
    switch (this.#state) {
      case 'cr':
        this.#state = 'data';
        if (octet === LF || octet === NUL) return;
        return this.#takeData(octet);
      case 'data':
        return this.#takeData(octet);
      case 'iac':
        return this.#takeCommand(octet);
      case 'negotiation':
        this.#state = 'data';
        return this.#find({ kind: 'negotiation', verb: this.#verb, option: octet });
      case 'option':
        this.#begin(octet);
        return;
      case 'subnegotiation':
        return this.#takeInside(octet);
      case 'subnegotiation-iac':
        return this.#takeCommandInside(octet);
      case 'mark':
        return this.#takeBehindMark(octet);
      default:
        this.#state satisfies never;
    }
  }

  #takeData(octet: number): void {
    if (octet === IAC) this.#state = 'iac';
    else if (octet === CR) {
      this.#state = 'cr';
      this.#data.push(CR);
    } else if (octet === LF) this.#data.push(CR);
    else if (octet === DM) this.#state = 'mark';
    else if (octet !== NUL) this.#data.push(octet);
  }

  /**
   * A Synch is sent as urgent data, whose last octet never comes: `IAC DM` arrives as a lone DM, or as an IAC that is glued
   * to the next octet. No character in use begins with the octet of DM, and what begins with it goes on with 0x80 to 0xbf.
   */
  #takeBehindMark(octet: number): void {
    this.#state = 'data';
    if (octet >= 0x80 && octet < 0xc0) this.#data.push(DM, octet);
    else {
      this.#find({ kind: 'command', command: 'DM' });
      this.#takeData(octet);
    }
  }

  #takeCommand(octet: number): void {
    const name = commandName(octet);
    this.#state = 'data';
    switch (name) {
      case undefined:
        this.#find({ kind: 'command', command: 'DM' });
        return this.#takeData(octet);
      case 'IAC':
        this.#data.push(IAC);
        return;
      case 'WILL':
      case 'WONT':
      case 'DO':
      case 'DONT':
        this.#verb = name;
        this.#state = 'negotiation';
        return;
      case 'SB':
        this.#state = 'option';
        return;
      case 'SE':
        return;
      default:
        return this.#find({ kind: 'command', command: name });
    }
  }

  #begin(option: number): void {
    // `IAC SB IAC …`: an option 255 is not worth losing the next command for.
    if (option === IAC) this.#state = 'iac';
    else {
      this.#option = option;
      this.#held = [];
      this.#isTooLong = false;
      this.#state = 'subnegotiation';
    }
  }

  #takeInside(octet: number): void {
    if (octet === IAC) this.#state = 'subnegotiation-iac';
    else this.#hold(octet);
  }

  #hold(octet: number): void {
    if (this.#held.length < this.#octetsMax) this.#held.push(octet);
    else this.#isTooLong = true;
  }

  #takeCommandInside(octet: number): void {
    if (octet === IAC) {
      this.#hold(IAC);
      this.#state = 'subnegotiation';
      return;
    }
    const option = this.#option;
    this.#find(
      this.#isTooLong
        ? { kind: 'too-long', option }
        : { kind: 'subnegotiation', option, octets: Uint8Array.from(this.#held) },
    );
    this.#held = [];
    // Whoever forgot the end has begun something else.
    this.#state = octet === SE ? 'data' : 'iac';
    if (octet !== SE) this.#take(octet);
  }

  #find(decoded: Decoded): void {
    this.#flush();
    this.#found.push(decoded);
  }

  #flush(): void {
    if (this.#data.length === 0) return;
    this.#found.push({ kind: 'data', octets: Uint8Array.from(this.#data) });
    this.#data = [];
  }
}
