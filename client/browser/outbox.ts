/** What was typed and not yet answered: kept over lost connections and reloads, and sent once, since each has an id. */
import { signal } from '@preact/signals';
import { Offline } from './api.ts';
import type { Link } from './link.ts';
import { keep, kept } from './preferences.ts';

export interface Outgoing {
  readonly id: string;
  readonly room: string;
  readonly text: string;
  readonly reply?: number;
  /** Why the hub refused it. */
  readonly refusal?: string;
}

export class Outbox {
  readonly waiting = signal<readonly Outgoing[]>(read());
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
    this.waiting.subscribe(waiting => keep('outbox', waiting.length > 0 ? JSON.stringify(waiting) : undefined));
  }

  add(room: string, text: string, reply: number | undefined): void {
    const id = [...crypto.getRandomValues(new Uint32Array(3))].map(number => number.toString(36)).join('');
    const outgoing = { id, room, text, ...(reply !== undefined && { reply }) };
    this.waiting.value = [...this.waiting.value, outgoing];
    void this.#send(outgoing);
  }

  /** After a reconnect: in the order in which they were typed. */
  async flush(): Promise<void> {
    for (const outgoing of this.waiting.value) if (outgoing.refusal === undefined) await this.#send(outgoing);
  }

  /** It stands in the room. */
  arrived(id: string | undefined): void {
    if (id !== undefined && this.waiting.value.some(one => one.id === id)) this.discard(id);
  }

  discard(id: string): void {
    this.waiting.value = this.waiting.value.filter(one => one.id !== id);
  }

  async #send({ refusal: _, ...outgoing }: Outgoing): Promise<void> {
    try {
      await this.#link.request('SAY', outgoing);
      this.discard(outgoing.id);
    } catch (error) {
      if (error instanceof Offline) return;
      const refusal = (error as Error).message;
      this.waiting.value = this.waiting.value.map(one => (one.id === outgoing.id ? { ...one, refusal } : one));
    }
  }
}

function read(): readonly Outgoing[] {
  try {
    return JSON.parse(kept('outbox') ?? '[]') as Outgoing[];
  } catch {
    return [];
  }
}
