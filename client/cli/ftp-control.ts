/** The control connection of FTP as the doctor needs it: one command, one reply, TLS if the server wants it. Not an FTP client. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { PartylineError } from '../errors.ts';

const answerMs = 10_000;

export interface FtpReply {
  readonly code: number;
  /** All lines, without the code of the last. */
  readonly text: string;
}

export interface FtpControl {
  /** Errors: `timeout`; `internal` if the connection ends. */
  command(line: string): Promise<FtpReply>;
  /** From here on encrypted; certificates are not checked, since most of these are their servers' own. */
  encrypt(): Promise<void>;
  end(): void;
}

/** Resolves behind the greeting, which is the first reply. Errors: what the system says, such as ECONNREFUSED; `timeout`. */
export async function openControl(host: string, port: number): Promise<FtpControl & { readonly greeting: FtpReply }> {
  let socket = await dial(host, port);
  let replies = repliesOf(socket);
  const next = async (): Promise<FtpReply> => {
    const { value, done } = await replies.next();
    if (done) throw new PartylineError('internal', 'the server closed the control connection');
    return value;
  };
  const greeting = await next();
  return {
    greeting,
    command: line => {
      socket.write(`${line}\r\n`);
      return next();
    },
    encrypt: async () => {
      socket.removeAllListeners();
      const secure = connectTls({ socket, rejectUnauthorized: false });
      await once(secure, 'secureConnect');
      socket = secure;
      replies = repliesOf(secure);
    },
    end: () => socket.destroy(),
  };
}

/** Errors: what the system says; `timeout`. */
export async function dial(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(answerMs) });
  } catch (error) {
    socket.destroy();
    if ((error as Error).name !== 'AbortError') throw error;
    throw new PartylineError('timeout', `nothing answers at ${host} port ${port}: what is sent there gets lost`);
  }
  return socket;
}

async function* repliesOf(socket: Socket): AsyncGenerator<FtpReply, undefined> {
  let text = '';
  let lines: string[] = [];
  socket.setTimeout(answerMs, () => socket.destroy(new PartylineError('timeout', 'the FTP server does not answer')));
  for await (const octets of socket) {
    text += String(octets);
    const complete = text.split('\n');
    text = complete.pop() ?? '';
    for (const line of complete.map(part => part.replace(/\r$/, ''))) {
      lines.push(line);
      const last = /^(\d{3})(?: (.*))?$/.exec(line);
      if (!last) continue;
      yield { code: Number(last[1]), text: [...lines.slice(0, -1), last[2] ?? ''].join('\n') };
      lines = [];
    }
  }
  return undefined;
}
