/** Checking the fields of a request against its table entry, the same for every wire. */
import type * as z from 'zod';
import { HubError } from '../errors.ts';
import { type Command, usage } from './command.ts';

/** Checks fields against the entry. Error: `bad-argument`, naming the first field that is wrong and the usage. */
export function parseFields<C extends Command>(verb: string, entry: C, fields: unknown): z.output<C['input']> {
  const parsed = entry.input.safeParse(fields);
  if (parsed.success) return parsed.data as z.output<C['input']>;
  const issue = parsed.error.issues[0]!;
  const at = issue.path[0] === undefined ? undefined : String(issue.path[0]);
  const isMissing = at !== undefined && (fields as Record<string, unknown>)[at] === undefined;
  const what = isMissing ? 'is missing' : issue.message;
  const reason = `${at === undefined ? '' : `${at}: `}${what}; usage: ${usage(verb, entry)}`;
  throw new HubError('bad-argument', reason, at === undefined ? {} : { at });
}
