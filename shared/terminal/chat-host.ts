/** What a chat asks of the wire it runs on, and what it gets. */
import type { Clock } from '../clock.ts';
import type { CommandName } from '../commands/index.ts';

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

export interface ChatHost {
  readonly clock: Clock;
  /** Executes a command of the hub's table with fields as a person wrote them. Rejects with an error whose message is for people. */
  request(verb: CommandName, fields: Readonly<Record<string, unknown>>): Promise<Answer>;
  /** WIRE with its rows as they come, until the signal aborts; left out where there is no such thing. Rejects as `request`. */
  watch?(
    fields: Readonly<Record<string, unknown>>,
    onRow: (fields: Readonly<Record<string, unknown>>) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Every other way in which the file at this path of the hub can be had, or put there: addresses and command lines. */
  routes(path: string, way: 'get' | 'put'): readonly string[];
  /** The person leaves: called once, when all that was begun is answered. Say goodbye, close the terminal, end. */
  quit(): void;
}
