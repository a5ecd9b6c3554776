/** One captured packet, layer by layer: the frame, the datagram in it, the segment in that. Pure; never throws. */
import { checksum } from './checksum.ts';
import { type Datagram, decodeDatagram, protocols } from './ip.ts';
import { decodeFrame, type Frame } from './link-layer.ts';
import { OctetView } from './octet-view.ts';
import { decodeTcp, decodeUdp, type TcpSegment, type UdpDatagram } from './transport.ts';

export interface Packet {
  readonly frame: Frame;
  readonly datagram?: Datagram;
  /** Absent for other protocols, and in a fragment that is not the first. */
  readonly transport?: TcpSegment | UdpDatagram;
}

/** Each layer as far as it can be read; undefined where not even the frame can. */
export function decodePacket(octets: Uint8Array, linkType: number): Packet | undefined {
  const view = new OctetView(octets);
  const frame = decodeFrame(view, linkType);
  if (!frame?.protocol) return frame && { frame };
  const datagram = decodeDatagram(view, frame.octets, frame.protocol);
  if (!datagram || (datagram.fragment && datagram.fragment.offset > 0)) return { frame, ...(datagram && { datagram }) };
  const { protocol, payloadAt, end } = datagram;
  const transport =
    protocol === protocols.tcp
      ? decodeTcp(view, payloadAt, end)
      : protocol === protocols.udp
        ? decodeUdp(view, payloadAt, end)
        : undefined;
  return { frame, datagram, ...(transport && { transport }) };
}

/** False: the transport's checksum is wrong. Undefined: not all of it was captured, or UDP has none. Loopback leaves it to a card that is not there. */
export function isTransportSound(octets: Uint8Array, { frame, datagram, transport }: Packet): boolean | undefined {
  if (!datagram || !transport || datagram.fragment || datagram.end > octets.length) return undefined;
  const { version, payloadAt, end, protocol } = datagram;
  const body = octets.subarray(payloadAt, end);
  if (transport.protocol === 'udp' && version === 4 && body[6] === 0 && body[7] === 0) return undefined;
  const at = frame.octets + (version === 4 ? 12 : 8);
  const pseudo = new Uint8Array([0, 0, body.length >> 8, body.length & 255, 0, 0, 0, protocol]);
  return checksum(octets.subarray(at, at + (version === 4 ? 8 : 32)), pseudo, body) === 0;
}
