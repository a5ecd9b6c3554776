/** What a slow reader was not sent: the numbers of dropped events by room, told as GAP when it has caught up. */
import type { EventOf, HubEvent } from '../../../shared/events.ts';
import { isNumbered } from '../../../shared/numbered.ts';

export class Gaps {
  readonly #rooms = new Map<string, EventOf<'GAP'>>();
  #isOpen = false;

  /** Something was dropped and not told of yet; then all that follows is dropped too, since order would break. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  drop(events: readonly HubEvent[]): void {
    this.#isOpen = true;
    for (const event of events) {
      if (!isNumbered(event)) continue;
      const { room, seq } = event;
      const from = this.#rooms.get(room)?.from ?? seq;
      this.#rooms.set(room, { event: 'GAP', room, from, to: seq });
    }
  }

  /** All that is open, which is closed by this. */
  take(): readonly EventOf<'GAP'>[] {
    const gaps = [...this.#rooms.values()];
    this.#rooms.clear();
    this.#isOpen = false;
    return gaps;
  }
}
