/** Packets as a capture file that Wireshark opens (draft-ietf-opsawg-pcapng): one section, one Ethernet interface. Pure. */

export interface Packet {
  /** Milliseconds since 1970 with fractions. */
  readonly atMs: number;
  readonly octets: Uint8Array;
  /** As long as it was on the wire. */
  readonly wireOctets: number;
  readonly comment?: string;
}

const types = { section: 0x0a0d0d0a, interface: 1, packet: 6 } as const;
const ethernet = 1;

/** What a file begins with. */
export function pcapngHead(): Buffer {
  const section = Buffer.alloc(16);
  section.writeUInt32LE(0x1a2b3c4d, 0);
  section.writeUInt16LE(1, 4);
  // The length of the section is not known beforehand.
  section.fill(0xff, 8);
  const network = Buffer.alloc(8);
  network.writeUInt16LE(ethernet, 0);
  return Buffer.concat([block(types.section, section), block(types.interface, network)]);
}

/** One packet, with microseconds. */
export function pcapngPacket({ atMs, octets, wireOctets, comment }: Packet): Buffer {
  const micros = BigInt(Math.round(atMs * 1000));
  const head = Buffer.alloc(20);
  head.writeUInt32LE(Number(micros >> 32n), 4);
  head.writeUInt32LE(Number(micros & 0xffffffffn), 8);
  head.writeUInt32LE(octets.length, 12);
  head.writeUInt32LE(wireOctets, 16);
  return block(
    types.packet,
    Buffer.concat([head, padded(octets), ...(comment === undefined ? [] : [commentOption(comment)])]),
  );
}

function commentOption(comment: string): Buffer {
  const text = Buffer.from(comment);
  const head = Buffer.alloc(4);
  head.writeUInt16LE(1, 0);
  head.writeUInt16LE(text.length, 2);
  return Buffer.concat([head, padded(text), Buffer.alloc(4)]);
}

function block(type: number, body: Buffer): Buffer {
  const length = body.length + 12;
  const head = Buffer.alloc(8);
  head.writeUInt32LE(type, 0);
  head.writeUInt32LE(length, 4);
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE(length, 0);
  return Buffer.concat([head, body, tail]);
}

/** To whole words of 32 bits. */
function padded(octets: Uint8Array): Buffer {
  return Buffer.concat([octets, Buffer.alloc((4 - (octets.length % 4)) % 4)]);
}
