/** Captured packets: files of either kind and in any pieces, headers as tshark reads them, and octets that are no packets at all. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import t from 'tap';
import { type Captured, CaptureReader } from '../../shared/packets/capture-file.ts';
import { captureHead, capturePacket } from '../../shared/packets/capture-writer.ts';
import { checksum } from '../../shared/packets/checksum.ts';
import { formatIpv6 } from '../../shared/packets/ip.ts';
import { linkTypes } from '../../shared/packets/link-layer.ts';
import { decodePacket, isTransportSound } from '../../shared/packets/packet.ts';
import { formatOption } from '../../shared/packets/transport.ts';
import { assertProperty } from '../support/properties.ts';
import { tempDir } from '../support/temp-dir.ts';
import { requireTool, run } from '../support/tools.ts';

const u16 = (value: number) => [(value >> 8) & 255, value & 255];
const u32 = (value: number) => [...u16(value >>> 16), ...u16(value & 0xffff)];

interface TcpWish {
  readonly ports?: readonly [from: number, to: number];
  readonly seq?: number;
  readonly ack?: number;
  readonly flags: number;
  readonly options?: readonly number[];
  readonly payload?: readonly number[];
}

function tcp({ ports = [40_000, 7070], seq = 1, ack = 0, flags, options = [], payload = [] }: TcpWish): number[] {
  const padding = Array.from({ length: (4 - (options.length % 4)) % 4 }, () => 1);
  const length = 20 + options.length + padding.length;
  const head = [...u16(ports[0]), ...u16(ports[1]), ...u32(seq), ...u32(ack), (length / 4) << 4, flags, 255, 255];
  return [...head, 0, 0, 0, 0, ...options, ...padding, ...payload];
}

const udp = (payload: readonly number[]) => [
  ...u16(40_001),
  ...u16(40_002),
  ...u16(8 + payload.length),
  0,
  0,
  ...payload,
];

function ipv4(
  protocol: number,
  body: readonly number[],
  { options = [] as readonly number[], bits = 0 } = {},
): number[] {
  const octets = 20 + options.length;
  const head = [0x40 | (octets / 4), 0, ...u16(octets + body.length), 0, 7, ...u16(bits), 64, protocol, 0, 0];
  const header = [...head, 127, 0, 0, 1, 127, 0, 0, 2, ...options];
  const sum = checksum(Uint8Array.from(header));
  header.splice(10, 2, ...u16(sum));
  return [...header, ...summed(protocol, header.slice(12, 20), body)];
}

function ipv6(
  protocol: number,
  body: readonly number[],
  extensions: readonly number[] = [],
  first = protocol,
): number[] {
  const addresses = [...Array(15).fill(0), 1, 0x20, 1, 0x0d, 0xb8, ...Array(11).fill(0), 9];
  const inside = [...extensions, ...summed(protocol, addresses, body)];
  return [0x60, 0, 0, 0, ...u16(inside.length), first, 64, ...addresses, ...inside];
}

/** With the transport's checksum in its place. */
function summed(protocol: number, addresses: readonly number[], body: readonly number[]): number[] {
  const at = protocol === 6 ? 16 : 6;
  const pseudo = Uint8Array.from([...u16(body.length), 0, 0, 0, protocol]);
  const sum = checksum(Uint8Array.from(addresses), pseudo, Uint8Array.from(body));
  return body.length > at ? [...body.slice(0, at), ...u16(sum), ...body.slice(at + 2)] : [...body];
}

const ethernet = (kind: number, body: readonly number[], vlan: readonly number[] = []) => [
  ...[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2],
  ...vlan,
  ...u16(kind),
  ...body,
];
const timestamps = [8, 10, ...u32(5), ...u32(6)];
const syn = tcp({ flags: 2, seq: 0xfffffff0, options: [2, 4, ...u16(65_495), 4, 2, ...timestamps, 3, 3, 10] });
const sack = tcp({ flags: 16, seq: 9, ack: 77, options: [5, 10, ...u32(100), ...u32(200)] });
const data = tcp({ flags: 24, seq: 2, ack: 3, payload: [...Buffer.from('PING hello\n')] });

const packets: readonly (readonly [name: string, octets: readonly number[]])[] = [
  ['SYN with its options', ethernet(0x0800, ipv4(6, syn))],
  ['data', ethernet(0x0800, ipv4(6, data))],
  ['selective acknowledgement, IPv6', ethernet(0x86dd, ipv6(6, sack))],
  ['behind options of IPv4', ethernet(0x0800, ipv4(6, data, { options: [1, 1, 1, 0] }))],
  ['on a virtual LAN', ethernet(0x0800, ipv4(6, data), [0x81, 0, 0, 42])],
  ['behind extensions of IPv6', ethernet(0x86dd, ipv6(6, data, [6, 0, 1, 4, 0, 0, 0, 0], 0))],
  ['UDP', ethernet(0x0800, ipv4(17, udp([1, 2, 3])))],
  ['UDP over IPv6', ethernet(0x86dd, ipv6(17, udp([])))],
  ['RST', ethernet(0x0800, ipv4(6, tcp({ flags: 20 })))],
];

t.test('headers are read as tshark reads them', async t => {
  const tshark = requireTool(t, 'tshark');
  if (tshark === undefined) return;
  const file = join(await tempDir(t), 'made.pcapng');
  const written = packets.map(([, octets], i) =>
    capturePacket({ atMs: 1_700_000_000_000 + i, octets: Uint8Array.from(octets) }),
  );
  await writeFile(file, Buffer.concat([captureHead(linkTypes.ethernet), ...written]));
  const fields =
    'ip.src ipv6.src tcp.srcport udp.srcport tcp.seq_raw tcp.ack_raw tcp.flags tcp.len tcp.hdr_len vlan.id';
  const checks = ['-o', 'tcp.check_checksum:TRUE', '-o', 'udp.check_checksum:TRUE', '-o', 'ip.check_checksum:TRUE'];
  const asked = fields.split(' ').flatMap(field => ['-e', field]);
  const { stdout } = await run(tshark, ['-r', file, ...checks, '-T', 'fields', ...asked]);
  const told = packets.map(([, octets]) => {
    const packet = decodePacket(Uint8Array.from(octets), linkTypes.ethernet)!;
    const { datagram, transport, frame } = packet;
    const segment = transport?.protocol === 'tcp' ? transport : undefined;
    const bits = segment?.flags.reduce(
      (sum, flag) => sum | (1 << ['FIN', 'SYN', 'RST', 'PSH', 'ACK'].indexOf(flag)),
      0,
    );
    return [
      datagram?.version === 4 ? datagram.from : '',
      datagram?.version === 6 ? datagram.from : '',
      segment?.fromPort ?? '',
      segment ? '' : transport?.fromPort,
      segment?.seq ?? '',
      segment?.ack ?? '',
      bits === undefined ? '' : `0x${bits.toString(16).padStart(4, '0')}`,
      segment?.length ?? '',
      segment?.octets ?? '',
      frame.vlans?.join() ?? '',
    ].join('\t');
  });
  t.same(stdout.toString().replace(/\n$/, '').split('\n'), told);
  const wrong = await run(tshark, [
    '-r',
    file,
    ...checks,
    '-Y',
    '_ws.malformed || tcp.checksum.status == 0 || udp.checksum.status == 0',
  ]);
  t.equal(wrong.stdout.toString(), '', 'and finds no fault in what we wrote');
  for (const [name, octets] of packets) {
    const whole = Uint8Array.from(octets);
    t.equal(isTransportSound(whole, decodePacket(whole, linkTypes.ethernet)!), true, name);
    whole[whole.length - 1]! ^= 1;
    t.equal(isTransportSound(whole, decodePacket(whole, linkTypes.ethernet)!), false, `${name}, one bit changed`);
  }
});

t.test('options have the words that people know', async t => {
  const { transport } = decodePacket(Uint8Array.from(packets[0]![1]), linkTypes.ethernet)!;
  t.equal(
    transport?.protocol === 'tcp' && transport.options.map(formatOption).join(' '),
    'mss 65495 sackOK ts wscale 10',
  );
  const cut = decodePacket(Uint8Array.from(ethernet(0x0800, ipv4(6, tcp({ flags: 2, options: [2, 40, 1, 1] })))), 1);
  t.same(cut?.transport, { ...cut?.transport, options: [] }, 'what says nonsense ends the list');
});

t.test('a fragment says where it belongs, and only the first has a segment', async t => {
  const first = decodePacket(Uint8Array.from(ipv4(6, data, { bits: 0x2000 })), linkTypes.raw);
  t.match(first, {
    frame: { kind: 'none' },
    datagram: { fragment: { offset: 0, hasMore: true } },
    transport: { length: 11 },
  });
  const later = decodePacket(Uint8Array.from(ipv4(6, data, { bits: 3 })), linkTypes.raw);
  t.match(later, { datagram: { fragment: { offset: 24, hasMore: false } }, transport: undefined });
  const six = decodePacket(Uint8Array.from(ipv6(6, data, [6, 0, 0, 9, 0, 0, 0, 1], 44)), linkTypes.raw);
  t.match(six, { datagram: { fragment: { offset: 8, hasMore: true }, octets: 48 }, transport: undefined });
});

t.test('other links', async t => {
  const inside = ipv4(6, data);
  const links: readonly (readonly [number, readonly number[]])[] = [
    [linkTypes.sll, [...Array(14).fill(0), ...u16(0x0800)]],
    [linkTypes.sll2, [...u16(0x0800), ...Array(18).fill(0)]],
    [linkTypes.null, [2, 0, 0, 0]],
    [linkTypes.loop, [0, 0, 0, 2]],
    [linkTypes.ipv4, []],
  ];
  for (const [type, head] of links) {
    t.match(decodePacket(Uint8Array.from([...head, ...inside]), type), { transport: { length: 11, fromPort: 40_000 } });
  }
  t.equal(decodePacket(Uint8Array.from(inside), 9_999), undefined);
  t.equal(formatIpv6(Uint8Array.from([...u16(0x2001), ...Array(12).fill(0), 0, 1])), '2001::1');
  t.equal(formatIpv6(new Uint8Array(16)), '::');
  t.equal(
    formatIpv6(Uint8Array.from([1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])),
    '101:0:101:101:101:101:101:101',
  );
});

function pcap(isLittle: boolean, isNano: boolean, captured: readonly Captured[]): Buffer {
  const words = (...numbers: readonly number[]) => {
    const out = Buffer.alloc(4 * numbers.length);
    for (const [i, number] of numbers.entries())
      isLittle ? out.writeUInt32LE(number, 4 * i) : out.writeUInt32BE(number, 4 * i);
    return out;
  };
  const records = captured.flatMap(({ atMs, octets, wireOctets }) => [
    words(Math.floor(atMs / 1000), (atMs % 1000) * (isNano ? 1e6 : 1e3), octets.length, wireOctets),
    octets,
  ]);
  const version = isLittle ? 0x00040002 : 0x00020004;
  return Buffer.concat([words(isNano ? 0xa1b23c4d : 0xa1b2c3d4, version, 0, 0, 65_535, 1), ...records]);
}

function readIn(pieces: readonly Uint8Array[]): {
  readonly found: readonly Captured[];
  readonly fault: string | undefined;
} {
  const reader = new CaptureReader();
  return { found: pieces.flatMap(piece => reader.push(piece)), fault: reader.fault };
}

const cut = (octets: Uint8Array, sizes: readonly number[]) => {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const size of [...sizes, octets.length]) {
    pieces.push(octets.subarray(at, at + size));
    at += size;
  }
  return pieces;
};

const anyPacket = fc.record({
  atMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  octets: fc.uint8Array({ maxLength: 100 }),
  comment: fc.option(fc.string(), { nil: undefined }),
});

t.test('what is written is read again, in any pieces, and from any kind of file', async t => {
  assertProperty(
    t,
    'pcapng',
    fc.property(fc.array(anyPacket, { maxLength: 5 }), fc.array(fc.nat(40), { maxLength: 30 }), (wished, sizes) => {
      const file = Buffer.concat([
        captureHead(linkTypes.raw),
        ...wished.map(({ comment, ...rest }) => capturePacket({ ...rest, ...(comment !== undefined && { comment }) })),
      ]);
      const { found, fault } = readIn(cut(file, sizes));
      const expected = wished.map(({ atMs, octets }) => [atMs, linkTypes.raw, Buffer.from(octets).toString('hex')]);
      const told = found.map(({ atMs, linkType, octets }) => [atMs, linkType, Buffer.from(octets).toString('hex')]);
      return fault === undefined && JSON.stringify(told) === JSON.stringify(expected);
    }),
    500,
  );
  const captured = [{ atMs: 1_700_000_000_123, linkType: 1, octets: Uint8Array.of(1, 2, 3), wireOctets: 9 }];
  for (const isLittle of [true, false]) {
    for (const isNano of [true, false]) {
      const { found } = readIn(cut(pcap(isLittle, isNano, captured), [1, 5, 20, 3]));
      t.same(found, captured, `pcap, ${isLittle ? 'little' : 'big'} endian, ${isNano ? 'nano' : 'micro'}seconds`);
    }
  }
});

t.test('octets that are no capture and no packet are told or passed over, and nothing is thrown', async t => {
  t.equal(readIn([Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')]).fault, 'it is neither pcap nor pcapng');
  const heads = [captureHead(1), pcap(true, false, []), new Uint8Array(0)];
  assertProperty(
    t,
    'a reader',
    fc.property(
      fc.constantFrom(...heads),
      fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }),
      (head, noise) => {
        readIn([head, ...noise]);
        return true;
      },
    ),
  );
  const started = packets.map(([, octets]) => octets);
  assertProperty(
    t,
    'a decoder',
    fc.property(
      fc.constantFrom(...Object.values(linkTypes)),
      fc.oneof(
        fc.uint8Array({ maxLength: 120 }),
        fc
          .tuple(fc.constantFrom(...started), fc.array(fc.tuple(fc.nat(90), fc.nat(255))), fc.nat(90))
          .map(([octets, changes, length]) => {
            const changed = Uint8Array.from(octets);
            for (const [at, value] of changes) if (at < changed.length) changed[at] = value;
            return changed.subarray(0, length);
          }),
      ),
      (linkType, octets) => {
        const packet = decodePacket(octets, linkType);
        if (packet) isTransportSound(octets, packet);
        const { transport } = packet ?? {};
        return transport === undefined || (transport.length >= 0 && transport.payloadAt >= 0);
      },
    ),
  );
});
