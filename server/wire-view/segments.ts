/** TCP segments from what tcpdump writes, as it comes; what is none is passed over. Sans-IO. */
import { type Captured, CaptureReader } from '../../shared/packets/capture-file.ts';
import { decodePacket } from '../../shared/packets/packet.ts';
import { type Flag, formatOption } from '../../shared/packets/transport.ts';

/** One segment with the numbers of its header. */
export interface Segment {
  /** Milliseconds since 1970 with fractions. */
  readonly atMs: number;
  readonly fromPort: number;
  readonly toPort: number;
  readonly seq: number;
  readonly ack: number;
  /** In the order in which Wireshark names them. */
  readonly flags: readonly Flag[];
  readonly window: number;
  /** Octets of payload. */
  readonly length: number;
  /** `mss 65495 sackOK ts wscale 10`. */
  readonly options: string;
  /** Octets of each header. */
  readonly headers: { readonly link: number; readonly network: number; readonly transport: number };
  /** The packet as it was captured, from the link layer on. */
  readonly octets: Buffer;
  /** Where the payload begins in it. */
  readonly payloadAt: number;
}

export class SegmentReader {
  readonly #reader = new CaptureReader();

  /** True while what came is a capture. */
  get isSound(): boolean {
    return this.#reader.fault === undefined;
  }

  /** The segments that these octets complete. */
  push(octets: Buffer): readonly Segment[] {
    return this.#reader.push(octets).flatMap(captured => segmentOf(captured) ?? []);
  }
}

function segmentOf({ atMs, octets, linkType }: Captured): Segment | undefined {
  const { frame, datagram, transport } = decodePacket(octets, linkType) ?? {};
  if (!frame || !datagram || transport?.protocol !== 'tcp' || transport.payloadAt > octets.length) return undefined;
  const { fromPort, toPort, seq, ack, flags, window, length, options, payloadAt } = transport;
  return {
    ...{ atMs, fromPort, toPort, seq, ack, flags, window, length, payloadAt },
    options: options.map(formatOption).join(' '),
    headers: { link: frame.octets, network: datagram.octets, transport: transport.octets },
    octets: Buffer.from(octets.buffer, octets.byteOffset, octets.length),
  };
}
