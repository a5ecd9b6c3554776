/** The verbs a client may ask, with the types of table 1 and of the line protocol's own table. */
import type { Command, Input, Output } from '../shared/commands/command.ts';
import { type CommandName, commands, type InputOf, isCommandName, type OutputOf } from '../shared/commands/index.ts';
import { eventSchemas, isEventName } from '../shared/events.ts';
import { type SessionVerb, sessionVerbs } from '../shared/line/session-verbs.ts';
import type { Table } from './session-options.ts';

export type Verb = CommandName | SessionVerb;
export type VerbInput<V extends Verb> = V extends CommandName
  ? InputOf<V>
  : V extends SessionVerb
    ? Input<(typeof sessionVerbs)[V]>
    : never;
export type VerbOutput<V extends Verb> = V extends CommandName
  ? OutputOf<V>
  : V extends SessionVerb
    ? Output<(typeof sessionVerbs)[V]>
    : never;

/** Checks by the schemas. */
export const hubTable: Table = {
  isRepeatable(verb, input) {
    const { repeatable } = entryOf(verb as Verb);
    return repeatable === 'yes' || (repeatable === 'with-id' && input['id'] !== undefined);
  },
  answer: (verb, fields) => entryOf(verb as Verb).output.parse(fields),
  event(name, fields) {
    if (!isEventName(name)) return undefined;
    const parsed = eventSchemas[name].safeParse({ event: name, ...fields });
    return parsed.success ? parsed.data : undefined;
  },
};

export function entryOf(verb: Verb): Command {
  return isCommandName(verb) ? commands[verb] : sessionVerbs[verb as SessionVerb];
}
