/** What a person looks for, as they write it → a query. */
import { limits } from './limits.ts';
import { RoomName, UserName } from './names.ts';
import { isUnspaced, type Phrase, runsOf, type SearchQuery, tokensOf } from './search.ts';
import { foldName } from './text.ts';

export type ParsedQuery =
  | { readonly kind: 'query'; readonly query: SearchQuery }
  | { readonly kind: 'invalid'; readonly reason: string };

function phraseOf(text: string): Phrase | undefined {
  const found = tokensOf(text);
  const last = runsOf(text).at(-1);
  if (last === undefined) return undefined;
  if (!isUnspaced.test(last)) return { tokens: found, isPrefix: false };
  // What stands behind the run in the text is not known: its last pair decides, or a lone character begins a token.
  if ([...last].length > 1) return { tokens: found.slice(0, -1), isPrefix: false };
  return { tokens: found, isPrefix: true };
}

const pieces = /"([^"]*)"?|(\S+)/g;
const operator = /^(from|in|has|before|after):(.+)$/i;

interface Draft {
  readonly phrases: Phrase[];
  readonly from: string[];
  readonly in: RoomName[];
  hasFile: boolean;
  before?: string;
  after?: string;
}

/**
 * What a person writes: words, `"a phrase"`, `from:ada`, `in:lobby`, `has:file`, `before:2026-11-23` (that day is not
 * meant) and `after:2026-11-20` (that day is). Never throws.
 */
export function parseQuery(text: string): ParsedQuery {
  const draft: Draft = { phrases: [], from: [], in: [], hasFile: false };
  for (const [, quoted, word] of text.matchAll(pieces)) {
    const [, name, value] = (word !== undefined && operator.exec(word)) || [];
    const reason = name ? applyOperator(draft, name.toLowerCase(), value!) : undefined;
    if (reason) return { kind: 'invalid', reason };
    const phrase = name ? undefined : phraseOf(quoted ?? word!);
    if (phrase) draft.phrases.push(phrase);
  }
  const count = draft.phrases.length + draft.from.length + draft.in.length;
  if (count > limits.searchTermsMax) {
    return { kind: 'invalid', reason: `holds more than ${limits.searchTermsMax} words` };
  }
  if (draft.phrases.length === 0 && draft.from.length === 0 && !draft.hasFile) {
    return { kind: 'invalid', reason: 'holds no word to look for, no from:name and no has:file' };
  }
  return { kind: 'query', query: draft };
}

/** Gives a reason if the value makes no sense. */
function applyOperator(draft: Draft, name: string, value: string): string | undefined {
  switch (name) {
    case 'from': {
      const user = UserName.safeParse(value);
      if (!user.success) return 'from: takes the name of a person';
      draft.from.push(foldName(user.data));
      return undefined;
    }
    case 'in': {
      const room = RoomName.safeParse(value.replace(/^#/, ''));
      if (!room.success) return 'in: takes the name of a room';
      draft.in.push(room.data);
      return undefined;
    }
    case 'has':
      draft.hasFile = true;
      return value.toLowerCase() === 'file' ? undefined : 'has: takes the word file';
    default:
      if (!isDay(value)) return `${name}: takes a day such as 2026-11-23`;
      draft[name as 'before' | 'after'] = value;
      return undefined;
  }
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const timeMs = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(timeMs) && new Date(timeMs).toISOString().startsWith(text);
}
