/**
 * Octets → frames of the line protocol, sans-IO: it is fed with what arrived and asked for what is complete. Holds at most
 * one line and one blob, never throws, and stays in step after everything but `desync`. The same decoder reads requests
 * and replies; what a body means is `grammar.ts`.
 */
import { HeldLine, type LineLimits, soughtIn } from './held-line.ts';
import { type Invalid, invalid, verbOf } from './invalid.ts';
import { Pieces } from './pieces.ts';

export type LineEnd = '\n' | '\r\n';

/** Octets of a blob in one or more pieces. */
export interface Blob {
  readonly octets: number;
  readonly pieces: readonly Uint8Array[];
}

export interface Frame {
  readonly kind: 'frame';
  readonly label?: string;
  readonly body: string;
  readonly blob?: Blob;
  readonly lineEnd: LineEnd;
}

/** Octets after `rawFromHere()`. */
export interface Raw {
  readonly kind: 'raw';
  readonly octets: Uint8Array;
}

export type Decoded = Frame | Invalid | Raw;

export interface DecoderLimits extends LineLimits {
  readonly blobOctetsMax: number;
}

const LF = 10;
const CR = 13;
const notText = /[\u0000-\u0008\u000a-\u001f\u007f]/;
const prefix = /^(?:#([\w.-]{1,32}) )?(?:\{(\d{1,10})\} )?/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lossy = new TextDecoder('utf-8', { ignoreBOM: true });

interface Awaited {
  readonly head: Omit<Frame, 'kind' | 'blob'>;
  readonly octets: number;
  /** Why the frame cannot be taken: then the blob is counted down and thrown away, so that the stream stays in step. */
  readonly fault: Invalid | undefined;
  readonly pieces: Pieces;
  left: number;
}

export class LineDecoder {
  readonly #limits: DecoderLimits;
  #input: Uint8Array[] = [];
  #position = 0;
  readonly #held: HeldLine;
  #blob: Awaited | undefined;
  #mode: 'lines' | 'raw' | 'dead' = 'lines';
  #ended = false;

  constructor(limits: DecoderLimits) {
    this.#limits = limits;
    this.#held = new HeldLine(limits);
  }

  push(octets: Uint8Array): void {
    if (octets.length > 0) this.#input.push(octets);
  }

  /** No more will come; `next()` then reports a line or blob that was cut. */
  end(): void {
    this.#ended = true;
  }

  /** Everything behind the frame that `next()` gave last is content, to the end of the stream. */
  rawFromHere(): void {
    this.#mode = 'raw';
  }

  /** The next thing that is complete, or undefined until more is pushed. */
  next(): Decoded | undefined {
    if (this.#mode === 'dead') return undefined;
    if (this.#mode === 'raw') return this.#nextRaw();
    return this.#blob ? this.#nextBlob(this.#blob) : this.#nextLine();
  }

  #take(octets: number): Uint8Array {
    const head = this.#input[0]!;
    const taken = head.subarray(this.#position, this.#position + octets);
    this.#skipTo(this.#position + octets);
    return taken;
  }

  #skipTo(position: number): void {
    this.#position = position;
    if (position < this.#input[0]!.length) return;
    this.#input.shift();
    // Lets go of the room that the array grew to: many connections are silent most of the time.
    if (this.#input.length === 0) this.#input.length = 0;
    this.#position = 0;
  }

  #nextRaw(): Raw | undefined {
    const head = this.#input[0];
    return head && { kind: 'raw', octets: this.#take(head.length - this.#position) };
  }

  #nextLine(): Decoded | undefined {
    for (let head = this.#input[0]; head; head = this.#input[0]) {
      const end = head.indexOf(LF, this.#position);
      if (end < 0) {
        this.#held.hold(this.#take(head.length - this.#position));
        continue;
      }
      const decoded = this.#held.octets === 0 ? this.#wholeLine(head, end) : this.#endLine(end);
      if (decoded) return decoded;
      if (this.#blob) return this.#nextBlob(this.#blob);
    }
    return this.#ended ? this.#cutShort() : undefined;
  }

  /** A line that came in one piece, from the position to the LF at `end`. */
  #wholeLine(head: Uint8Array, end: number): Invalid | Frame | undefined {
    const start = this.#position;
    this.#skipTo(end + 1);
    return this.#decodeLine(head, start, end);
  }

  /** A line whose beginning was held. */
  #endLine(end: number): Invalid | Frame | undefined {
    this.#held.hold(this.#take(end + 1 - this.#position));
    const { kept, octets, found } = this.#held.take();
    return kept.length < octets ? this.#tooLong(kept, found) : this.#decodeLine(kept, 0, octets - 1);
  }

  #decodeLine(octets: Uint8Array, start: number, end: number): Invalid | Frame | undefined {
    const crlf = end > start && octets[end - 1] === CR;
    const content = octets.subarray(start, crlf ? end - 1 : end);
    if (content.length > this.#limits.lineOctetsMax) return this.#tooLong(content, soughtIn(content, this.#limits));
    const text = decodeText(content);
    if (text === undefined) return this.#badChar('the line is not valid UTF-8', lossy.decode(content));
    if (notText.test(text)) return this.#badChar('a line holds no control character but TAB', text);
    const lineEnd = crlf ? '\r\n' : '\n';
    const first = text[0];
    if (first !== '#' && first !== '{') return first === undefined ? undefined : { kind: 'frame', body: text, lineEnd };
    const [all, label, size] = prefix.exec(text)!;
    const body = text.slice(all.length);
    if (size === undefined) return { kind: 'frame', body, lineEnd, ...(label !== undefined && { label }) };
    const isTooLarge = Number(size) > this.#limits.blobOctetsMax;
    const reason = `a blob has at most ${this.#limits.blobOctetsMax} octets`;
    const fault = isTooLarge ? invalid('too-large', reason, { label, verb: verbOf(body), line: body }) : undefined;
    return this.#awaitBlob({ body, lineEnd, ...(label !== undefined && { label }) }, Number(size), fault);
  }

  #tooLong(line: Uint8Array, found: string): Invalid | undefined {
    const { lineOctetsMax } = this.#limits;
    const [all, label, size] = prefix.exec(lossy.decode(line.subarray(0, 80)))!;
    const reason = `a line has at most ${lineOctetsMax} octets; send longer text as a blob: {octets} before the verb`;
    const kept = lossy.decode(line.subarray(all.length, lineOctetsMax));
    const text = kept.includes(found) ? kept : kept + found;
    return this.#refuse(invalid('line-too-long', reason, { label, verb: verbOf(text), line: text }), size);
  }

  #badChar(reason: string, text: string): Invalid | undefined {
    const [all, label, size] = prefix.exec(text)!;
    const line = text.slice(all.length);
    return this.#refuse(invalid('bad-char', reason, { label, verb: verbOf(line), line }), size);
  }

  /** The blob that a bad line announces is no line either. */
  #refuse(fault: Invalid, size: string | undefined): Invalid | undefined {
    if (size === undefined) return fault;
    const { label, verb: body = '' } = fault;
    return this.#awaitBlob({ body, lineEnd: '\n', ...(label !== undefined && { label }) }, Number(size), fault);
  }

  #awaitBlob(head: Awaited['head'], octets: number, fault: Invalid | undefined): undefined {
    this.#blob = { head, octets, fault, pieces: new Pieces(), left: octets };
    return undefined;
  }

  #nextBlob(blob: Awaited): Decoded | undefined {
    while (blob.left > 0 && this.#input.length > 0) {
      const piece = this.#take(Math.min(blob.left, this.#input[0]!.length - this.#position));
      if (!blob.fault) blob.pieces.add(piece, blob.left);
      blob.left -= piece.length;
    }
    if (blob.left > 0) return this.#ended ? this.#cutShort() : undefined;
    const ending = this.#blobEnd();
    if (ending === undefined) return this.#ended ? this.#cutShort() : undefined;
    this.#blob = undefined;
    const { label, body } = blob.head;
    if (!ending) {
      this.#mode = 'dead';
      return invalid('desync', `no line end after the blob of ${blob.octets} octets`, {
        label,
        verb: verbOf(body),
        fatal: true,
      });
    }
    if (blob.fault) return blob.fault;
    return { kind: 'frame', ...blob.head, blob: { octets: blob.octets, pieces: blob.pieces.take() } };
  }

  /** Takes the line end behind a blob: true if it is there, false if something else is, undefined while unknown. */
  #blobEnd(): boolean | undefined {
    const first = this.#input[0]?.[this.#position];
    if (first === undefined) return undefined;
    if (first === LF) return this.#take(1).length === 1;
    if (first !== CR) return false;
    const second = this.#input[0]![this.#position + 1] ?? this.#input[1]?.[0];
    if (second === undefined) return undefined;
    this.#take(1);
    return second === LF && this.#take(1).length === 1;
  }

  #cutShort(): Invalid | undefined {
    this.#mode = 'dead';
    if (this.#blob) {
      const { label, body } = this.#blob.head;
      return invalid('truncated', 'the blob was cut by the end of the stream', { label, verb: verbOf(body) });
    }
    if (this.#held.octets === 0) return undefined;
    return invalid('truncated', 'the last line has no line end and was not executed; end it with Enter or \\n');
  }
}

function decodeText(octets: Uint8Array): string | undefined {
  try {
    return utf8.decode(octets);
  } catch {
    return undefined;
  }
}
