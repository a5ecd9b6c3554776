/** The Internet checksum (RFC 1071): the complement of the ones' complement sum of 16-bit words. */

/** Over all parts as if they stood one behind the other, each of an even length but the last. 0 where a right one is included. */
export function checksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; at += 2) sum += (part[at]! << 8) | (part[at + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}
