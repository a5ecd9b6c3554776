/** The rooms that a session has joined: entered on a link, again on the next one, and told what comes. */
import type { HubEvent } from '../shared/events.ts';
import { foldName } from '../shared/text.ts';
import { PartylineError } from './errors.ts';
import type { Link } from './link.ts';
import type { Row } from './request.ts';
import type { Room } from './room.ts';

export class JoinedRooms {
  readonly #rooms = new Map<string, Room>();

  get(name: string): Room | undefined {
    return this.#rooms.get(foldName(name));
  }

  add(room: Room): void {
    this.#rooms.set(foldName(room.name), room);
  }

  remove({ name }: Pick<Room, 'name'>): void {
    this.#rooms.delete(foldName(name));
  }

  /** Live on this link from behind the room's cursor. Errors: those of JOIN. */
  async enter(link: Link, room: Room, signal?: AbortSignal): Promise<void> {
    const after = room.cursor;
    const onRow = (row: Row) => room.replay(row);
    const input = { room: room.name, ...(after !== undefined && { after }) };
    const output = await link.request('JOIN', input, { onRow, signal });
    room.entered(Number(output['last']), after);
  }

  /** All of them on a new link. A room that is gone, or closed to us, does not keep the session from coming back: its reader is told. */
  async enterAgain(link: Link): Promise<void> {
    for (const room of [...this.#rooms.values()]) {
      try {
        await this.enter(link, room);
      } catch (error) {
        if (!(error instanceof PartylineError) || error.class !== 'permanent') throw error;
        this.remove(room);
        room.close(error);
      }
    }
  }

  receive(event: HubEvent): void {
    if ('room' in event) this.get(event.room)?.receive(event);
  }

  close(error: Error | undefined): void {
    for (const room of this.#rooms.values()) room.close(error);
  }
}
