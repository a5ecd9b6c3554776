/** CRC-32 as zip has it (ISO 3309), running on over pieces. Pure. */

const table = Uint32Array.from({ length: 256 }, (_, octet) => {
  let value = octet;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** `before`: of the octets in front of these; 0 for none. */
export function crc32(octets: Uint8Array, before: number): number {
  let value = ~before;
  for (const octet of octets) value = (value >>> 8) ^ table[(value ^ octet) & 255]!;
  return ~value >>> 0;
}
