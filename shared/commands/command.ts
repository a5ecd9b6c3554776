/** The form of an entry of table 1. From it derive parsing, dispatch, HELP, usage errors, the reference page and the client's types. */
import type * as z from 'zod';

/** The twelve things a person may be allowed in a room; `server/hub/permissions.ts` says who is. */
export const actions = [
  'see',
  'read',
  'post',
  'list',
  'download',
  'upload',
  'overwrite',
  'delete-own',
  'delete-any',
  'invite',
  'moderate',
  'manage',
] as const;
export type Action = (typeof actions)[number];

/** A field of the input in order of the text form: `room`, `path?` may be left out, `text…` takes the rest after a colon. */
export type Word = string;

export interface Command {
  readonly summary: string;
  readonly words: readonly Word[];
  readonly input: z.ZodObject;
  readonly output: z.ZodObject;
  /** Rows before the final reply: `events` come under their own names, others under the command's. */
  readonly rows?: 'events' | z.ZodObject;
  /** `in`: a blob comes with the request; `out`: one leaves with each row. */
  readonly content?: 'in' | 'out';
  readonly aliases?: readonly string[];
  /** The action that is asked of the room which this field of the input names or lies in. */
  readonly needs?: readonly [action: Action, field: string];
  /** Allowed before a name is known. */
  readonly open?: true;
  /** Changes who asks or how: nothing behind it begins before it has ended. */
  readonly barrier?: true;
  /** Does not care what the requests before it did, so it may begin before they have ended. */
  readonly independent?: true;
  /** May run until it is cancelled, giving rows as things happen. */
  readonly endless?: true;
  /** Fields that go into the audit log when the command has succeeded; without any of those marked `!` it only showed something. */
  readonly audit?: readonly string[];
  /** Safe to repeat after a lost connection: `yes`, or only with an `id`. */
  readonly repeatable?: 'yes' | 'with-id';
}

/** Keeps the literal types of an entry. */
export function command<const C extends Command>(entry: C): C {
  return entry;
}

export type Input<C extends Command> = z.input<C['input']>;
export type Parsed<C extends Command> = z.output<C['input']>;
export type Output<C extends Command> = z.output<C['output']>;

export interface WordPlan {
  readonly field: string;
  readonly optional: boolean;
  /** Takes the text after the colon, or a blob. */
  readonly rest: boolean;
}

/** What a word of a table entry says. */
export function planWord(word: Word): WordPlan {
  const rest = word.endsWith('…');
  const bare = rest ? word.slice(0, -1) : word;
  const optional = bare.endsWith('?');
  return { field: optional ? bare.slice(0, -1) : bare, optional, rest };
}

/** One line of usage: `SAY room [id=] [reply=] :text`. */
export function usage(verb: string, entry: Command): string {
  const plans = entry.words.map(planWord);
  const named = new Set(plans.map(plan => plan.field));
  const keys = Object.keys(entry.input.shape).filter(key => !named.has(key));
  const shown = (optional: boolean, text: string) => (optional ? `[${text}]` : text);
  const parts = [
    ...plans.filter(plan => !plan.rest).map(plan => shown(plan.optional, plan.field)),
    ...keys.map(key => shown(entry.input.shape[key]?.safeParse(undefined).success ?? false, `${key}=`)),
    ...plans.filter(plan => plan.rest).map(plan => shown(plan.optional, `:${plan.field}`)),
  ];
  return [entry.content === 'in' ? '{octets}' : '', verb, ...parts].filter(part => part !== '').join(' ');
}
