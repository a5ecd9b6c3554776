/** /wire: one's own connections, and what the protocols do on them, at the terminal. */
import { WireDrawing, type WireEvent, wireEventOf } from '../wire-lines.ts';
import { fieldLine } from './answer-lines.ts';
import type { ChatHost } from './chat-host.ts';
import { type Line, line, span } from './line.ts';
import type { Terminal } from './terminal.ts';

const usage = '/wire lists your connections; /wire ID, /wire all or /wire this shows one; /wire stop ends it';

export class ChatWire {
  readonly #terminal: Terminal;
  readonly #host: ChatHost;
  #watching: { readonly end: AbortController; readonly over: Promise<void> } | undefined;

  constructor(terminal: Terminal, host: ChatHost) {
    this.#terminal = terminal;
    this.#host = host;
  }

  async command(words: string): Promise<void> {
    const word = words.trim();
    if (word === '') return this.#list();
    if (word === 'stop') return this.#stop();
    if (this.#watching) throw new Error('something is being watched already; /wire stop ends that');
    if (!this.#host.watch) throw new Error('partyline watch shows this from another terminal');
    if (word === 'this') return this.#watchThis();
    if (!/^(all|[a-z]+(-[a-z]+)?-\d+)$/.test(word)) throw new Error(usage);
    const drawing = new WireDrawing();
    this.#watch(word === 'all' ? {} : { which: word }, event => this.#terminal.print(...eventLines(drawing, event)));
  }

  /** The person leaves. */
  close(): void {
    this.#watching?.end.abort();
  }

  async #list(): Promise<void> {
    const { rows, output } = await this.#host.request('WIRE', {});
    const about = line`${span('quiet', `seen by: ${String(output['sources'])}`)}`;
    await this.#terminal.page([...rows.map(({ fields }) => fieldLine(fields)), about, line`${span('quiet', usage)}`]);
  }

  /** What is shown of it would be traffic on it: so it is shown when all is over. */
  async #watchThis(): Promise<void> {
    const { rows } = await this.#host.request('WIRE', {});
    const own = rows.find(({ fields }) => fields['this'] === true)?.fields['id'];
    if (own === undefined) throw new Error('the server does not know this connection');
    const lines: Line[] = [];
    const drawing = new WireDrawing();
    this.#terminal.print(line`${span('note', String(own))} is watched; go on, and say /wire stop to see what it was`);
    this.#watch({ which: String(own) }, event => void lines.push(...eventLines(drawing, event)));
    this.#watching?.over.then(() => this.#terminal.page(lines));
  }

  #watch(fields: Readonly<Record<string, unknown>>, show: (event: WireEvent) => void): void {
    const end = new AbortController();
    const onRow = (row: Readonly<Record<string, unknown>>) => {
      const event = wireEventOf(row);
      if (event) show(event);
      else if (row['sources'] !== undefined)
        this.#terminal.print([span('quiet', `seen by: ${String(row['sources'])}`)]);
    };
    const over = this.#host.watch!({ do: 'watch', ...fields }, onRow, end.signal)
      .catch(error => this.#terminal.print([span('error', error instanceof Error ? error.message : String(error))]))
      .finally(() => {
        this.#watching = undefined;
      });
    this.#watching = { end, over };
  }

  async #stop(): Promise<void> {
    if (!this.#watching) throw new Error('nothing is being watched');
    const { end, over } = this.#watching;
    end.abort();
    await over;
  }
}

function eventLines(drawing: WireDrawing, event: WireEvent): readonly Line[] {
  return drawing.lines(event).map(text => [span('quiet', `${event.conn.padEnd(9)} `), span('text', text)]);
}
