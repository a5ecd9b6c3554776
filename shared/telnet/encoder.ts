/** Data, commands and negotiations → octets of a TELNET connection (RFC 854, 855). */
import { commands, type LoneCommand, type Negotiation } from './codes.ts';

const { IAC, SB, SE } = commands;
const text = new TextEncoder();

/**
 * Text as the network virtual terminal wants it: LF is CR LF, a CR alone CR NUL. A CR LF stays what it is. UTF-8 has no
 * octet 255 to double.
 */
export function encodeText(from: string): Uint8Array {
  return text.encode(from.replaceAll(/\r\n|\r|\n/g, end => (end === '\r' ? '\r\0' : '\r\n')));
}

export function encodeCommand(command: LoneCommand): Uint8Array {
  return Uint8Array.of(IAC, commands[command]);
}

export function encodeNegotiation(verb: Negotiation, option: number): Uint8Array {
  return Uint8Array.of(IAC, commands[verb], option);
}

/** `IAC SB option … IAC SE`, with every 255 inside doubled. */
export function encodeSubnegotiation(option: number, octets: Iterable<number>): Uint8Array {
  const inside = [...octets].flatMap(octet => (octet === IAC ? [IAC, IAC] : [octet]));
  return Uint8Array.of(IAC, SB, option, ...inside, IAC, SE);
}
