/** Which events have a number in their room's log; without the schemas, for those who only ask this. */
import type { HubEvent, LogEvent } from './events.ts';

export const numberedEvents = ['MSG', 'EDITED', 'DELETED', 'REACTED', 'TOPIC', 'FILE'] as const;

export function isNumbered(event: HubEvent): event is LogEvent {
  return (numberedEvents as readonly string[]).includes(event.event);
}
