/** The order of what leaves a connection: replies to unlabelled requests in the order of the requests, events behind them. */
import type { Connection } from '../../net/connection.ts';

/** The place of one reply. */
export interface Slot {
  /** Undefined until the request is answered. */
  reply: string | undefined;
  /** Events that must not overtake the reply of this slot. */
  behind: (string | Uint8Array)[] | undefined;
}

export class ReplyQueue {
  readonly #connection: Pick<Connection, 'write'>;
  readonly #slots: Slot[] = [];
  /** Places that are full behind one that is not. */
  #heldReplies = 0;
  #heldOctets = 0;

  constructor(connection: Pick<Connection, 'write'>) {
    this.#connection = connection;
  }

  get isEmpty(): boolean {
    return this.#slots.length === 0;
  }

  /** Octets of the events that wait behind a reply. */
  get heldOctets(): number {
    return this.#heldOctets;
  }

  /** Takes the next place. */
  open(slot: Slot): void {
    this.#slots.push(slot);
  }

  /** Fills a place; all that are full from the front leave. */
  fill(slot: Slot, reply: string): void {
    slot.reply = reply;
    this.#heldReplies++;
    const slots = this.#slots;
    while (slots[0]?.reply !== undefined) {
      const { reply: text, behind } = slots.shift()!;
      this.#heldReplies--;
      this.#connection.write(text!);
      if (!behind) continue;
      for (const octets of behind) {
        this.#heldOctets -= octets.length;
        this.#connection.write(octets);
      }
    }
    // Lets go of the room that the array grew to.
    if (slots.length === 0) slots.length = 0;
  }

  /** An event leaves at once, but never before a reply that is ready and held back: it may be that reply's own. */
  event(octets: string | Uint8Array): void {
    if (this.#heldReplies === 0) return this.#connection.write(octets);
    const held = this.#slots.findLast(slot => slot.reply !== undefined)!;
    this.#heldOctets += octets.length;
    (held.behind ??= []).push(octets);
  }
}
