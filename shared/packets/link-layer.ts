/** The frame around a datagram: which protocol is inside, and where it begins. Pure. */
import type { OctetView } from './octet-view.ts';

/** LINKTYPE_ values of the capture formats (draft-ietf-opsawg-pcaplinktype). */
export const linkTypes = {
  null: 0,
  ethernet: 1,
  raw: 101,
  loop: 108,
  sll: 113,
  ipv4: 228,
  ipv6: 229,
  sll2: 276,
} as const;

export type NetworkProtocol = 'ipv4' | 'ipv6';

export interface Frame {
  readonly kind: 'ethernet' | 'cooked' | 'loopback' | 'none';
  /** Octets of the header. */
  readonly octets: number;
  /** Undefined: neither IPv4 nor IPv6. */
  readonly protocol: NetworkProtocol | undefined;
  /** EUI-48 as `02:00:00:00:00:01`; on Ethernet. */
  readonly to?: string;
  readonly from?: string;
  /** IEEE 802.1Q identifiers, outermost first. */
  readonly vlans?: readonly number[];
}

const etherTypes: Readonly<Record<number, NetworkProtocol>> = { 2048: 'ipv4', 34525: 'ipv6' };
const tagged = new Set([0x8100, 0x88a8, 0x9100]);
/** Address families of BSD's loopback: AF_INET is 2 everywhere, AF_INET6 differs. */
const families: Readonly<Record<number, NetworkProtocol>> = {
  2: 'ipv4',
  10: 'ipv6',
  24: 'ipv6',
  28: 'ipv6',
  30: 'ipv6',
};

/** Undefined where the frame is cut in its header, or of a type that is not known. */
export function decodeFrame(view: OctetView, linkType: number): Frame | undefined {
  switch (linkType) {
    case linkTypes.ethernet:
      return view.holds(0, 14) ? ethernet(view) : undefined;
    case linkTypes.sll:
      return view.holds(0, 16) ? { kind: 'cooked', octets: 16, protocol: etherTypes[view.u16(14)] } : undefined;
    case linkTypes.sll2:
      return view.holds(0, 20) ? { kind: 'cooked', octets: 20, protocol: etherTypes[view.u16(0)] } : undefined;
    case linkTypes.null:
    case linkTypes.loop:
      if (!view.holds(0, 4)) return undefined;
      return { kind: 'loopback', octets: 4, protocol: families[view.u32(0)] ?? families[view.u32(0, true)] };
    case linkTypes.ipv4:
    case linkTypes.ipv6:
    case linkTypes.raw:
      return { kind: 'none', octets: 0, protocol: ({ 4: 'ipv4', 6: 'ipv6' } as const)[view.u8(0) >> 4] };
    default:
      return undefined;
  }
}

function ethernet(view: OctetView): Frame | undefined {
  const vlans: number[] = [];
  let at = 12;
  while (tagged.has(view.u16(at))) {
    if (!view.holds(at, 6)) return undefined;
    vlans.push(view.u16(at + 2) & 0xfff);
    at += 4;
  }
  return {
    kind: 'ethernet',
    octets: at + 2,
    protocol: etherTypes[view.u16(at)],
    to: formatMac(view.part(0, 6)),
    from: formatMac(view.part(6, 12)),
    ...(vlans.length > 0 && { vlans }),
  };
}

function formatMac(octets: Uint8Array): string {
  return [...octets].map(octet => octet.toString(16).padStart(2, '0')).join(':');
}
