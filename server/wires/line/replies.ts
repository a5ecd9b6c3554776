/** The order of what leaves a connection: replies to unlabelled requests in the order of the requests, events behind them. */

interface Slot {
  reply: string | undefined;
  /** Events that must not overtake the reply of this slot. */
  behind: (string | Uint8Array)[] | undefined;
}

export class ReplyQueue {
  readonly #write: (octets: string | Uint8Array) => void;
  readonly #slots: Slot[] = [];
  #whenEmpty: (() => void)[] = [];

  constructor(write: (octets: string | Uint8Array) => void) {
    this.#write = write;
  }

  /** Takes the next place; the returned function fills it, and all that are full from the front leave. */
  open(): (reply: string) => void {
    const slot: Slot = { reply: undefined, behind: undefined };
    this.#slots.push(slot);
    return reply => {
      slot.reply = reply;
      this.#flush();
    };
  }

  /** An event leaves at once, but never before a reply that is ready and held back: it may be that reply's own. */
  event(octets: string | Uint8Array): void {
    const held = this.#slots.findLast(slot => slot.reply !== undefined);
    if (held) (held.behind ??= []).push(octets);
    else this.#write(octets);
  }

  /** Resolves when every place is answered. */
  empty(): Promise<void> | undefined {
    if (this.#slots.length === 0) return undefined;
    return new Promise(resolve => this.#whenEmpty.push(resolve));
  }

  #flush(): void {
    while (this.#slots[0]?.reply !== undefined) {
      const { reply, behind } = this.#slots.shift()!;
      this.#write(reply!);
      for (const octets of behind ?? []) this.#write(octets);
    }
    if (this.#slots.length > 0) return;
    const waiting = this.#whenEmpty;
    this.#whenEmpty = [];
    for (const resolve of waiting) resolve();
  }
}
