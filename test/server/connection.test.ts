/** A connection below all protocols: how it ends. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { Connection } from '../../server/net/connection.ts';
import { systemClock } from '../../server/net/system-clock.ts';
import { withDeadline } from '../support/inbox.ts';

/** The accepted end as a connection, the socket of the other end, and when the accepted end is gone. */
async function pair(t: Test): Promise<{ connection: Connection; peer: Socket; closed: Promise<void> }> {
  const listener = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  t.teardown(() => void listener.close());
  await once(listener, 'listening');
  const peer = connect({ port: (listener.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  t.teardown(() => void peer.destroy());
  peer.on('error', () => undefined);
  const [socket] = (await once(listener, 'connection')) as [Socket];
  const connection = new Connection(socket, false, systemClock);
  const ignore = () => undefined;
  const closed = new Promise<void>(close => connection.listen({ data: ignore, end: ignore, drain: ignore, close }));
  return { connection, peer, closed };
}

t.test('a reset right behind the FIN leaves nothing open', async t => {
  for (const words of ['', 'BYE\r\n']) {
    const { connection, closed } = await pair(t);
    if (words !== '') connection.write(words);
    connection.lingerClose();
    await Promise.resolve();
    connection.reset();
    await withDeadline('the close', closed, 5_000);
    t.pass(`behind ${JSON.stringify(words)}`);
  }
});

t.test('a reset behind a FIN that has left reaches the peer', async t => {
  const { connection, peer, closed } = await pair(t);
  connection.lingerClose();
  peer.resume();
  await once(peer, 'end');
  const gone = once(peer, 'error');
  connection.reset();
  await withDeadline('the close', closed, 5_000);
  peer.write('anybody there?');
  const [error] = await withDeadline('the reset', gone, 5_000);
  t.match(error, { code: /^(ECONNRESET|EPIPE)$/ });
});
