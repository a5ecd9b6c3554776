/**
 * Octets of an FTP control connection → verbs with their arguments (RFC 959 §4.1, §5.3; RFC 2640). Sans-IO: takes any
 * octets in any pieces, never throws, holds at most one line. TELNET sequences inside are taken out (RFC 1123 §4.1.2.12).
 */
import { isHttp } from '../text.ts';

export type Decoded =
  /** The verb in capitals; `argument` is all behind one space, spaces included, undefined without that space. */
  | { readonly kind: 'command'; readonly verb: string; readonly argument: string | undefined }
  /** `overlong` lines are answered once, `malformed` ones each; `endless`: no line end for too long; `http`: not for us. */
  | { readonly kind: 'overlong' | 'malformed' | 'endless' | 'http' };

export interface CommandLimits {
  readonly commandOctetsMax: number;
  /** Without a line end for so long, nobody is speaking FTP. */
  readonly endlessOctetsMax: number;
}

const [NUL, LF, CR, SPACE, EOF, DM, WILL, DONT, IAC] = [0, 10, 13, 32, 236, 242, 251, 254, 255];
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class CommandDecoder {
  readonly #limits: CommandLimits;
  #line: number[] = [];
  /** Octets of this line so far, those that are thrown away too. */
  #octets = 0;
  #telnet: 'none' | 'iac' | 'option' = 'none';
  #isOver = false;

  constructor(limits: CommandLimits) {
    this.#limits = limits;
  }

  /** True while part of a line is held: what was sent in clear before TLS, for one. */
  get isAmid(): boolean {
    return this.#octets > 0;
  }

  /** What these octets complete, in order. */
  push(octets: Uint8Array): readonly Decoded[] {
    const found: Decoded[] = [];
    for (const octet of octets) {
      if (this.#isOver) break;
      const decoded = this.#take(octet);
      if (decoded) found.push(decoded);
    }
    return found;
  }

  #take(octet: number): Decoded | undefined {
    if (this.#telnet !== 'none') return this.#takeTelnet(octet);
    if (octet === LF) return this.#end();
    this.#octets++;
    if (octet === IAC) this.#telnet = 'iac';
    // The IAC of a Synch travelled as urgent data and was lost; no verb begins with this octet.
    else if (octet !== DM || this.#line.length > 0) this.#hold(octet);
    if (this.#octets <= this.#limits.endlessOctetsMax) return undefined;
    this.#isOver = true;
    return { kind: 'endless' };
  }

  #takeTelnet(octet: number): Decoded | undefined {
    const isOption = this.#telnet === 'option';
    this.#telnet = 'none';
    if (isOption) return undefined;
    if (octet === IAC) this.#hold(IAC);
    else if (octet >= WILL && octet <= DONT) this.#telnet = 'option';
    // The DM behind it was lost: this octet is none of TELNET's.
    else if (octet < EOF) return this.#take(octet);
    return undefined;
  }

  #hold(octet: number): void {
    if (this.#line.length <= this.#limits.commandOctetsMax) this.#line.push(octet);
  }

  #end(): Decoded | undefined {
    const line = this.#line;
    this.#line = [];
    this.#octets = 0;
    if (line.length > this.#limits.commandOctetsMax) return { kind: 'overlong' };
    if (line.at(-1) === CR) line.pop();
    // A line without anything is somebody who leans on Enter.
    if (line.length === 0) return undefined;
    if (line.includes(NUL) || line.includes(CR)) return { kind: 'malformed' };
    return parseCommand(line);
  }
}

function parseCommand(line: readonly number[]): Decoded {
  let text: string;
  try {
    text = utf8.decode(Uint8Array.from(line));
  } catch {
    return { kind: 'malformed' };
  }
  if (isHttp(text)) return { kind: 'http' };
  const space = line.indexOf(SPACE);
  if (space < 0) return { kind: 'command', verb: text.toUpperCase(), argument: undefined };
  const end = text.indexOf(' ');
  return { kind: 'command', verb: text.slice(0, end).toUpperCase(), argument: text.slice(end + 1) };
}
