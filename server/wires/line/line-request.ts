/** One request of a connection while it runs: its place among the replies, its rows, its content, its end by CANCEL. */
import type { Command } from '../../../shared/commands/command.ts';
import { HubError } from '../../../shared/errors.ts';
import { limits } from '../../../shared/limits.ts';
import type { Frame } from '../../../shared/line/decoder.ts';
import { type Fields, formatFrame } from '../../../shared/line/grammar.ts';
import type { Exchange } from '../../hub/session.ts';
import type { Incoming } from './incoming.ts';
import type { LineConnection } from './line-connection.ts';
import type { Slot } from './replies.ts';

export class LineRequest implements Exchange, Slot {
  readonly verb: string;
  readonly entry: Command;
  readonly fields: Record<string, unknown>;
  readonly label: string | undefined;
  /** What it holds of the connection's memory, about. */
  readonly octets: number;
  readonly content?: NonNullable<Exchange['content']>;
  reply: string | undefined;
  behind: (string | Uint8Array)[] | undefined;
  readonly #line: LineConnection;
  #abort: AbortController | undefined;
  #isCancelled = false;
  /** Octets of rows that the client still takes. */
  #credit = Number.POSITIVE_INFINITY;
  #wake: (() => void) | undefined;

  constructor(
    line: LineConnection,
    verb: string,
    entry: Command,
    fields: Record<string, unknown>,
    { label, body, blob }: Frame,
    incoming: Incoming | undefined,
  ) {
    this.#line = line;
    this.verb = verb;
    this.entry = entry;
    this.fields = fields;
    this.label = label;
    this.octets = body.length + (blob?.octets ?? 0);
    if (incoming) this.content = { pieces: incoming };
    else if (blob) this.content = blob;
  }

  get connection(): string | undefined {
    return this.#line.connection.observed?.id;
  }

  /** A labelled download: many may run beside other requests. */
  get isStreaming(): boolean {
    return this.entry.content === 'out' && this.label !== undefined;
  }

  /** Made when first asked for: most requests are too short to be aborted. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#isCancelled) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#abort?.abort();
    this.#wake?.();
  }

  /** From here on the client says how many octets of rows it takes. */
  limitCredit(): void {
    this.#credit = limits.creditOctets;
  }

  allow(octets: number): void {
    this.#credit += octets;
    this.#wake?.();
  }

  /** Resolves when the next row may come; for a blob when the socket has taken it, so that its buffer may be used again. */
  row(fields: Readonly<Record<string, unknown>>, name: string = this.verb, blob?: Uint8Array): void | Promise<void> {
    if (blob) return this.#sendBlob(fields as Fields, blob);
    const { connection, style } = this.#line;
    if (connection.isEnded) throw new HubError('cancelled', 'the connection has ended');
    connection.write(formatFrame({ label: this.label, marker: '=', name, fields: fields as Fields }, style));
    if (connection.pendingOctets > limits.outputOctetsHigh) return connection.drained();
  }

  async #sendBlob(fields: Fields, blob: Uint8Array): Promise<void> {
    const { connection, style } = this.#line;
    while (this.#credit <= 0 && !this.#isCancelled) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
    if (this.#isCancelled || connection.isEnded) throw new HubError('cancelled');
    this.#credit -= blob.length;
    const head = { label: this.label, marker: '=', name: this.verb, fields, blobOctets: blob.length } as const;
    connection.write(formatFrame(head, style));
    connection.write(blob);
    connection.write(style.lineEnd);
    await connection.drained();
  }
}
