/** Contents between the hub and a data connection: as they are by the fastest way there is, else converted on their way. */
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { createDeflate, createInflate, type Deflate } from 'node:zlib';
import { HubError } from '../../../shared/errors.ts';
import { limits } from '../../../shared/limits.ts';
import type { Exchange } from '../../hub/session.ts';
import type { Receiver } from '../../net/receiver.ts';
import { sendFile } from '../../net/send-file.ts';
import { FromAscii, ToAscii } from './ascii.ts';
import type { FtpContext } from './context.ts';

export interface Form {
  /** TYPE A. */
  readonly isText: boolean;
  /** MODE Z. */
  readonly isCompressed: boolean;
}

interface Way {
  /** Over TLS. */
  readonly isSecure: boolean;
  /** Told of what was sent; waits where that was too fast. */
  took(octets: number): Promise<void> | undefined;
}

/** Writes to a data connection, and knows when to wait. */
export class DataSink {
  readonly #socket: Socket;
  readonly #context: FtpContext;
  readonly #form: Form;
  readonly #way: Way;
  readonly #ascii = new ToAscii();
  readonly #deflate: Deflate | undefined;
  #isBroken = false;
  octets = 0;

  constructor(socket: Socket, context: FtpContext, form: Form, way: Way) {
    this.#socket = socket;
    this.#context = context;
    this.#form = form;
    this.#way = way;
    socket.once('close', () => {
      this.#isBroken = true;
    });
    // A peer that sends on its half is not listened to.
    socket.resume();
    if (!form.isCompressed) return;
    this.#deflate = createDeflate();
    this.#deflate.on('data', octets => socket.write(octets));
  }

  /** Resolves when more may come. Error: `cancelled` when the connection is gone. */
  async write(octets: Uint8Array): Promise<void> {
    if (this.#isBroken) throw broken();
    const shown = this.#form.isText ? this.#ascii.take(octets) : octets;
    this.octets += shown.length;
    if (this.#deflate) await new Promise<void>(resolve => this.#deflate!.write(shown, () => resolve()));
    else this.#socket.write(shown);
    if (this.#socket.writableLength > limits.outputOctetsHigh) await this.#drained();
    await this.#way.took(shown.length);
  }

  /** As GET of the hub wants it: files go by the kernel where they go as they are. */
  exchange(signal: AbortSignal): Exchange {
    const row: Exchange['row'] = async (_fields, _name, blob) => {
      if (!blob) return;
      await this.write(blob);
      // The buffer is read into again.
      await this.#drained();
    };
    if (this.#form.isText || this.#deflate) return { row, signal };
    const file = async (fd: number, start: number, end: number) => {
      const { kernel } = this.#context;
      const sent = (octets: number) => {
        this.octets += octets;
        return this.#way.took(octets);
      };
      await sendFile(this.#socket, { fd, start, end }, { secure: this.#way.isSecure, kernel, sent }).catch(() => {
        throw broken();
      });
    };
    return { row, file, signal };
  }

  /** All is written; the connection is still open. */
  async end(): Promise<void> {
    const deflate = this.#deflate;
    if (deflate) {
      await new Promise<void>(resolve => {
        deflate.once('end', resolve);
        deflate.end();
      });
    }
  }

  #drained(): Promise<void> {
    const socket = this.#socket;
    if (socket.writableLength === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const gone = () => reject(broken());
      socket.once('close', gone);
      socket.write(nothing, () => {
        socket.off('close', gone);
        resolve();
      });
    });
  }
}

const nothing = Buffer.alloc(0);

function broken(): HubError {
  return new HubError('cancelled', 'the data connection broke');
}

/** What a data connection brings, in pieces that are the caller's. Error: `cancelled` when it breaks before its end. */
export async function* receive(receiver: Receiver, { isText, isCompressed }: Form): AsyncGenerator<Uint8Array> {
  const pieces = isCompressed ? inflated(receiver) : receiver;
  try {
    if (!isText) yield* pieces;
    else {
      const ascii = new FromAscii();
      for await (const piece of pieces) yield ascii.take(piece);
      const rest = ascii.end();
      if (rest.length > 0) yield rest;
    }
  } catch (error) {
    throw error instanceof HubError ? error : broken();
  }
}

async function* inflated(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const inflate = createInflate();
  const source = Readable.from(pieces, { objectMode: false });
  source.on('error', error => inflate.destroy(error));
  yield* source.pipe(inflate);
}
