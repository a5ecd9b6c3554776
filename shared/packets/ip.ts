/** IPv4 (RFC 791) and IPv6 (RFC 8200) headers: addresses, lengths, and what is inside. Pure; never throws. */
import { checksum } from './checksum.ts';
import type { NetworkProtocol } from './link-layer.ts';
import type { OctetView } from './octet-view.ts';

export const protocols = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;

export interface Datagram {
  readonly version: 4 | 6;
  readonly from: string;
  readonly to: string;
  /** Time to live, or hop limit. */
  readonly ttl: number;
  /** What is inside, as IANA numbers it. */
  readonly protocol: number;
  /** Octets of the header with its options or extensions. */
  readonly octets: number;
  /** Where the payload begins in the packet, and where the datagram says that it ends. */
  readonly payloadAt: number;
  readonly end: number;
  /** Of a fragment: where its payload belongs, and whether more follow. Then only the first has a transport header. */
  readonly fragment?: { readonly offset: number; readonly hasMore: boolean };
  /** IPv4: false where the header's checksum is wrong. */
  readonly isSound?: boolean;
}

export function decodeDatagram(view: OctetView, at: number, protocol: NetworkProtocol): Datagram | undefined {
  return protocol === 'ipv4' ? ipv4(view, at) : ipv6(view, at);
}

function ipv4(view: OctetView, at: number): Datagram | undefined {
  const octets = (view.u8(at) & 15) * 4;
  if (view.u8(at) >> 4 !== 4 || octets < 20 || !view.holds(at, octets)) return undefined;
  const total = view.u16(at + 2);
  const bits = view.u16(at + 6);
  const [offset, hasMore] = [(bits & 0x1fff) * 8, (bits & 0x2000) !== 0];
  return {
    version: 4,
    from: formatIpv4(view.part(at + 12, at + 16)),
    to: formatIpv4(view.part(at + 16, at + 20)),
    ttl: view.u8(at + 8),
    protocol: view.u8(at + 9),
    octets,
    payloadAt: at + octets,
    // 0: segmentation is left to the card, and the capture has the whole.
    end: total === 0 ? view.length : at + Math.max(total, octets),
    ...((offset > 0 || hasMore) && { fragment: { offset, hasMore } }),
    isSound: checksum(view.part(at, at + octets)) === 0,
  };
}

/** Extension headers that stand between the header and what is inside (RFC 8200 §4.1). */
const extensions = new Set([0, 43, 60, 135]);
const fragmentHeader = 44;
const authenticationHeader = 51;
const headersMax = 16;

function ipv6(view: OctetView, at: number): Datagram | undefined {
  if (view.u8(at) >> 4 !== 6 || !view.holds(at, 40)) return undefined;
  const length = view.u16(at + 4);
  let next = view.u8(at + 6);
  let payloadAt = at + 40;
  let fragment: Datagram['fragment'];
  for (let headers = 0; headers < headersMax; headers++) {
    if (next === fragmentHeader && view.holds(payloadAt, 8)) {
      const bits = view.u16(payloadAt + 2);
      fragment = { offset: bits & 0xfff8, hasMore: (bits & 1) === 1 };
      next = view.u8(payloadAt);
      payloadAt += 8;
    } else if ((extensions.has(next) || next === authenticationHeader) && view.holds(payloadAt, 8)) {
      const units = view.u8(payloadAt + 1);
      const octets = next === authenticationHeader ? (units + 2) * 4 : (units + 1) * 8;
      next = view.u8(payloadAt);
      payloadAt += octets;
    } else break;
  }
  if (payloadAt > view.length) return undefined;
  return {
    version: 6,
    from: formatIpv6(view.part(at + 8, at + 24)),
    to: formatIpv6(view.part(at + 24, at + 40)),
    ttl: view.u8(at + 7),
    protocol: next,
    octets: payloadAt - at,
    payloadAt,
    end: length === 0 ? view.length : at + 40 + length,
    ...(fragment && { fragment }),
  };
}

function formatIpv4(octets: Uint8Array): string {
  return octets.join('.');
}

/** RFC 5952: the longest run of zeros is left out, the first of several, and never a lone one. */
export function formatIpv6(octets: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((octets[2 * i] ?? 0) << 8) | (octets[2 * i + 1] ?? 0));
  let [start, length] = [0, 1];
  for (let i = 0; i < 8; i++) {
    let run = 0;
    while (i + run < 8 && groups[i + run] === 0) run++;
    if (run > length) [start, length] = [i, run];
  }
  const words = (part: readonly number[]) => part.map(group => group.toString(16)).join(':');
  if (length < 2) return words(groups);
  return `${words(groups.slice(0, start))}::${words(groups.slice(start + length))}`;
}
