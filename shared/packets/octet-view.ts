/** Numbers out of octets in network order, for decoders that never throw: what lies behind the end is undefined to ask and 0 to read. */

export class OctetView {
  readonly octets: Uint8Array;
  readonly #view: DataView;

  constructor(octets: Uint8Array) {
    this.octets = octets;
    this.#view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  }

  get length(): number {
    return this.octets.length;
  }

  holds(at: number, octets: number): boolean {
    return at >= 0 && at + octets <= this.octets.length;
  }

  u8(at: number): number {
    return this.octets[at] ?? 0;
  }

  u16(at: number, isLittle = false): number {
    return this.holds(at, 2) ? this.#view.getUint16(at, isLittle) : 0;
  }

  u32(at: number, isLittle = false): number {
    return this.holds(at, 4) ? this.#view.getUint32(at, isLittle) : 0;
  }

  part(start: number, end: number): Uint8Array {
    return this.octets.subarray(Math.min(start, this.length), Math.min(Math.max(start, end), this.length));
  }
}
