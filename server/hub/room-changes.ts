/** Changing what a room is: its document in the store and in memory, and whoever may not stay there any more. */
import { HubError } from '../../shared/errors.ts';
import { tell } from './fanout.ts';
import type { Domain } from './handlers.ts';
import type { LiveRoom, RoomDocument } from './live-rooms.ts';
import { demand, may } from './permissions.ts';
import { endWatches } from './watches.ts';

const triesMax = 5;

/** Error: `conflict` if others change the room all the time. */
export async function changeRoom(
  { store }: Pick<Domain, 'store'>,
  room: LiveRoom,
  change: (rights: RoomDocument) => RoomDocument,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const { key, version, value } = room.document;
    const changed = change(value);
    try {
      await store.commit([{ kind: 'put-document', document: 'room', key, value: changed, expect: version }]);
      room.document = { key, version: version + 1, value: changed };
      return leaveOut(room);
    } catch (error) {
      if (tries === triesMax || !(error instanceof HubError && error.code === 'conflict')) throw error;
    }
  }
}

/** Who may not read in the room any more hears it no longer, and is told why; nor is it watched by who may not list. */
function leaveOut(room: LiveRoom): void {
  for (const session of endWatches(room)) {
    tell(session, { event: 'NOTICE', text: `you do not watch ${room.name} any more` });
  }
  for (const session of [...room.sessions()]) {
    const { person } = session;
    if (!person || may(person, 'read', room.rights)) continue;
    room.part(session);
    tell(session, {
      event: 'NOTICE',
      text: `you have left ${room.name}: ${reasonFor(() => demand(person, 'read', room.rights))}`,
    });
  }
}

function reasonFor(refuse: () => void): string {
  try {
    refuse();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
