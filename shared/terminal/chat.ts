/** A person in rooms, at a terminal: what they type becomes requests to the hub, its events become lines. No hub rule is here. */
import type { Clock } from '../clock.ts';
import type { CommandName } from '../commands/index.ts';
import type { HubEvent } from '../events.ts';
import type { Terminal } from './terminal.ts';

/** Fields as the wires have them; events come under their own `name`, content of GET as `blob`. */
export interface AnswerRow {
  readonly name?: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly blob?: Uint8Array;
}

export interface Answer {
  readonly output: Readonly<Record<string, unknown>>;
  readonly rows: readonly AnswerRow[];
}

/** What a chat asks of the wire it runs on. */
export interface ChatHost {
  readonly clock: Clock;
  /** Executes a command of the hub's table with fields as a person wrote them. Rejects with an error whose message is for people. */
  request(verb: CommandName, fields: Readonly<Record<string, unknown>>): Promise<Answer>;
  /** Every other way in which the file at this path of the hub can be had, or put there: addresses and command lines. */
  routes(path: string, way: 'get' | 'put'): readonly string[];
  /** The person leaves: called once, when all that was begun is answered. Say goodbye, close the terminal, end. */
  quit(): void;
}

export interface ChatOptions {
  /** Of the person, as NICK or LOGIN answered it. */
  readonly name: string;
}

/** Made when the person has a name. */
export class Chat {
  constructor(_terminal: Terminal, _host: ChatHost, _options: ChatOptions) {}

  /** Enters the room, shows where one is, and listens to the terminal. An error of JOIN is printed, and the chat is in no room. */
  async start(_room: string): Promise<void> {}

  /** Every event of the session goes here, in order. */
  event(_event: HubEvent): void {}

  /** Resolves when all lines that were taken are answered. */
  async settled(): Promise<void> {}
}
