/**
 * TABLE 3: the TELNET options, one literal each. What is agreed to, what is asked for, the answers to subnegotiations and
 * the reference page derive from it; an option that is not here is refused.
 */
import type { Side } from '../../../shared/telnet/negotiation.ts';

/** What an option may do to the connection it is negotiated on. */
export interface OptionPeer {
  /** The client told its window's size; 0 is unknown. */
  resized(columns: number, rows: number): void;
  /** The client gave one of its terminal's names. */
  terminalType(name: string): void;
  subnegotiate(option: number, octets: readonly number[]): void;
  /** Codes of the options that are on. */
  on(side: Side): readonly number[];
}

export interface TelnetOption {
  readonly name: string;
  readonly code: number;
  readonly rfc: string;
  /** `offer`: by us, at once. `later`: by us, when it is known who is there. `agree`: when the client asks. */
  readonly ours: 'offer' | 'later' | 'agree' | 'refuse';
  /** `ask`: by us, at once. */
  readonly theirs: 'ask' | 'agree' | 'refuse';
  readonly notes: string;
  subnegotiation?(peer: OptionPeer, octets: Uint8Array): void;
}

/** First octets of subnegotiations (RFC 1091, 859). */
const IS = 0;
export const SEND = 1;

const latin = new TextDecoder('latin1');

export const options = [
  {
    name: 'ECHO',
    code: 1,
    rfc: 'RFC 857',
    ours: 'later',
    theirs: 'refuse',
    notes: 'offered to terminals, which then send each key; to clients that send lines while a password is typed',
  },
  {
    name: 'SUPPRESS-GO-AHEAD',
    code: 3,
    rfc: 'RFC 858',
    ours: 'offer',
    theirs: 'agree',
    notes: 'never asked for: some clients take that for the end of ours',
  },
  {
    name: 'STATUS',
    code: 5,
    rfc: 'RFC 859',
    ours: 'agree',
    theirs: 'refuse',
    notes: 'SEND is answered with the options that are on',
    subnegotiation(peer, octets) {
      if (octets[0] !== SEND) return;
      const [WILL, DO] = [251, 253];
      const ours = peer.on('ours').flatMap(code => [WILL, code]);
      const theirs = peer.on('theirs').flatMap(code => [DO, code]);
      peer.subnegotiate(5, [IS, ...ours, ...theirs]);
    },
  },
  {
    name: 'TIMING-MARK',
    code: 6,
    rfc: 'RFC 860',
    ours: 'agree',
    theirs: 'refuse',
    notes: 'each DO is answered behind all output before it; clients throw away what comes until then after ^C',
  },
  {
    name: 'TERMINAL-TYPE',
    code: 24,
    rfc: 'RFC 1091',
    ours: 'refuse',
    theirs: 'ask',
    notes: 'asked until a name comes twice; a name `MTTS n` says what the client can do, 64 is a screen reader',
    subnegotiation(peer, octets) {
      if (octets[0] === IS) peer.terminalType(latin.decode(octets.subarray(1)).trim());
    },
  },
  {
    name: 'END-OF-RECORD',
    code: 25,
    rfc: 'RFC 885',
    ours: 'agree',
    theirs: 'refuse',
    notes: 'EOR marks prompts for clients that send lines and asked for it',
  },
  {
    name: 'NAWS',
    code: 31,
    rfc: 'RFC 1073',
    ours: 'refuse',
    theirs: 'ask',
    notes: 'the size of the window, 0 is unknown',
    subnegotiation(peer, [c1, c0, r1, r0]) {
      if (c1 === undefined || c0 === undefined || r1 === undefined || r0 === undefined) return;
      peer.resized(c1 * 256 + c0, r1 * 256 + r0);
    },
  },
  ...(
    [
      ['TRANSMIT-BINARY', 0, 'RFC 856', 'UTF-8 passes without it, and it changes what Enter sends'],
      ['TERMINAL-SPEED', 32, 'RFC 1079', 'of no use'],
      ['TOGGLE-FLOW-CONTROL', 33, 'RFC 1372', 'of no use'],
      ['LINEMODE', 34, 'RFC 1184', 'the editor is on this side'],
      ['AUTHENTICATION', 37, 'RFC 2941', 'TLS has a port of its own'],
      ['ENCRYPT', 38, 'RFC 2946', 'TLS has a port of its own'],
      ['NEW-ENVIRON', 39, 'RFC 1572', 'nobody is who a variable says'],
      ['START-TLS', 46, 'draft-altman-telnet-starttls', 'TLS has a port of its own'],
    ] as const
  ).map(([name, code, rfc, notes]) => ({ name, code, rfc, ours: 'refuse', theirs: 'refuse', notes }) as const),
] as const satisfies readonly TelnetOption[];

export const optionsByCode: ReadonlyMap<number, TelnetOption> = new Map(options.map(option => [option.code, option]));

/** The code of an option of the table. */
export function codeOf(name: (typeof options)[number]['name']): number {
  return options.find(option => option.name === name)!.code;
}
