/** TYPE A (RFC 959 §3.1.1.1): line ends of contents on their way, across the borders of pieces. Pure. */

const [LF, CR] = [10, 13];

/** LF becomes CR LF; a CR LF stays one. */
export class ToAscii {
  #last = 0;

  take(octets: Uint8Array): Uint8Array {
    const out = new Uint8Array(2 * octets.length);
    let length = 0;
    for (const octet of octets) {
      if (octet === LF && this.#last !== CR) out[length++] = CR;
      out[length++] = octet;
      this.#last = octet;
    }
    return out.subarray(0, length);
  }
}

/** CR LF becomes LF; a CR alone stays. */
export class FromAscii {
  #holdsCr = false;

  take(octets: Uint8Array): Uint8Array {
    const out = new Uint8Array(octets.length + 1);
    let length = 0;
    for (const octet of octets) {
      if (this.#holdsCr && octet !== LF) out[length++] = CR;
      this.#holdsCr = octet === CR;
      if (!this.#holdsCr) out[length++] = octet;
    }
    return out.subarray(0, length);
  }

  end(): Uint8Array {
    return this.#holdsCr ? Uint8Array.of(CR) : new Uint8Array(0);
  }
}
