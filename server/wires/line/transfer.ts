/** The rows of one download: a line and a blob each, no more than the client's credit and the socket's buffer allow. */
import { type Fields, formatFrame, type Style } from '../../../shared/line/grammar.ts';
import type { Connection } from '../../net/connection.ts';

export class Transfer {
  readonly #connection: Connection;
  readonly #label: string | undefined;
  #credit: number;
  #allowed: (() => void) | undefined;

  constructor(connection: Connection, label: string | undefined, credit: number) {
    this.#connection = connection;
    this.#label = label;
    this.#credit = credit;
  }

  allow(octets: number): void {
    this.#credit += octets;
    this.#allowed?.();
  }

  /** Resolves when the socket has taken the blob, so that its buffer may be used again. */
  async send(fields: Fields, blob: Uint8Array, style: Style): Promise<void> {
    while (this.#credit <= 0) {
      await new Promise<void>(resolve => {
        this.#allowed = resolve;
      });
    }
    this.#credit -= blob.length;
    const head = { label: this.#label, marker: '=', name: 'GET', fields, blobOctets: blob.length } as const;
    this.#connection.write(formatFrame(head, style));
    this.#connection.write(blob);
    this.#connection.write(style.lineEnd);
    await this.#connection.drained();
  }
}
