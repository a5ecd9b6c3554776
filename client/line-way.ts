/** The line protocol as the client speaks it, over any transport. Free of anything that only Node has. */
import { eventSchemas, isEventName } from '../shared/events.ts';
import { KIB, MIB } from '../shared/limits.ts';
import { type Frame, LineDecoder } from '../shared/line/decoder.ts';
import { type Body, formatFrame, parseBody } from '../shared/line/grammar.ts';
import { answerFields, requestWords } from '../shared/line/request.ts';
import { TruncatedError } from './errors.ts';
import type { Values } from './request.ts';
import type { OpenTransport, Transport } from './transport.ts';
import { entryOf, type Verb } from './verbs.ts';
import type { OpenWay, Way, WayEvents } from './way.ts';

/** A server may be configured with other limits than ours; blobs of twice the size are still taken. */
const decoderLimits = { lineOctetsMax: 64 * KIB, blobOctetsMax: 2 * MIB };
const style = { lineEnd: '\n', form: 'words' } as const;

export function lineWay(open: OpenTransport): OpenWay {
  return async (events, signal) => {
    const way = new LineWay(events);
    await way.open(open, signal);
    return way;
  };
}

class LineWay implements Way {
  readonly #events: WayEvents;
  readonly #decoder = new LineDecoder(decoderLimits);
  #transport: Transport | undefined;
  #isBusy = false;
  #isOver = false;
  #hasBye = false;
  #hasEnded = false;

  constructor(events: WayEvents) {
    this.#events = events;
  }

  async open(open: OpenTransport, signal: AbortSignal | undefined): Promise<void> {
    const data = (octets: Uint8Array) => {
      this.#events.heard();
      this.#decoder.push(octets);
      if (!this.#isBusy) this.#pump();
    };
    this.#transport = await open({ data, end: error => this.#end(error) }, signal);
  }

  ask(label: string, verb: string, input: Values, blob: Uint8Array | undefined): void {
    const { words, fields, needsJson } = requestWords(entryOf(verb as Verb), input);
    const parts = needsJson ? { fields: input as typeof fields } : { words, fields };
    const head = { label, marker: '', name: verb, ...parts, ...(blob && { blobOctets: blob.length }) } as const;
    const line = formatFrame(head, needsJson ? { ...style, form: 'json' } : style);
    this.#transport!.write(blob ? [line, blob, style.lineEnd] : [line]);
  }

  cancel(label: string): void {
    this.#write(`CANCEL ${label}`);
  }

  live(): void {
    this.#write('PING');
  }

  quit(how: 'quit' | 'fin'): void {
    if (how === 'fin') this.#transport!.end();
    else this.#write('QUIT');
  }

  end(): void {
    this.#hasBye = true;
    this.#transport!.end();
  }

  destroy(): void {
    this.#isOver = true;
    this.#transport?.destroy();
  }

  /** A line of the connection itself, without a label. */
  #write(words: string): void {
    this.#transport!.write([`${words}${style.lineEnd}`]);
  }

  #pump(): void {
    for (let decoded = this.#decoder.next(); decoded; decoded = this.#decoder.next()) {
      if (this.#isOver) return;
      if (decoded.kind !== 'frame') {
        this.#over(new TruncatedError(decoded.kind === 'invalid' ? decoded.reason : 'raw octets came'));
        return;
      }
      const wait = this.#takeSafely(decoded);
      if (!wait) continue;
      this.#isBusy = true;
      this.#transport!.pause();
      void wait.finally(() => {
        this.#isBusy = false;
        this.#transport!.resume();
        this.#pump();
      });
      return;
    }
    if (this.#hasEnded)
      this.#over(this.#hasBye ? undefined : new TruncatedError('the connection was lost, without BYE'));
  }

  /** What a server sends never throws into the socket's events: it ends the link. */
  #takeSafely(frame: Frame): Promise<void> | undefined {
    try {
      return this.#take(frame);
    } catch (error) {
      this.#over(new TruncatedError('the server sent what cannot be read', { cause: error }));
      return undefined;
    }
  }

  #take({ label, blob, body: text }: Frame): Promise<void> | undefined {
    const body = parseBody(text);
    if ('fault' in body) return undefined;
    const { marker, name } = body;
    if (marker === '=') {
      const fields = name === 'GET' ? Object.fromEntries(body.keys) : answerFields(body, blob);
      return this.#events.row(label, { name, fields, blob });
    }
    const fields = answerFields(body, blob);
    if (marker === '+') this.#events.answered(label, fields);
    else if (marker === '-') this.#events.refused(label, refusalIn(body, fields));
    else if (marker === '*') this.#event(body, fields);
    return undefined;
  }

  #event({ name }: Body, fields: Values): void {
    if (name.startsWith('PARTYLINE/')) return this.#events.greeted(fields);
    if (!isEventName(name)) return;
    const parsed = eventSchemas[name].safeParse({ event: name, ...fields });
    if (parsed.success) this.#events.event(parsed.data);
  }

  #end(error: Error | undefined): void {
    this.#hasEnded = true;
    if (error && !this.#hasBye) return this.#over(new TruncatedError('the connection broke', { cause: error }));
    if (!this.#isBusy) this.#pump();
  }

  #over(error: Error | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.over(error);
  }
}

function refusalIn({ words }: Body, { text, retry }: Values) {
  return { code: words[0], text, retry };
}
