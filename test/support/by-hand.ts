/** A connection on which octets are sent in any pieces, and answers waited for by their look. */
import type { Test } from 'tap';
import { dial } from './dial.ts';
import { Inbox } from './inbox.ts';

/** A connection by hand, for octets in any pieces. */
export async function byHand(t: Test, port: number) {
  const socket = await dial({ port });
  t.teardown(() => void socket.destroy());
  const inbox = new Inbox(socket);
  return {
    send: (octets: string | Buffer) => void socket.write(octets),
    /** Takes everything up to and including what matches. */
    until: (pattern: RegExp) =>
      inbox.when(String(pattern), () => {
        const found = pattern.exec(inbox.peek().toString('latin1'));
        return found ? inbox.take(found.index + found[0].length).toString('latin1') : undefined;
      }),
    /** Its end came, and ours follows. */
    async closed() {
      await inbox.whenEnded();
      socket.end();
      await inbox.whenClosed();
    },
  };
}
