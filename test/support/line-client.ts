/**
 * A tiny client of the line protocol for tests of the server, on a bare socket. Deliberately independent of the
 * product's library and of its grammar: it knows lines, blobs and FIN, nothing else.
 */
import type { Test } from 'tap';
import { dial } from './dial.ts';
import { Inbox } from './inbox.ts';

export interface LineOptions {
  readonly host?: string;
  readonly tls?: boolean;
  readonly localAddress?: string;
  /** Of each wait. */
  readonly deadlineMs?: number;
}

export interface LineClient {
  /** Our own port, for `tcpStates`. */
  readonly localPort: number;
  /** A string is one line, LF is added; octets go as they are. Never waits, so that requests can be pipelined. */
  send(data: string | Buffer): void;
  /** The next line without its LF; a CR stays, since the server answers in the client's style. */
  line(): Promise<string>;
  lines(count: number): Promise<readonly string[]>;
  /** Lines up to and including the first that matches. */
  until(pattern: RegExp): Promise<readonly string[]>;
  /** Exactly `count` octets; the line end that must follow them is taken too. */
  blob(count: number): Promise<Buffer>;
  /** Everything up to the peer's FIN. */
  rest(): Promise<Buffer>;
  /** Sends FIN behind what was sent; reading goes on. */
  finish(): void;
  /** Resolves when the peer's FIN came; rejects on reset and at the deadline. */
  readonly ended: Promise<void>;
  /** Resolves when the connection is gone, however it went; rejects at the deadline. */
  readonly closed: Promise<void>;
  /** True if the connection was reset; meaningful once it is closed. */
  readonly wasReset: boolean;
  /** Stops reading: the kernel's buffers fill and the server feels it. */
  pause(): void;
  resume(): void;
  /** Sends RST; what was not delivered is lost. */
  reset(): void;
}

const takeBlob = async (inbox: Inbox, count: number): Promise<Buffer> => {
  const octets = await inbox.when(`a blob of ${count} octets and its line end`, () => {
    const isWhole = inbox.length > count && inbox.peek().indexOf(0x0a, count) >= 0;
    if (!isWhole && inbox.length < count + 2) return undefined;
    return inbox.take(count);
  });
  const lineEnd = inbox.takeLine()?.toString('latin1');
  if (lineEnd !== '\n' && lineEnd !== '\r\n') throw new Error(`no line end follows a blob of ${count} octets`);
  return octets;
};

/** Connects; the connection is destroyed with the test. The server's greeting is left to be read. */
export const connectLine = async (t: Test, port: number, options: LineOptions = {}): Promise<LineClient> => {
  const { deadlineMs, ...target } = options;
  const socket = await dial({ ...target, port });
  const inbox = new Inbox(socket, deadlineMs);
  t.teardown(() => {
    socket.destroy();
  });
  const line = async (): Promise<string> => {
    const octets = await inbox.when('a line', () => inbox.takeLine());
    return octets.subarray(0, -1).toString('utf8');
  };
  const takeLines = async (isLast: (text: string, count: number) => boolean): Promise<readonly string[]> => {
    const lines: string[] = [];
    do lines.push(await line());
    while (!isLast(lines.at(-1) ?? '', lines.length));
    return lines;
  };
  return {
    localPort: socket.localPort ?? 0,
    send: data => void socket.write(typeof data === 'string' ? `${data}\n` : data),
    line,
    lines: async count => (count === 0 ? [] : takeLines((_, taken) => taken === count)),
    until: pattern => takeLines(text => pattern.test(text)),
    blob: count => takeBlob(inbox, count),
    rest: async () => {
      await inbox.whenEnded();
      return inbox.take(inbox.length);
    },
    finish: () => void socket.end(),
    get ended() {
      return inbox.whenEnded();
    },
    get closed() {
      return inbox.whenClosed();
    },
    get wasReset() {
      return inbox.wasReset;
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    reset: () => void socket.resetAndDestroy(),
  };
};
