/** Body of a line ⇄ the fields that a table entry describes: arguments of a request, fields of a reply, row or event. */
import { type Command, planWord, usage, type WordPlan } from '../commands/command.ts';
import { HubError } from '../errors.ts';
import type { Blob } from './decoder.ts';
import type { Body, FieldValue } from './grammar.ts';
import { joinPieces } from './pieces.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

interface Plan {
  /** Words by their place. */
  readonly places: readonly WordPlan[];
  /** The one that takes the text. */
  readonly rest: WordPlan | undefined;
}

const plans = new WeakMap<Command, Plan>();

function planOf(entry: Command): Plan {
  let found = plans.get(entry);
  if (!found) {
    const words = entry.words.map(planWord);
    found = { places: words.filter(word => !word.rest), rest: words.find(word => word.rest) };
    plans.set(entry, found);
  }
  return found;
}

/**
 * The raw fields of a request, not yet validated. A blob is the text of a verb that takes text; for the others it stays
 * content. Errors: `bad-argument` with `at`, `bad-char` for a text blob that is not UTF-8.
 */
export function requestFields(verb: string, entry: Command, body: Body, blob?: Blob): Record<string, unknown> {
  const plan = planOf(entry);
  const { rest } = plan;
  if (blob && !rest && entry.content !== 'in') {
    throw new HubError('bad-argument', `${verb} takes no blob; usage: ${usage(verb, entry)}`);
  }
  const fields = body.json ? { ...body.json } : wordFields(verb, entry, plan, body);
  if (rest && body.text !== undefined) fields[rest.field] = body.text;
  if (rest && blob) fields[rest.field] = decodeText(blob);
  return fields;
}

function wordFields(verb: string, entry: Command, { places, rest }: Plan, body: Body): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  if (body.words.length > places.length) {
    const hint = rest && body.text === undefined ? 'text begins with a colon: ' : 'usage: ';
    throw new HubError('bad-argument', `too many words; ${hint}${usage(verb, entry)}`);
  }
  if (body.text !== undefined && !rest) {
    throw new HubError('bad-argument', `${verb} takes no text; usage: ${usage(verb, entry)}`);
  }
  for (let i = 0; i < body.words.length; i++) fields[places[i]!.field] = body.words[i];
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

/**
 * The words of a request for `formatFrame`: positional fields without a key, the rest text under `text`. Line ends in
 * positional words cannot be sent as words; `needsJson` says so.
 */
export function requestWords(entry: Command, input: Readonly<Record<string, unknown>>) {
  const { places, rest } = planOf(entry);
  const words: string[] = [];
  const fields: Record<string, FieldValue> = {};
  for (const { field } of places) if (input[field] !== undefined) words.push(String(input[field]));
  for (const [name, value] of Object.entries(input)) {
    if (places.some(({ field }) => field === name)) continue;
    if (name !== rest?.field) fields[name] = value as FieldValue;
    else if (value !== undefined) fields['text'] = String(value);
  }
  const { text: _, ...others } = fields;
  const needsJson = [...words, ...Object.values(others)].some(
    value => typeof value === 'string' && /[\u0000-\u001f\u007f]/.test(value),
  );
  return { words, fields, needsJson };
}
