/** Messages of the WebSocket that carry content: a JSON head stands before the octets. Without the schemas, for those who only need the form. */
import type { BinaryHead } from './envelope.ts';

const headOctetsMax = 16_384;

/** Four octets, big-endian, say how long the head is; the rest is content. */
export function formatBinary(head: BinaryHead, content: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(head));
  const message = new Uint8Array(4 + text.length + content.length);
  new DataView(message.buffer).setUint32(0, text.length);
  message.set(text, 4);
  message.set(content, 4 + text.length);
  return message;
}

/** The head as it was sent, unchecked, and the content; undefined for what is not of this form. */
export function parseBinary(message: Uint8Array): { readonly head: unknown; readonly content: Uint8Array } | undefined {
  if (message.length < 4) return undefined;
  const octets = new DataView(message.buffer, message.byteOffset, message.length).getUint32(0);
  if (octets > headOctetsMax || 4 + octets > message.length) return undefined;
  const head = parseJson(new TextDecoder().decode(message.subarray(4, 4 + octets)));
  return head === undefined ? undefined : { head, content: message.subarray(4 + octets) };
}

/** Undefined for what is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
