/**
 * The states of TCP connections as the kernel sees them (RFC 9293 §3.3.2), from /proc/net/tcp and tcp6: for tests that
 * hold a connection half-closed. It reads; it changes nothing.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEADLINE_MS } from './inbox.ts';

/** The kernel's numbers, from 1 (include/net/tcp_states.h). */
const STATES = [
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECEIVED',
  'FIN_WAIT_1',
  'FIN_WAIT_2',
  'TIME_WAIT',
  'CLOSED',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'CLOSING',
  'SYN_RECEIVED',
] as const;

export type TcpState = (typeof STATES)[number];

/** Both ends of one connection; an end that the kernel no longer knows is CLOSED. */
export interface TcpStates {
  readonly near: TcpState;
  readonly far: TcpState;
}

const POLL_MS = 5;
const ROW = /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]{2}) /;

const readTable = async (file: string): Promise<string | undefined> => {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return undefined;
  }
};

/**
 * The state at the port `near` and at the port `far` of the connection between them, both on this machine.
 * Undefined where there is no /proc/net/tcp.
 */
export const tcpStates = async (near: number, far: number): Promise<TcpStates | undefined> => {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map(readTable));
  if (tables[0] === undefined) return undefined;
  const found = new Map<string, TcpState>();
  for (const line of tables.join('\n').split('\n')) {
    const [, local = '', remote = '', state = ''] = ROW.exec(line) ?? [];
    const name = STATES[Number.parseInt(state, 16) - 1];
    if (name !== undefined) found.set(`${Number.parseInt(local, 16)} ${Number.parseInt(remote, 16)}`, name);
  }
  return { near: found.get(`${near} ${far}`) ?? 'CLOSED', far: found.get(`${far} ${near}`) ?? 'CLOSED' };
};

/**
 * Resolves when the connection is in these states, or where there is no /proc; rejects at the deadline with the states
 * that were seen last. The kernel announces no change of state, so this looks every few milliseconds.
 */
export const untilTcpStates = async (
  near: number,
  far: number,
  wanted: Partial<TcpStates>,
  deadlineMs: number = DEADLINE_MS,
): Promise<void> => {
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const states = await tcpStates(near, far);
    if (states === undefined) return;
    if ((wanted.near ?? states.near) === states.near && (wanted.far ?? states.far) === states.far) return;
    if (waitedMs >= deadlineMs)
      throw new Error(`waited for ${JSON.stringify(wanted)}, last seen ${JSON.stringify(states)}`);
    await sleep(POLL_MS);
  }
};
