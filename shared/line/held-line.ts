/**
 * The beginning of a line whose end has not come: kept as far as a line may go, counted and searched beyond. Copied, so that
 * no chunk of the socket is kept for it. sans-IO.
 */

export interface LineLimits {
  readonly lineOctetsMax: number;
  /** Looked for in what is thrown away of an over-long line; a match has at most 32 octets. */
  readonly sought?: RegExp;
}

const soughtOctetsMax = 32;
/** One character for each octet, wherever pieces are cut. */
const singleOctets = new TextDecoder('latin1');

export class HeldLine {
  readonly #limits: LineLimits;
  #kept: Uint8Array | undefined;
  #octets = 0;
  /** Of the part that is thrown away: its last octets, and what was sought and found. */
  #tail = '';
  #found = '';

  constructor(limits: LineLimits) {
    this.#limits = limits;
  }

  /** All that came, kept or not. */
  get octets(): number {
    return this.#octets;
  }

  hold(piece: Uint8Array): void {
    const at = this.#octets;
    this.#octets += piece.length;
    const wanted = Math.min(this.#octets, this.#limits.lineOctetsMax + 2);
    if (wanted > at) this.#keep(piece.subarray(0, wanted - at), at, wanted);
    if (wanted === this.#octets) return;
    if (at <= wanted) this.#seek(endOf(this.#kept!, this.#limits));
    this.#seek(piece.subarray(Math.max(0, wanted - at)));
  }

  #keep(piece: Uint8Array, at: number, wanted: number): void {
    if (!this.#kept || this.#kept.length < wanted) {
      const roomier = new Uint8Array(Math.min(this.#limits.lineOctetsMax + 2, 2 * wanted));
      if (this.#kept) roomier.set(this.#kept.subarray(0, at));
      this.#kept = roomier;
    }
    this.#kept.set(piece, at);
  }

  #seek(octets: Uint8Array): void {
    const text = this.#tail + singleOctets.decode(octets);
    this.#found ||= this.#limits.sought?.exec(text)?.[0] ?? '';
    this.#tail = text.slice(-soughtOctetsMax);
  }

  /** What was kept, and what was sought and found behind it; then nothing is held. */
  take(): { readonly kept: Uint8Array; readonly octets: number; readonly found: string } {
    const taken = { kept: this.#kept!, octets: this.#octets, found: this.#found };
    this.#kept = undefined;
    this.#octets = 0;
    this.#tail = this.#found = '';
    return taken;
  }
}

/** What is sought in an over-long line that came in one piece. */
export function soughtIn(line: Uint8Array, limits: LineLimits): string {
  return limits.sought?.exec(singleOctets.decode(endOf(line, limits)))?.[0] ?? '';
}

/** From the last octets that a line may have, where what is sought may begin. */
function endOf(line: Uint8Array, { lineOctetsMax }: LineLimits): Uint8Array {
  return line.subarray(Math.max(0, lineOctetsMax - soughtOctetsMax));
}
