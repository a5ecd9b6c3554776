/**
 * TLS on a connection that brings a file, as its server: tells whether the peer said that this was all (RFC 8446 §6.1) or
 * whether somebody cut it, which Node does not say; and says nothing itself before that. Slower than TLS on the socket
 * itself, so for uploads only.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { SecureContext, TLSSocket } from 'node:tls';
import type { Clock } from '../../shared/clock.ts';
import { secureSocket } from './secure.ts';

export interface SecureUpload {
  readonly socket: TLSSocket;
  /** The peer's close_notify came. To be asked at the end of what it sent. */
  saidItsEnd(): boolean;
}

/** What an alert of two octets is in TLS 1.3: its content type and the tag of the cipher come with it. */
const hiddenAlertOctets = 2 + 1 + 16;
/** The type of records with content (RFC 8446 §5.1), and of all encrypted ones in TLS 1.3. */
const encrypted = 23;

/** As `secureSocket`. Nothing flows until the socket is resumed. */
export async function secureUpload(raw: Socket, secureContext: SecureContext, clock: Clock): Promise<SecureUpload> {
  const records = new RecordCounter();
  const socket = await secureSocket(quietly(raw, records), secureContext, clock);
  let pairs = 0;
  socket.pause();
  // Each piece is what one record held.
  socket.on('data', (octets: Buffer) => {
    if (octets.length === 2) pairs++;
  });
  return {
    socket,
    // In TLS 1.3 an alert looks like two octets of the file; those are counted.
    saidItsEnd: () => (socket.getProtocol() === 'TLSv1.3' ? records.hidden > pairs : records.open > 0),
  };
}

/** Reads the headers of records (RFC 8446 §5.1) as they pass in any pieces. */
export class RecordCounter {
  /** Alerts that can be seen as such: those of TLS 1.2. */
  open = 0;
  /** Records that may be an alert of TLS 1.3, or two octets. */
  hidden = 0;
  /** The handshake is over, as far as the sender of these records goes. */
  hasContent = false;
  readonly #header: number[] = [];
  #left = 0;

  push(octets: Uint8Array): void {
    for (let at = 0; at < octets.length; ) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, octets.length - at);
        this.#left -= skipped;
        at += skipped;
      } else {
        this.#header.push(octets[at++]!);
        if (this.#header.length === 5) this.#begin(this.#header.splice(0));
      }
    }
  }

  #begin([type, , , high = 0, low = 0]: readonly number[]): void {
    this.#left = high * 256 + low;
    if (type === 21) this.open++;
    if (type !== encrypted) return;
    this.hasContent = true;
    if (this.#left === hiddenAlertOctets) this.hidden++;
  }
}

/**
 * The connection as TLS is to see it. What TLS 1.3 says behind the handshake, which are tickets for later sessions, waits for
 * our own end: many a client closes without having read them, and then its kernel resets the connection and throws away what
 * it had not sent yet.
 */
function quietly(raw: Socket, records: RecordCounter): Duplex {
  const held: Buffer[] = [];
  const stream = new Duplex({
    allowHalfOpen: true,
    read: () => void raw.resume(),
    write: (octets: Buffer, _encoding, done) => {
      const isTicket = records.hasContent && octets[0] === encrypted;
      if (isTicket || held.length > 0) {
        held.push(octets);
        done();
      }
      // What we say is of no weight here, and one that hears no more may have said all it had to.
      else raw.write(octets, () => done());
    },
    final: done => void raw.end(Buffer.concat(held), () => done()),
    destroy: (error, done) => {
      raw.destroy();
      done(error);
    },
  });
  raw.on('data', octets => {
    records.push(octets);
    if (!stream.push(octets)) raw.pause();
  });
  let isOver = false;
  const over = () => {
    if (!isOver) stream.push(null);
    isOver = true;
  };
  raw.on('end', over);
  raw.on('close', over);
  return stream;
}
