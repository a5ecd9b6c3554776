/** TCP (RFC 9293) and UDP (RFC 768) headers, with TCP's options. Pure; never throws. */
import type { OctetView } from './octet-view.ts';

export const flagNames = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'] as const;
export type Flag = (typeof flagNames)[number];

export type TcpOption =
  | { readonly kind: 'mss'; readonly octets: number }
  | { readonly kind: 'window-scale'; readonly shift: number }
  | { readonly kind: 'sack-permitted' }
  | { readonly kind: 'sack'; readonly blocks: readonly (readonly [from: number, to: number])[] }
  | { readonly kind: 'timestamps'; readonly value: number; readonly echo: number }
  | { readonly kind: 'other'; readonly number: number; readonly octets: number };

export interface TcpSegment {
  readonly protocol: 'tcp';
  readonly fromPort: number;
  readonly toPort: number;
  readonly seq: number;
  readonly ack: number;
  /** In the order of their bits, as Wireshark names them. */
  readonly flags: readonly Flag[];
  /** As it stands in the header, before it is scaled. */
  readonly window: number;
  readonly options: readonly TcpOption[];
  /** Octets of the header. */
  readonly octets: number;
  readonly payloadAt: number;
  /** Octets of payload, as the datagram says; a capture may hold fewer. */
  readonly length: number;
}

export interface UdpDatagram {
  readonly protocol: 'udp';
  readonly fromPort: number;
  readonly toPort: number;
  readonly octets: 8;
  readonly payloadAt: number;
  readonly length: number;
}

/** `end`: where the datagram around it ends. Undefined where it is cut in its header, or its header says nonsense. */
export function decodeTcp(view: OctetView, at: number, end: number): TcpSegment | undefined {
  if (!view.holds(at, 20)) return undefined;
  const octets = (view.u8(at + 12) >> 4) * 4;
  const payloadAt = at + octets;
  if (octets < 20 || payloadAt > end || !view.holds(at, octets)) return undefined;
  const bits = view.u8(at + 13);
  return {
    protocol: 'tcp',
    fromPort: view.u16(at),
    toPort: view.u16(at + 2),
    seq: view.u32(at + 4),
    ack: view.u32(at + 8),
    flags: flagNames.filter((_, bit) => bits & (1 << bit)),
    window: view.u16(at + 14),
    options: decodeOptions(view, at + 20, payloadAt),
    octets,
    payloadAt,
    length: end - payloadAt,
  };
}

export function decodeUdp(view: OctetView, at: number, end: number): UdpDatagram | undefined {
  if (!view.holds(at, 8)) return undefined;
  const length = view.u16(at + 4) - 8;
  if (length < 0 || at + 8 + length > end) return undefined;
  const [fromPort, toPort] = [view.u16(at), view.u16(at + 2)];
  return { protocol: 'udp', fromPort, toPort, octets: 8, payloadAt: at + 8, length };
}

/** RFC 9293 §3.2, RFC 7323, RFC 2018. What is cut or says nonsense ends the list. */
function decodeOptions(view: OctetView, start: number, end: number): readonly TcpOption[] {
  const options: TcpOption[] = [];
  for (let at = start; at < end; ) {
    const kind = view.u8(at);
    if (kind === 0) break;
    if (kind === 1) {
      at++;
      continue;
    }
    const length = at + 1 < end ? view.u8(at + 1) : 0;
    if (length < 2 || at + length > end) break;
    options.push(decodeOption(view, kind, at + 2, length - 2));
    at += length;
  }
  return options;
}

function decodeOption(view: OctetView, number: number, at: number, octets: number): TcpOption {
  if (number === 2 && octets === 2) return { kind: 'mss', octets: view.u16(at) };
  if (number === 3 && octets === 1) return { kind: 'window-scale', shift: view.u8(at) };
  if (number === 4 && octets === 0) return { kind: 'sack-permitted' };
  if (number === 5 && octets % 8 === 0) {
    const starts = Array.from({ length: octets / 8 }, (_, i) => at + 8 * i);
    return { kind: 'sack', blocks: starts.map(one => [view.u32(one), view.u32(one + 4)] as const) };
  }
  if (number === 8 && octets === 8) return { kind: 'timestamps', value: view.u32(at), echo: view.u32(at + 4) };
  return { kind: 'other', number, octets };
}

/** `mss 65495`, `wscale 10`, `sackOK`, `ts`, `sack 1`. */
export function formatOption(option: TcpOption): string {
  switch (option.kind) {
    case 'mss':
      return `mss ${option.octets}`;
    case 'window-scale':
      return `wscale ${option.shift}`;
    case 'sack-permitted':
      return 'sackOK';
    case 'sack':
      return `sack ${option.blocks.length}`;
    case 'timestamps':
      return 'ts';
    case 'other':
      return `option ${option.number}`;
  }
}
