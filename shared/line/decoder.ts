/**
 * Octets → frames of the line protocol, sans-IO: it is fed with what arrived and asked for what is complete. Holds at most
 * one line and one blob, never throws, and stays in step after everything but `desync`. The same decoder reads requests
 * and replies; what a body means is `grammar.ts`.
 */
import type { ErrorCode } from '../errors.ts';

export type LineEnd = '\n' | '\r\n';

/** Octets as they arrived, in one or more pieces without a copy. */
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

/** A line or blob that cannot be taken. After a fatal one nothing more is decoded. */
export interface Invalid {
  readonly kind: 'invalid';
  readonly code: Extract<ErrorCode, 'bad-char' | 'line-too-long' | 'too-large' | 'truncated' | 'desync'>;
  readonly reason: string;
  readonly label?: string;
  /** What stood where the verb is expected. */
  readonly verb?: string;
  readonly fatal: boolean;
}

/** Octets after `rawFromHere()`. */
export interface Raw {
  readonly kind: 'raw';
  readonly octets: Uint8Array;
}

export type Decoded = Frame | Invalid | Raw;

export interface DecoderLimits {
  readonly lineOctetsMax: number;
  readonly blobOctetsMax: number;
}

const LF = 10;
const CR = 13;
const notText = /[\u0000-\u0008\u000a-\u001f\u007f]/;
const prefix = /^(?:#([\w.-]{1,32}) )?(?:\{(\d{1,10})\} )?/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

interface Awaited {
  readonly head: Omit<Frame, 'kind' | 'blob'>;
  readonly octets: number;
  /** Too large: counted down and thrown away. */
  readonly discard: boolean;
  pieces: Uint8Array[];
  left: number;
}

export class LineDecoder {
  readonly #limits: DecoderLimits;
  #input: Uint8Array[] = [];
  #position = 0;
  #line: Uint8Array[] = [];
  #lineOctets = 0;
  #overlong = false;
  #blob: Awaited | undefined;
  #mode: 'lines' | 'raw' | 'dead' = 'lines';
  #ended = false;

  constructor(limits: DecoderLimits) {
    this.#limits = limits;
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
    this.#position += octets;
    if (this.#position === head.length) {
      this.#input.shift();
      this.#position = 0;
    }
    return taken;
  }

  #nextRaw(): Raw | undefined {
    const head = this.#input[0];
    return head && { kind: 'raw', octets: this.#take(head.length - this.#position) };
  }

  #nextLine(): Decoded | undefined {
    for (let head = this.#input[0]; head; head = this.#input[0]) {
      const end = head.indexOf(LF, this.#position);
      const piece = this.#take((end < 0 ? head.length : end + 1) - this.#position);
      this.#hold(piece);
      if (end < 0) continue;
      const decoded = this.#overlong ? this.#overlongLine() : this.#decodeLine(this.#heldLine());
      this.#line = [];
      this.#lineOctets = 0;
      if (decoded) return decoded;
      if (this.#blob) return this.#nextBlob(this.#blob);
    }
    return this.#ended ? this.#cutShort() : undefined;
  }

  #hold(piece: Uint8Array): void {
    this.#lineOctets += piece.length;
    if (this.#lineOctets > this.#limits.lineOctetsMax + 2) this.#overlong = true;
    if (!this.#overlong || this.#line.length === 0) this.#line.push(piece);
  }

  #heldLine(): Uint8Array {
    if (this.#line.length === 1) return this.#line[0]!;
    const line = new Uint8Array(this.#lineOctets);
    let at = 0;
    for (const piece of this.#line) {
      line.set(piece, at);
      at += piece.length;
    }
    return line;
  }

  #overlongLine(): Invalid {
    this.#overlong = false;
    const head = decodeText(this.#line[0]!.subarray(0, 64)) ?? '';
    const reason = `a line has at most ${this.#limits.lineOctetsMax} octets; send longer text as a blob: {octets} before the verb`;
    return invalid('line-too-long', reason, prefix.exec(head)?.[1]);
  }

  #decodeLine(octets: Uint8Array): Decoded | undefined {
    const crlf = octets.length > 1 && octets[octets.length - 2] === CR;
    const text = decodeText(octets.subarray(0, octets.length - (crlf ? 2 : 1)));
    if (text === undefined) return invalid('bad-char', 'the line is not valid UTF-8');
    if (text.length > this.#limits.lineOctetsMax) return this.#overlongLine();
    const [all, label, size] = prefix.exec(text)!;
    if (notText.test(text)) {
      return invalid('bad-char', 'a line holds no control character but TAB', label, verbOf(text.slice(all.length)));
    }
    const body = text.slice(all.length);
    if (body === '' && all === '') return undefined;
    const head = { body, lineEnd: crlf ? '\r\n' : '\n', ...(label !== undefined && { label }) } as const;
    if (size === undefined) return { kind: 'frame', ...head };
    const octetsOfBlob = Number(size);
    const discard = octetsOfBlob > this.#limits.blobOctetsMax;
    this.#blob = { head, octets: octetsOfBlob, discard, pieces: [], left: octetsOfBlob };
    return undefined;
  }

  #nextBlob(blob: Awaited): Decoded | undefined {
    while (blob.left > 0 && this.#input.length > 0) {
      const piece = this.#take(Math.min(blob.left, this.#input[0]!.length - this.#position));
      blob.left -= piece.length;
      if (!blob.discard) blob.pieces.push(piece);
    }
    if (blob.left > 0) return this.#ended ? this.#cutShort() : undefined;
    const ending = this.#blobEnd();
    if (ending === undefined) return this.#ended ? this.#cutShort() : undefined;
    this.#blob = undefined;
    const { label, body } = blob.head;
    if (!ending) {
      this.#mode = 'dead';
      return invalid('desync', `no line end after the blob of ${blob.octets} octets`, label, verbOf(body), true);
    }
    if (blob.discard) {
      return invalid('too-large', `a blob has at most ${this.#limits.blobOctetsMax} octets`, label, verbOf(body));
    }
    return { kind: 'frame', ...blob.head, blob: { octets: blob.octets, pieces: blob.pieces } };
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
      return invalid('truncated', 'the blob was cut by the end of the stream', label, verbOf(body));
    }
    if (this.#lineOctets === 0) return undefined;
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

function verbOf(body: string): string | undefined {
  return /^(?:[-+=*] )?([A-Za-z-]{1,16})(?= |$)/.exec(body)?.[1];
}

function invalid(code: Invalid['code'], reason: string, label?: string, verb?: string, fatal = false): Invalid {
  return {
    kind: 'invalid',
    code,
    reason,
    fatal,
    ...(label !== undefined && { label }),
    ...(verb !== undefined && { verb: verb.toUpperCase() }),
  };
}
