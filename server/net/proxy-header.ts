/**
 * The header that a proxy puts in front of a connection: version 1 as a line of text, version 2 in binary, as HAProxy's
 * `proxy-protocol.txt` describes them. Octets in, a value out; who may send one is not decided here.
 */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { limits } from '../../shared/limits.ts';

export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'invalid'; readonly reason: string }
  /** `octets` long; `address` is the peer's, or left out where the proxy speaks for itself or does not know. */
  | { readonly kind: 'header'; readonly octets: number; readonly address?: string };

const incomplete: ProxyHeader = { kind: 'incomplete' };
const textStart = Buffer.from('PROXY ');
const binaryStart = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** The longest line of version 1, with its CRLF (§2.1). */
const textOctetsMax = 107;
/** Family and transport of version 2 (§2.2) that name a TCP peer → octets of one address. */
const addressOctets: Readonly<Record<number, 4 | 16>> = { 17: 4, 33: 16 };
/** UNSPEC, and streams of UNIX sockets, whose addresses mean nothing here. */
const unnamed: readonly number[] = [0x00, 0x31];

/** What the first octets of a connection are. They are decided as soon as they cannot become a header any more. */
export function decodeProxyHeader(octets: Buffer): ProxyHeader {
  if (startsLike(octets, textStart)) return octets.length < textStart.length ? incomplete : decodeText(octets);
  if (startsLike(octets, binaryStart)) return octets.length < 16 ? decodeHead(octets) : decodeBinary(octets);
  return invalid('there is none');
}

function startsLike(octets: Buffer, start: Buffer): boolean {
  const length = Math.min(octets.length, start.length);
  return octets.subarray(0, length).equals(start.subarray(0, length));
}

function decodeText(octets: Buffer): ProxyHeader {
  const end = octets.subarray(0, textOctetsMax).indexOf('\n');
  if (end < 0) return octets.length < textOctetsMax ? incomplete : invalid('its line is too long');
  const line = octets.subarray(0, end).toString('latin1');
  if (!line.endsWith('\r')) return invalid('its line does not end with CRLF');
  const [, family, source = '', target = '', ...ports] = line.slice(0, -1).split(' ');
  const header = { kind: 'header', octets: end + 1 } as const;
  if (family === 'UNKNOWN') return header;
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6Bare : undefined;
  if (!isAddress) return invalid('its family is none of TCP4, TCP6, UNKNOWN');
  if (!isAddress(source) || !isAddress(target)) return invalid(`its addresses are not of ${family}`);
  if (ports.length !== 2 || !ports.every(isPort)) return invalid('its ports are not two numbers');
  return { ...header, address: plainAddress(source) };
}

/** Version and command are known before the rest. */
function decodeHead(octets: Buffer): ProxyHeader {
  const command = octets[binaryStart.length];
  if (command === undefined || command === 0x20 || command === 0x21) return incomplete;
  return invalid('its version or command is unknown');
}

function decodeBinary(octets: Buffer): ProxyHeader {
  const head = decodeHead(octets);
  if (head.kind === 'invalid') return head;
  const length = 16 + octets.readUInt16BE(14);
  if (length > limits.proxyHeaderOctetsMax) return invalid('it is too long');
  const family = octets[13]!;
  const size = addressOctets[family];
  const isLocal = octets[12] === 0x20;
  if (!isLocal && size === undefined && !unnamed.includes(family)) return invalid('its family is not TCP');
  if (!isLocal && size !== undefined && length < 16 + 2 * size + 4) return invalid('it is too short for its addresses');
  if (octets.length < length) return incomplete;
  const header = { kind: 'header', octets: length } as const;
  return isLocal || size === undefined ? header : { ...header, address: textOf(octets.subarray(16, 16 + size)) };
}

function textOf(address: Buffer): string {
  if (address.length === 4) return address.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => address.readUInt16BE(2 * i).toString(16));
  return plainAddress(groups.join(':'));
}

/** In the one form that bans are compared by; an IPv4 address within IPv6 is that IPv4 address. */
export function plainAddress(address: string): string {
  const plain = isIPv6(address) ? new SocketAddress({ address, family: 'ipv6' }).address : address;
  return plain.replace(/^::ffff:(?=[\d.]+$)/, '');
}

function isIPv6Bare(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

function isPort(text: string): boolean {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function invalid(reason: string): ProxyHeader {
  return { kind: 'invalid', reason };
}
