/** Rows of Linux's /proc/net/tcp and tcp6 for the pairs of ports that are asked for. Pure: octets in, rows out. */

/** States by the kernel's own numbers, from 1 (include/net/tcp_states.h). */
export const tcpStates = [
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RCVD',
  'FIN_WAIT_1',
  'FIN_WAIT_2',
  'TIME_WAIT',
  'CLOSED',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'CLOSING',
  'SYN_RCVD',
] as const;
export type TcpState = (typeof tcpStates)[number];

/** One end of a connection as the kernel has it. */
export interface SocketRow {
  readonly localPort: number;
  readonly peerPort: number;
  readonly state: TcpState;
  /** Octets sent and not acknowledged, and received and not read. */
  readonly unacknowledged: number;
  readonly unread: number;
  /** Of what is unacknowledged, how often it was sent again. */
  readonly retransmits: number;
}

/** Under which a pair of ports is looked up: a number, since there may be very many rows. */
export function pairOf(localPort: number, peerPort: number): number {
  return localPort * 65_536 + peerPort;
}

const LF = 10;
const COLON = 58;

/** The rows of the pairs, in the order of the table. `addressDigits`: 8 in /proc/net/tcp, 32 in tcp6. */
export function parseSocketTable(table: Buffer, addressDigits: 8 | 32, pairs: ReadonlySet<number>): SocketRow[] {
  const rows: SocketRow[] = [];
  // The first line names the columns.
  for (let start = table.indexOf(LF) + 1; start > 0 && start < table.length; ) {
    const end = table.indexOf(LF, start);
    const address = table.indexOf(COLON, start) + 2;
    const local = address + addressDigits + 1;
    const peer = local + 5 + addressDigits + 1;
    const [localPort, peerPort] = [hex(table, local, 4), hex(table, peer, 4)];
    if (pairs.has(pairOf(localPort, peerPort))) {
      rows.push({
        localPort,
        peerPort,
        state: tcpStates[hex(table, peer + 5, 2) - 1] ?? 'CLOSED',
        unacknowledged: hex(table, peer + 8, 8),
        unread: hex(table, peer + 17, 8),
        retransmits: hex(table, peer + 38, 8),
      });
    }
    if (end < 0) break;
    start = end + 1;
  }
  return rows;
}

function hex(table: Buffer, at: number, digits: number): number {
  let value = 0;
  for (let i = at; i < at + digits; i++) {
    const code = table[i] ?? 48;
    value = value * 16 + (code <= 57 ? code - 48 : code - 55);
  }
  return value;
}
