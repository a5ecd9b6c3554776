/** A client of the web wire's sockets on the real `ws`, without our library. */
import { once } from 'node:events';
import type { Test } from 'tap';
import { WebSocket } from 'ws';

type Message = Record<string, never> & {
  readonly id?: string;
  readonly ok?: Record<string, unknown>;
  readonly row?: Record<string, unknown>;
  readonly error?: { readonly code: string };
  readonly events?: readonly Record<string, unknown>[];
};

/** A socket whose messages are kept; `until` waits for one. */
export async function openSocket(t: Test, port: number, headers: Record<string, string> = {}, isSecure = false) {
  const socket = new WebSocket(`${isSecure ? 'wss' : 'ws'}://127.0.0.1:${port}/ws`, {
    headers,
    rejectUnauthorized: false,
  });
  t.teardown(() => socket.terminate());
  const seen: Message[] = [];
  const binary: Buffer[] = [];
  let wake: () => void = () => undefined;
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) binary.push(data);
    else seen.push(JSON.parse(String(data)));
    wake();
  });
  const closed = new Promise<number>(resolve => void socket.once('close', resolve));
  const refused = once(socket, 'unexpected-response').then(([, response]) => Number(response.statusCode));
  refused.catch(() => undefined);
  const opened = once(socket, 'open').then(() => 101);
  opened.catch(() => undefined);
  const status = await Promise.race([opened, refused]);
  socket.on('error', () => undefined);
  let asked = 0;
  const until = async (fits: (message: Message) => boolean): Promise<Message> => {
    for (;;) {
      const found = seen.find(fits);
      if (found) return found;
      await new Promise<void>(resolve => {
        wake = resolve;
      });
    }
  };
  const ask = (name: string, fields: object = {}) => {
    const id = `ask-${++asked}`;
    socket.send(JSON.stringify({ id, do: name, with: fields }));
    return until(message => message.id === id && !message.row);
  };
  return { socket, seen, binary, status, closed, until, ask };
}

/** Name and password of curl. */
export const basic = (user: string, password = 'secret') => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});
