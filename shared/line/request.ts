/** Body of a line ⇄ the fields that a table entry describes: arguments of a request, fields of a reply, row or event. */
import type * as z from 'zod';
import { type Command, planWord, usage, type WordPlan } from '../commands/command.ts';
import { HubError } from '../errors.ts';
import type { Blob } from './decoder.ts';
import type { Body, FieldValue } from './grammar.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const plans = new WeakMap<Command, readonly WordPlan[]>();

function plansOf(entry: Command): readonly WordPlan[] {
  let found = plans.get(entry);
  if (!found) plans.set(entry, (found = entry.words.map(planWord)));
  return found;
}

/**
 * The raw fields of a request, not yet validated. A blob is the text of a verb that takes text; for the others it stays
 * content. Errors: `bad-argument` with `at`, `bad-char` for a text blob that is not UTF-8.
 */
export function requestFields(verb: string, entry: Command, body: Body, blob?: Blob): Record<string, unknown> {
  const plan = plansOf(entry);
  const rest = plan.find(word => word.rest);
  if (blob && !rest && entry.content !== 'in') {
    throw new HubError('bad-argument', `${verb} takes no blob; usage: ${usage(verb, entry)}`);
  }
  const fields = body.json ? { ...body.json } : wordFields(verb, entry, plan, body);
  if (rest && body.text !== undefined) fields[rest.field] = body.text;
  if (rest && blob) fields[rest.field] = decodeText(blob);
  return fields;
}

function wordFields(verb: string, entry: Command, plan: readonly WordPlan[], body: Body): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  const places = plan.filter(word => !word.rest);
  const takesText = places.length < plan.length;
  if (body.words.length > places.length) {
    const hint = takesText && body.text === undefined ? 'text begins with a colon: ' : 'usage: ';
    throw new HubError('bad-argument', `too many words; ${hint}${usage(verb, entry)}`);
  }
  if (body.text !== undefined && !takesText) {
    throw new HubError('bad-argument', `${verb} takes no text; usage: ${usage(verb, entry)}`);
  }
  for (const [i, word] of body.words.entries()) fields[places[i]!.field] = word;
  for (const [name, value] of body.keys) {
    if (!Object.hasOwn(entry.input.shape, name)) {
      throw new HubError('bad-argument', `there is no ${name}=; usage: ${usage(verb, entry)}`, { at: name });
    }
    if (Object.hasOwn(fields, name)) {
      throw new HubError('bad-argument', `${name} stands twice; usage: ${usage(verb, entry)}`, { at: name });
    }
    fields[name] = value;
  }
  return fields;
}

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

/** The fields of a reply, row or event as the wire carried them: words stay words, `text` is the text or the blob. */
export function answerFields(body: Body, blob?: Blob): Record<string, unknown> {
  const fields: Record<string, unknown> = body.json ? { ...body.json } : Object.fromEntries(body.keys);
  if (body.text !== undefined) fields['text'] = body.text;
  else if (blob && fields['text'] === undefined) fields['text'] = decodeText(blob);
  return fields;
}

/** A text blob as a string. Error: `bad-char`. */
export function decodeText(blob: Blob): string {
  try {
    return utf8.decode(joinPieces(blob));
  } catch {
    throw new HubError('bad-char', 'the text is not valid UTF-8');
  }
}

/** The octets of a blob in one array; no copy where there is one piece. */
export function joinPieces(blob: Blob): Uint8Array {
  if (blob.pieces.length === 1) return blob.pieces[0]!;
  const joined = new Uint8Array(blob.octets);
  let at = 0;
  for (const piece of blob.pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

/**
 * The words of a request for `formatFrame`: positional fields without a key, the rest text under `text`. Line ends in
 * positional words cannot be sent as words; `needsJson` says so.
 */
export function requestWords(entry: Command, input: Readonly<Record<string, unknown>>) {
  const plan = plansOf(entry);
  const words: string[] = [];
  const fields: Record<string, FieldValue> = {};
  const places = new Set<string>();
  for (const word of plan) {
    const value = input[word.field];
    places.add(word.field);
    if (value === undefined) continue;
    if (word.rest) fields['text'] = String(value);
    else words.push(String(value));
  }
  for (const [name, value] of Object.entries(input)) if (!places.has(name)) fields[name] = value as FieldValue;
  const needsJson = [...words, ...Object.values(fields)].some(
    value => typeof value === 'string' && value !== fields['text'] && /[\u0000-\u001f\u007f]/.test(value),
  );
  return { words, fields, needsJson };
}
