/** The hub's events as the page needs them: their types, and which have a number, without the schemas that check them. */
import type { HubEvent, LogEvent } from '../../shared/events.ts';

export type { HubEvent };

export function isNumberedEvent(event: HubEvent): event is LogEvent {
  return 'seq' in event && 'time' in event;
}
