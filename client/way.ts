/** How requests leave for a server and what comes back, on whatever wire: the line protocol over TCP or TLS, or a WebSocket. */
import type { HubEvent } from '../shared/events.ts';
import type { Row, Values } from './request.ts';

/** What a way tells of what it hears; `label` is that of the request. */
export interface WayEvents {
  /** A sign of life. */
  heard(): void;
  /** The server's first words. */
  greeted(fields: Values): void;
  /** Nothing further is told before the promise is settled. */
  row(label: string | undefined, row: Row): Promise<void> | undefined;
  answered(label: string | undefined, fields: Values): void;
  refused(label: string | undefined, refusal: Refusal): void;
  event(event: HubEvent): void;
  /** No more will come; `error` where it did not end as agreed. */
  over(error?: Error): void;
}

export interface Refusal {
  readonly code: unknown;
  readonly text: unknown;
  /** Seconds. */
  readonly retry: unknown;
}

export interface Way {
  ask(label: string, verb: string, input: Values, blob: Uint8Array | undefined): void;
  cancel(label: string): void;
  /** Answers the server's question whether anybody is there. */
  live(): void;
  /** Nothing more is asked: it ends when all is answered. `fin` says so by the end of the stream alone. */
  quit(how: 'quit' | 'fin'): void;
  /** The server has said BYE. */
  end(): void;
  destroy(): void;
}

/** Rejects when it cannot be opened or the signal aborts. */
export type OpenWay = (events: WayEvents, signal?: AbortSignal) => Promise<Way>;
