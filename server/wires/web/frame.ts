/** A WebSocket frame of one's own: `ws` makes a new head for each socket, this one is written to all of them as it is. */

/** A whole text message of RFC 6455 §5.2, unmasked and uncompressed. */
export function textFrame(text: string): Buffer {
  const octets = Buffer.byteLength(text);
  const head = octets < 126 ? 2 : octets < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + octets);
  frame[0] = 0x81;
  frame[1] = head === 2 ? octets : head === 4 ? 126 : 127;
  if (head === 4) frame.writeUInt16BE(octets, 2);
  if (head === 10) frame.writeBigUInt64BE(BigInt(octets), 2);
  frame.write(text, head);
  return frame;
}
