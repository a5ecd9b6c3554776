/** Where the next data connection comes from, and how one is opened, encrypted, watched and closed (RFC 959 §3.2, 4217 §7). */

import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { HubError } from '../../../shared/errors.ts';
import type { Endpoint } from '../../../shared/ftp/endpoint.ts';
import { type Reply, reply } from '../../../shared/ftp/reply.ts';
import { limits } from '../../../shared/limits.ts';
import { openConnection } from '../../net/outgoing.ts';
import type { Expected } from '../../net/passive-ports.ts';
import { secureSocket } from '../../net/secure.ts';
import { secureUpload } from '../../net/secure-upload.ts';
import type { FtpContext } from './context.ts';

type Plan =
  | { readonly kind: 'passive'; readonly expected: Expected }
  | { readonly kind: 'active'; readonly to: Endpoint };

const notPlanned = reply(425, 'Say PASV, EPSV, PORT or EPRT first.');
const notPrivate = reply(521, 'Data connections in clear are refused here; say PBSZ 0 and PROT P first.');

/** No data connection could be had: 425. */
export class NoDataConnection extends Error {
  override readonly name = 'NoDataConnection';
}

export class DataConnections {
  readonly #context: FtpContext;
  readonly #opened: (socket: Socket) => void;
  #secureContext: SecureContext | undefined;
  #isClosed = false;
  #plan: Plan | undefined;
  /** PROT P. */
  isPrivate = false;

  /** `opened` is told of each, before anything is read or written. */
  constructor(context: FtpContext, opened: (socket: Socket) => void) {
    this.#context = context;
    this.#opened = opened;
  }

  /** Of this control connection alone: a data connection that resumes its session is its own client's. */
  get secureContext(): SecureContext {
    const { key, cert } = this.#context.certificate;
    this.#secureContext ??= createSecureContext({
      key,
      cert,
      minVersion: 'TLSv1.2',
      ticketKeys: randomBytes(48),
    } as Parameters<typeof createSecureContext>[0]);
    return this.#secureContext;
  }

  /** Undefined when no port is free. */
  async passive(peer: string): Promise<number | undefined> {
    this.drop();
    const expected = await this.#context.passive.expect(peer);
    if (expected) this.#plan = { kind: 'passive', expected };
    // The client may have left while the port was being opened.
    if (this.#isClosed) this.drop();
    return expected?.port;
  }

  active(to: Endpoint): void {
    this.drop();
    this.#plan = { kind: 'active', to };
  }

  /** Why none can be opened, as far as that is known before one is. */
  get refusal(): Reply | undefined {
    if (this.#context.isPrivateOnly && !this.isPrivate) return notPrivate;
    return this.#plan ? undefined : notPlanned;
  }

  drop(): void {
    if (this.#plan?.kind === 'passive') this.#plan.expected.giveUp();
    this.#plan = undefined;
  }

  /** No more are expected. */
  close(): void {
    this.#isClosed = true;
    this.drop();
  }

  /** The connection that was agreed on, once, for what goes to the client. Errors: NoDataConnection. */
  async open(signal: AbortSignal): Promise<Socket> {
    const socket = await this.#connect(signal);
    this.#opened(socket);
    if (!this.isPrivate) return socket;
    const { clock } = this.#context;
    return this.#own(await secureSocket(socket, this.secureContext, clock).catch(noHandshake));
  }

  /** The same for what comes from the client. `isWhole`: over TLS the client said that this was all. */
  async openForUpload(signal: AbortSignal): Promise<{ readonly socket: Socket; isWhole(): boolean }> {
    const socket = await this.#connect(signal);
    this.#opened(socket);
    if (!this.isPrivate) return { socket, isWhole: () => true };
    const { clock } = this.#context;
    const upload = await secureUpload(socket, this.secureContext, clock).catch(noHandshake);
    return { socket: this.#own(upload.socket), isWhole: () => upload.saidItsEnd() };
  }

  async #connect(signal: AbortSignal): Promise<Socket> {
    const plan = this.#plan;
    this.#plan = undefined;
    if (!plan) throw new NoDataConnection(notPlanned.text);
    const { clock } = this.#context;
    if (plan.kind === 'active') {
      const { address, port } = plan.to;
      return openConnection(address, port, limits.dataConnectMs, clock).catch(() => {
        throw new NoDataConnection(`No connection to ${address} port ${port}.`);
      });
    }
    const { expected } = plan;
    const giveUp = () => expected.giveUp();
    const cancel = clock.after(limits.dataConnectMs, giveUp);
    signal.addEventListener('abort', giveUp);
    try {
      return await expected.socket;
    } catch {
      throw new NoDataConnection(`Nobody connected to port ${expected.port}; a firewall in between may be the reason.`);
    } finally {
      cancel();
      signal.removeEventListener('abort', giveUp);
    }
  }

  #own(secured: TLSSocket): TLSSocket {
    if (this.#context.tlsBinding !== 'require' || secured.isSessionReused()) return secured;
    secured.destroy();
    throw new NoDataConnection(
      'The data connection must resume the TLS session of the control connection; switch that on in the client.',
    );
  }
}

function noHandshake(): never {
  throw new NoDataConnection('The TLS handshake of the data connection failed.');
}

/** Ends our half and resolves when the kernel has all; the rest is closed when the peer has closed, or soon after. */
export async function finishData(socket: Socket, { clock }: FtpContext): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const broke = () => reject(new HubError('cancelled', 'the data connection broke'));
    socket.once('close', broke);
    socket.end(() => {
      socket.off('close', broke);
      resolve();
    });
  });
  if (socket.destroyed) return;
  const cancel = clock.after(limits.lingerMs, () => socket.destroy());
  socket.once('close', cancel);
  socket.once('end', () => socket.destroy());
  socket.resume();
}

/**
 * Destroys a connection on which nothing moves for too long; `beside` counts what the kernel moved, which the socket does
 * not know of. Call what is returned at its end.
 */
export function watchStall(socket: Socket, { clock }: FtpContext, beside = () => 0): () => void {
  let moved = -1;
  let cancel = () => {};
  const look = () => {
    const now = socket.bytesRead + socket.bytesWritten - socket.writableLength + beside();
    if (now === moved) socket.destroy();
    else {
      moved = now;
      cancel = clock.after(limits.dataStallMs, look);
    }
  };
  look();
  return () => cancel();
}
