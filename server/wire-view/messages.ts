/**
 * What is said on a connection, message by message, from its octets and with every secret taken out before anybody can
 * see it. The decoders are those of the wires; when it begins in the middle, it is in step from the next message on.
 */
import { CommandDecoder } from '../../shared/ftp/command-line.ts';
import { KIB, limits } from '../../shared/limits.ts';
import { type Decoded, LineDecoder } from '../../shared/line/decoder.ts';
import { TelnetDecoder } from '../../shared/telnet/decoder.ts';
import { localCommands, slashAliases } from '../../shared/terminal/slash.ts';
import { carriesSecret, mask, maskLine, maskText } from './masking.ts';

export type Side = 'client' | 'server';
export type Say = (side: Side, text: string) => void;

export interface Messages {
  received(octets: Uint8Array): void;
  sent(octets: string | Uint8Array): void;
  /** What is typed is a secret from here on, or no longer. */
  conceal(isHidden: boolean): void;
}

/** Of a wire; undefined where octets are contents, or are told otherwise. */
export function messagesOf(wire: string, isHidden: boolean, say: Say): Messages | undefined {
  switch (wire) {
    case 'line':
      return new LineMessages(say);
    case 'ftp':
      return new FtpMessages(say);
    case 'telnet':
      return new TelnetMessages(say, isHidden);
    default:
      return undefined;
  }
}

function octetsOf(piece: string | Uint8Array): Uint8Array {
  return typeof piece === 'string' ? Buffer.from(piece) : piece;
}

class LineMessages implements Messages {
  readonly #say: Say;
  readonly #client = new LineDecoder(limits);
  readonly #server = new LineDecoder({ lineOctetsMax: 64 * KIB, blobOctetsMax: 2 * limits.blobOctetsMax });

  constructor(say: Say) {
    this.#say = say;
  }

  received(octets: Uint8Array): void {
    this.#pump('client', this.#client, octets);
  }

  sent(octets: string | Uint8Array): void {
    this.#pump('server', this.#server, octetsOf(octets));
  }

  conceal(): void {}

  #pump(side: Side, decoder: LineDecoder, octets: Uint8Array): void {
    decoder.push(Buffer.from(octets));
    for (let decoded = decoder.next(); decoded; decoded = decoder.next()) this.#say(side, shownFrame(decoded));
  }
}

function shownFrame(decoded: Decoded): string {
  switch (decoded.kind) {
    case 'frame': {
      const label = decoded.label === undefined ? '' : `#${decoded.label} `;
      const blob = decoded.blob ? `{${decoded.blob.octets}} ` : '';
      return `${label}${blob}${maskLine(decoded.body)}`;
    }
    case 'invalid':
      return `(no line of the protocol: ${decoded.reason})`;
    case 'raw':
      return `(${decoded.octets.length} octets of a file)`;
    default:
      return decoded satisfies never;
  }
}

/** Verbs whose argument nobody else may read. */
const ftpSecrets = new Set(['PASS', 'ACCT', 'ADAT', 'AUTH-TOKEN']);

class FtpMessages implements Messages {
  readonly #say: Say;
  readonly #client = new CommandDecoder(limits);
  #reply = '';

  constructor(say: Say) {
    this.#say = say;
  }

  received(octets: Uint8Array): void {
    for (const decoded of this.#client.push(octets)) {
      if (decoded.kind !== 'command') this.#say('client', `(no command: ${decoded.kind})`);
      else {
        const { verb, argument } = decoded;
        // What is no verb may be a secret that was typed one line too late.
        const isOpen = /^[A-Z]{3,4}$/.test(verb) && !ftpSecrets.has(verb);
        this.#say('client', argument === undefined ? (isOpen ? verb : mask) : `${verb} ${isOpen ? argument : mask}`);
      }
    }
  }

  sent(octets: string | Uint8Array): void {
    this.#reply += typeof octets === 'string' ? octets : Buffer.from(octets).toString();
    const lines = this.#reply.split('\r\n');
    this.#reply = lines.pop()!;
    for (const line of lines) this.#say('server', line);
  }

  conceal(): void {}
}

/** Of a line that is being typed. An escape may bring back another line that held one. */
function mayHoldSecret(typed: string): boolean {
  if (/[\u0001-\u0007\u000b\u000c\u000e-\u001f]/.test(typed)) return true;
  const verb = /^\s*\/(\S+)\s/.exec(typed)?.[1]?.toUpperCase();
  if (verb === undefined || Object.hasOwn(localCommands, verb.toLowerCase())) return false;
  return carriesSecret(slashAliases[verb] ?? verb) ?? true;
}

/** Terminals send each key as it is typed, so what is delicate is known of the line that they make up, not of one message. */
class TelnetMessages implements Messages {
  readonly #say: Say;
  readonly #client = new TelnetDecoder(limits);
  readonly #server = new TelnetDecoder(limits);
  #isHidden: boolean;
  #typed = '';
  /** What the line that was typed last, or is being typed, may hold of a secret is drawn on the screen too. */
  #isDelicate = false;
  #isNextDelicate = false;

  constructor(say: Say, isHidden: boolean) {
    this.#say = say;
    this.#isHidden = isHidden;
  }

  conceal(isHidden: boolean): void {
    this.#isHidden = isHidden;
  }

  received(octets: Uint8Array): void {
    this.#take('client', this.#client, octets, text => {
      if (this.#isHidden) return mask;
      for (const key of text) this.#type(key);
      return this.#isDelicate ? mask : text;
    });
  }

  sent(octets: string | Uint8Array): void {
    this.#take('server', this.#server, octetsOf(octets), text => (this.#isDelicate ? mask : maskText(text)));
  }

  #type(key: string): void {
    // Answers may come while the next line is being typed: it must end, without a secret, before the screen is shown again.
    if (this.#typed.endsWith('\r')) {
      this.#isDelicate = this.#isNextDelicate;
      this.#isNextDelicate = false;
      this.#typed = '';
    }
    this.#typed = key === '\b' || key === '\u007f' ? this.#typed.slice(0, -1) : this.#typed + key;
    if (!mayHoldSecret(this.#typed)) return;
    this.#isDelicate = true;
    this.#isNextDelicate = true;
  }

  #take(side: Side, decoder: TelnetDecoder, octets: Uint8Array, show: (text: string) => string): void {
    for (const found of decoder.push(octets)) {
      switch (found.kind) {
        case 'data':
          this.#say(side, show(Buffer.from(found.octets).toString()));
          break;
        case 'command':
          this.#say(side, `IAC ${found.command}`);
          break;
        case 'negotiation':
          this.#say(side, `IAC ${found.verb} ${optionName(found.option)}`);
          break;
        case 'subnegotiation':
          this.#say(
            side,
            `IAC SB ${optionName(found.option)} ${shownSubnegotiation(found.option, found.octets)} IAC SE`,
          );
          break;
        case 'too-long':
          this.#say(side, `IAC SB ${optionName(found.option)} (too long) IAC SE`);
          break;
        default:
          found satisfies never;
      }
    }
  }
}

const optionNames: ReadonlyMap<number, string> = new Map([
  [0, 'TRANSMIT-BINARY'],
  [1, 'ECHO'],
  [3, 'SUPPRESS-GO-AHEAD'],
  [5, 'STATUS'],
  [6, 'TIMING-MARK'],
  [24, 'TERMINAL-TYPE'],
  [25, 'END-OF-RECORD'],
  [31, 'NAWS'],
  [32, 'TERMINAL-SPEED'],
  [33, 'TOGGLE-FLOW-CONTROL'],
  [34, 'LINEMODE'],
  [37, 'AUTHENTICATION'],
  [38, 'ENCRYPT'],
  [39, 'NEW-ENVIRON'],
  [46, 'START-TLS'],
]);

/** As RFC 855's registry has them; the wire knows only those that it agrees to. */
function optionName(code: number): string {
  return optionNames.get(code) ?? String(code);
}

/** RFC 1091 and RFC 1073 in words, others as numbers. */
function shownSubnegotiation(option: number, octets: Uint8Array): string {
  const [first = 0, second = 0, third = 0, fourth = 0] = octets;
  if (option === 24) return first === 1 ? 'SEND' : `IS ${String.fromCharCode(...octets.subarray(1))}`;
  if (option === 31) return `${first * 256 + second} columns ${third * 256 + fourth} rows`;
  return [...octets].join(' ');
}
