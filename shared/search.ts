/**
 * Searching messages: which tokens a text has, and whether an event matches a query. Words count whole and
 * without accents; scripts that are written without spaces are cut into overlapping pairs. Knows no index.
 */
import type { LogEvent } from './events.ts';
import type { FilePath, RoomName } from './names.ts';
import { baseName } from './paths.ts';
import { foldName } from './text.ts';

/** Tokens that stand one behind the other; the last one may be the beginning of a longer one. */
export interface Phrase {
  readonly tokens: readonly string[];
  readonly isPrefix: boolean;
}

/** All of it must hold; of several names under `from`, any one. */
export interface SearchQuery {
  readonly phrases: readonly Phrase[];
  /** Folded names of authors. */
  readonly from: readonly string[];
  /** Names of rooms as written. */
  readonly in: readonly RoomName[];
  /** Only what happened to files. */
  readonly hasFile: boolean;
  /** Days as `2026-11-23`, UTC: from the first octet of `after` to before the first of `before`. */
  readonly before?: string;
  readonly after?: string;
}

const unspaced =
  '\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Hang}\\p{scx=Bopo}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmr}\\p{sc=Mymr}';
/** A word of any script, which may hold runs of unspaced ones, or a pictograph. */
const words = /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*|\p{ExtPict}/gu;
const runs = new RegExp(`[${unspaced}]+|[^${unspaced}]+`, 'gu');
export const isUnspaced = new RegExp(`^[${unspaced}]`, 'u');
const ascii = /^[\0-\x7f]*$/;
/** Nothing to fold but case, and runs that are told apart by their range: nearly all texts without accents. */
const plain =
  /^[\0-\x7f\u3001\u3002\u3041-\u3096\u30a1-\u30fa\u30fc\u4e00-\u9fff\uac00-\ud7a3\uff01\uff0c\uff1a\uff1f]*$/;
const plainOthers = /[\u3041-\ud7a3]+|[\u3001\u3002\uff01\uff0c\uff1a\uff1f]+/g;
const tokens = /[a-z0-9\u0080-\u{10ffff}]+/gu;

/** The form under which texts are compared: compatibility forms, case and the accents of letters are gone. */
function foldText(text: string): string {
  const bare = text.normalize('NFKD').replace(/[\u0300-\u036f]/g, '');
  return foldName(bare).replaceAll('ς', 'σ');
}

/** Pairs, and the last character alone, so that each character begins a token. */
function pairsOf(run: string): string {
  let pairs = '';
  let last = '';
  for (const character of run) {
    if (last !== '') pairs += `${last}${character} `;
    last = character;
  }
  return ` ${pairs}${last} `;
}

/** The runs of a text: words without a trace of what stood between them, and unspaced ones. */
export function runsOf(text: string): readonly string[] {
  return (
    foldText(text)
      .match(words)
      ?.flatMap(word => word.match(runs) ?? []) ?? []
  );
}

/**
 * The tokens of a text in their order, as a text that is split at everything in ASCII that is no letter and no digit. In
 * either case; the tokens hold letters, marks, digits and pictographs.
 */
export function tokenText(text: string): string {
  if (ascii.test(text)) return text;
  if (plain.test(text))
    return text.replace(plainOthers, run => (run >= '\u3041' && run < '\ue000' ? pairsOf(run) : ' '));
  return runsOf(text)
    .map(run => (isUnspaced.test(run) ? pairsOf(run) : run))
    .join(' ');
}

/** The tokens of a text in their order. */
export function tokensOf(text: string): readonly string[] {
  return tokenText(text).toLowerCase().match(tokens) ?? [];
}

/** Undefined where the text holds no token. */
/** The text under which an event is found: of a message its text, of a file its name. Undefined: it is never found. */
export function searchedText(event: LogEvent): string | undefined {
  if (event.event === 'MSG') return event.deleted ? undefined : event.text;
  if (event.event !== 'FILE' || event.op === 'remove') return undefined;
  return baseName((event.to ?? event.path) as FilePath);
}

/** Does the event match, in whatever room it stands? */
export function matchesQuery(query: SearchQuery, event: LogEvent): boolean {
  const text = searchedText(event);
  if (text === undefined || (query.hasFile && event.event !== 'FILE')) return false;
  if (query.from.length > 0 && !query.from.includes(foldName(event.from))) return false;
  if (query.before !== undefined && event.time >= query.before) return false;
  if (query.after !== undefined && event.time < query.after) return false;
  if (query.phrases.length === 0) return true;
  const tokens = tokensOf(text);
  return query.phrases.every(phrase => holdsPhrase(tokens, phrase));
}

function holdsPhrase(tokens: readonly string[], { tokens: wanted, isPrefix }: Phrase): boolean {
  const last = wanted.length - 1;
  return tokens.some((_, at) =>
    wanted.every((token, i) => {
      const found = tokens[at + i];
      return found === token || (isPrefix && i === last && found?.startsWith(token) === true);
    }),
  );
}
