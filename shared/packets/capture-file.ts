/**
 * Capture files, read as they come and written: pcap (draft-ietf-opsawg-pcap) of either byte order and resolution, and
 * pcapng (draft-ietf-opsawg-pcapng) with several interfaces. Sans-IO: takes octets in any pieces, holds at most one record.
 */
import { OctetView } from './octet-view.ts';

export interface Captured {
  /** Milliseconds since 1970 with fractions. */
  readonly atMs: number;
  readonly linkType: number;
  readonly octets: Uint8Array;
  /** Octets on the wire: a capture may have kept fewer. */
  readonly wireOctets: number;
}

interface Interface {
  readonly linkType: number;
  readonly ticksPerMs: number;
}

const recordOctetsMax = 16 * 1024 * 1024;
const [pcapMicro, pcapNano] = [0xa1b2c3d4, 0xa1b23c4d];
const block = { section: 0x0a0d0d0a, interface: 1, simple: 3, enhanced: 6 } as const;
const byteOrder = 0x1a2b3c4d;
const timeResolution = 9;

type Format = { readonly kind: 'pcap'; readonly interface: Interface } | { readonly kind: 'pcapng' };

export class CaptureReader {
  #held = new Uint8Array(0);
  #format: Format | undefined;
  #isLittle = true;
  #interfaces: Interface[] = [];
  /** Why the rest cannot be read; undefined while all is well. */
  fault: string | undefined;

  /** The packets that these octets complete. */
  push(octets: Uint8Array): readonly Captured[] {
    const held = new Uint8Array(this.#held.length + octets.length);
    held.set(this.#held);
    held.set(octets, this.#held.length);
    const found: Captured[] = [];
    let at = 0;
    while (this.fault === undefined) {
      const view = new OctetView(held.subarray(at));
      const taken = this.#format ? this.#take(view, found) : this.#begin(view);
      if (taken === 0) break;
      at += taken;
    }
    this.#held = this.fault === undefined ? held.slice(at) : new Uint8Array(0);
    return found;
  }

  /** Octets that were understood; 0 for too few. */
  #begin(view: OctetView): number {
    if (!view.holds(0, 4)) return 0;
    if (view.u32(0) === block.section) {
      this.#format = { kind: 'pcapng' };
      return this.#block(view, []);
    }
    if (!view.holds(0, 24)) return 0;
    const isLittle = view.u32(0, true) === pcapMicro || view.u32(0, true) === pcapNano;
    const magic = view.u32(0, isLittle);
    if (magic !== pcapMicro && magic !== pcapNano) return this.#fail('it is neither pcap nor pcapng');
    this.#isLittle = isLittle;
    const ticksPerMs = magic === pcapMicro ? 1e3 : 1e6;
    this.#format = { kind: 'pcap', interface: { linkType: view.u32(20, isLittle) & 0xffff, ticksPerMs } };
    return 24;
  }

  #take(view: OctetView, found: Captured[]): number {
    if (this.#format?.kind !== 'pcap') return this.#block(view, found);
    if (!view.holds(0, 16)) return 0;
    const length = this.#u32(view, 8);
    if (length > recordOctetsMax) return this.#fail('a packet is longer than there are');
    if (!view.holds(16, length)) return 0;
    const { linkType, ticksPerMs } = this.#format.interface;
    const atMs = this.#u32(view, 0) * 1000 + this.#u32(view, 4) / ticksPerMs;
    found.push({ atMs, linkType, octets: view.part(16, 16 + length), wireOctets: this.#u32(view, 12) });
    return 16 + length;
  }

  #block(view: OctetView, found: Captured[]): number {
    if (!view.holds(0, 12)) return 0;
    const kind = view.u32(0) === block.section ? block.section : this.#u32(view, 0);
    if (kind === block.section) {
      if (view.u32(8) !== byteOrder && view.u32(8, true) !== byteOrder)
        return this.#fail('a section has no byte order');
      this.#isLittle = view.u32(8, true) === byteOrder;
      this.#interfaces = [];
    }
    const length = this.#u32(view, 4);
    if (length < 12 || length % 4 !== 0 || length > recordOctetsMax)
      return this.#fail('a block has a length that cannot be');
    if (!view.holds(0, length)) return 0;
    if (kind === block.interface && length >= 20) this.#interfaces.push(this.#interface(view, length));
    else if (kind === block.enhanced && length >= 32) this.#enhanced(view, length, found);
    else if (kind === block.simple && length >= 16) this.#simple(view, length, found);
    return length;
  }

  #interface(view: OctetView, length: number): Interface {
    let ticksPerMs = 1e3;
    for (let at = 16; at + 4 <= length - 4; ) {
      const [code, octets] = [view.u16(at, this.#isLittle), view.u16(at + 2, this.#isLittle)];
      if (code === 0) break;
      if (code === timeResolution && octets === 1) {
        const value = view.u8(at + 4);
        ticksPerMs = (value & 128 ? 2 ** (value & 127) : 10 ** value) / 1000;
      }
      at += 4 + Math.ceil(octets / 4) * 4;
    }
    return { linkType: view.u16(8, this.#isLittle), ticksPerMs };
  }

  #enhanced(view: OctetView, length: number, found: Captured[]): void {
    const from = this.#interfaces[this.#u32(view, 8)];
    const captured = this.#u32(view, 20);
    if (!from || 28 + captured > length - 4) return;
    const atMs = (this.#u32(view, 12) * 2 ** 32 + this.#u32(view, 16)) / from.ticksPerMs;
    const octets = view.part(28, 28 + captured);
    found.push({ atMs, linkType: from.linkType, octets, wireOctets: this.#u32(view, 24) });
  }

  /** It has no time. */
  #simple(view: OctetView, length: number, found: Captured[]): void {
    const [from] = this.#interfaces;
    const wireOctets = this.#u32(view, 8);
    const captured = Math.min(wireOctets, length - 16);
    if (from) found.push({ atMs: 0, linkType: from.linkType, octets: view.part(12, 12 + captured), wireOctets });
  }

  #u32(view: OctetView, at: number): number {
    return view.u32(at, this.#isLittle);
  }

  #fail(why: string): 0 {
    this.fault = why;
    return 0;
  }
}
