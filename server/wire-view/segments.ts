/**
 * TCP segments from what tcpdump writes, as it comes (draft-ietf-opsawg-pcap: Ethernet, IPv4, IPv6, TCP headers). Sans-IO:
 * takes octets in any pieces, holds at most one packet, skips what is none of ours.
 */

/** One segment with the numbers of its header. */
export interface Segment {
  /** Milliseconds since 1970 with fractions. */
  readonly atMs: number;
  readonly fromPort: number;
  readonly toPort: number;
  readonly seq: number;
  readonly ack: number;
  /** In the order in which Wireshark names them. */
  readonly flags: readonly Flag[];
  readonly window: number;
  /** Octets of payload. */
  readonly length: number;
  /** `mss 65495 sackOK ts wscale 10`. */
  readonly options: string;
  /** Octets of each header. */
  readonly headers: { readonly link: number; readonly network: number; readonly transport: number };
  /** The packet as it was captured, from the link layer on. */
  readonly octets: Buffer;
  /** Where the payload begins in it. */
  readonly payloadAt: number;
}

export type Flag = 'FIN' | 'SYN' | 'RST' | 'PSH' | 'ACK' | 'URG';

const flagBits: readonly (readonly [bit: number, flag: Flag])[] = [
  [1, 'FIN'],
  [2, 'SYN'],
  [4, 'RST'],
  [8, 'PSH'],
  [16, 'ACK'],
  [32, 'URG'],
];

const magics = { micro: 0xa1b2c3d4, nano: 0xa1b23c4d } as const;
const fileHeaderOctets = 24;
const packetHeaderOctets = 16;
const ethernetOctets = 14;
const packetOctetsMax = 262_144;
const nothing = Buffer.alloc(0);

export class SegmentReader {
  #held: Buffer = nothing;
  /** Undefined before the header of the file; `lost` when the octets are no such file. */
  #ticksPerMs: number | 'lost' | undefined;

  /** True while what came is a capture. */
  get isSound(): boolean {
    return this.#ticksPerMs !== 'lost';
  }

  /** The segments that these octets complete. */
  push(octets: Buffer): readonly Segment[] {
    if (!this.isSound) return [];
    this.#held = this.#held.length === 0 ? octets : Buffer.concat([this.#held, octets]);
    if (this.#ticksPerMs === undefined && !this.#begin()) return [];
    const found: Segment[] = [];
    for (let packet = this.#next(); packet; packet = this.#next()) {
      const segment = decodeSegment(packet.octets, packet.atMs);
      if (segment) found.push(segment);
    }
    return found;
  }

  #begin(): boolean {
    if (this.#held.length < fileHeaderOctets) return false;
    const magic = this.#held.readUInt32LE(0);
    const isEthernet = (this.#held.readUInt32LE(20) & 0xffff) === 1;
    if (!isEthernet || (magic !== magics.micro && magic !== magics.nano)) this.#ticksPerMs = 'lost';
    else this.#ticksPerMs = magic === magics.micro ? 1e3 : 1e6;
    this.#held = this.#held.subarray(fileHeaderOctets);
    return this.isSound;
  }

  #next(): { readonly atMs: number; readonly octets: Buffer } | undefined {
    const held = this.#held;
    if (held.length < packetHeaderOctets || typeof this.#ticksPerMs !== 'number') return undefined;
    const length = held.readUInt32LE(8);
    if (length > packetOctetsMax) {
      this.#ticksPerMs = 'lost';
      return undefined;
    }
    if (held.length < packetHeaderOctets + length) return undefined;
    const atMs = held.readUInt32LE(0) * 1000 + held.readUInt32LE(4) / this.#ticksPerMs;
    this.#held = held.subarray(packetHeaderOctets + length);
    return { atMs, octets: held.subarray(packetHeaderOctets, packetHeaderOctets + length) };
  }
}

/** Undefined for what is not TCP, or is cut in its headers. */
function decodeSegment(octets: Buffer, atMs: number): Segment | undefined {
  if (octets.length < ethernetOctets + 20) return undefined;
  const kind = octets.readUInt16BE(12);
  const ip = ethernetOctets;
  const isSix = kind === 0x86dd;
  if (!isSix && kind !== 0x0800) return undefined;
  if (octets[isSix ? ip + 6 : ip + 9] !== 6) return undefined;
  const tcp = isSix ? ip + 40 : ip + (octets[ip]! & 15) * 4;
  const end = isSix ? tcp + octets.readUInt16BE(ip + 4) : ip + octets.readUInt16BE(ip + 2);
  if (octets.length < tcp + 20) return undefined;
  const payloadAt = tcp + (octets[tcp + 12]! >> 4) * 4;
  if (payloadAt < tcp + 20 || payloadAt > end || payloadAt > octets.length) return undefined;
  const bits = octets[tcp + 13]!;
  return {
    atMs,
    fromPort: octets.readUInt16BE(tcp),
    toPort: octets.readUInt16BE(tcp + 2),
    seq: octets.readUInt32BE(tcp + 4),
    ack: octets.readUInt32BE(tcp + 8),
    flags: flagBits.filter(([bit]) => bits & bit).map(([, flag]) => flag),
    window: octets.readUInt16BE(tcp + 14),
    length: end - payloadAt,
    options: optionWords(octets.subarray(tcp + 20, payloadAt)),
    headers: { link: ethernetOctets, network: tcp - ip, transport: payloadAt - tcp },
    octets,
    payloadAt,
  };
}

/** RFC 9293 §3.1, RFC 7323, RFC 2018; others by their number. */
function optionWords(octets: Buffer): string {
  const words: string[] = [];
  for (let at = 0; at < octets.length; ) {
    const kind = octets[at]!;
    if (kind === 0) break;
    if (kind === 1) {
      at++;
      continue;
    }
    const length = octets[at + 1] ?? 0;
    if (length < 2 || at + length > octets.length) break;
    words.push(optionWord(kind, octets.subarray(at + 2, at + length)));
    at += length;
  }
  return words.join(' ');
}

function optionWord(kind: number, value: Buffer): string {
  if (kind === 2 && value.length === 2) return `mss ${value.readUInt16BE(0)}`;
  if (kind === 3 && value.length === 1) return `wscale ${value[0]}`;
  if (kind === 4) return 'sackOK';
  if (kind === 5) return `sack ${value.length / 8}`;
  return kind === 8 ? 'ts' : `option ${kind}`;
}
