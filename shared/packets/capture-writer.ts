/** Packets as a pcapng file that Wireshark opens (draft-ietf-opsawg-pcapng): one section, one interface. Pure. */

const [sectionBlock, interfaceBlock, packetBlock] = [0x0a0d0d0a, 1, 6];
const byteOrder = 0x1a2b3c4d;
const [optionEnd, comment, timeResolution] = [0, 1, 9];
const microseconds = 6;

export interface Written {
  /** Milliseconds since 1970 with fractions. */
  readonly atMs: number;
  readonly octets: Uint8Array;
  /** Octets on the wire, where fewer were kept. */
  readonly wireOctets?: number;
  /** Shown beside the packet. */
  readonly comment?: string;
}

/** What stands before the packets. */
export function captureHead(linkType: number): Uint8Array {
  const section = words(byteOrder, 1, 0xffffffff, 0xffffffff);
  // Version 1.0 as two numbers of 16 bits.
  section.set([1, 0, 0, 0], 4);
  const described = join(words(linkType, 0), option(timeResolution, Uint8Array.of(microseconds)), option(optionEnd));
  return join(framed(sectionBlock, section), framed(interfaceBlock, described));
}

export function capturePacket({ atMs, octets, wireOctets = octets.length, comment: said }: Written): Uint8Array {
  const ticks = Math.round(atMs * 1000);
  const head = words(0, Math.floor(ticks / 2 ** 32), ticks % 2 ** 32, octets.length, wireOctets);
  const options = said === undefined ? [] : [option(comment, new TextEncoder().encode(said)), option(optionEnd)];
  return framed(packetBlock, join(head, padded(octets), ...options));
}

function framed(kind: number, body: Uint8Array): Uint8Array {
  const length = body.length + 12;
  return join(words(kind, length), body, words(length));
}

function option(code: number, value: Uint8Array = new Uint8Array(0)): Uint8Array {
  const head = new DataView(new ArrayBuffer(4));
  head.setUint16(0, code, true);
  head.setUint16(2, value.length, true);
  return join(new Uint8Array(head.buffer), padded(value));
}

function words(...numbers: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * numbers.length));
  for (const [i, number] of numbers.entries()) view.setUint32(4 * i, number, true);
  return new Uint8Array(view.buffer);
}

function padded(octets: Uint8Array): Uint8Array {
  return join(octets, new Uint8Array((4 - (octets.length % 4)) % 4));
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
