/** Lines of listings: LIST as `ls -l` writes them, MLSD and MLST as RFC 3659 §7 does; and the patterns that LIST takes. Pure. */
import { octetLength } from '../text.ts';

/** What a listing says of a file or folder. */
export interface ListedEntry {
  readonly name: string;
  readonly type: 'file' | 'dir';
  /** Octets; 0 for folders. */
  readonly size: number;
  readonly modifiedMs: number;
  readonly owner: string;
  readonly group: string;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const dayMs = 24 * 3_600_000;

const two = (number: number) => String(number).padStart(2, '0');

/** `-rw-r--r--   1 ada      lobby        12 Nov 23 01:15 name`; UTC. */
export function formatListLine(entry: ListedEntry, nowMs: number): string {
  const date = new Date(entry.modifiedMs);
  const age = nowMs - entry.modifiedMs;
  const isRecent = age < 180 * dayMs && age > -dayMs;
  const time = isRecent ? `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}` : ` ${date.getUTCFullYear()}`;
  const mode = entry.type === 'dir' ? 'drwxr-xr-x' : '-rw-r--r--';
  const day = String(date.getUTCDate()).padStart(2);
  const when = `${months[date.getUTCMonth()]} ${day} ${time}`;
  return `${mode}   1 ${word(entry.owner).padEnd(8)} ${word(entry.group).padEnd(8)} ${String(entry.size).padStart(9)} ${when} ${entry.name}`;
}

/** Columns are told apart by spaces. */
function word(name: string): string {
  return name.replaceAll(/\s/g, '_') || '-';
}

/** RFC 3659 §7.5, in the order in which they are written. */
export const factNames = ['type', 'size', 'modify', 'perm', 'unique', 'UNIX.mode'] as const;
export type FactName = (typeof factNames)[number];

export interface FactEntry {
  readonly type: 'file' | 'dir' | 'cdir' | 'pdir';
  readonly size?: number;
  readonly modifiedMs?: number;
  /** Letters of RFC 3659 §7.5.5. */
  readonly perm: string;
  /** One for one object. */
  readonly unique: string;
}

/** `type=file;size=12;modify=20261123011500; name` */
export function formatFacts(entry: FactEntry, facts: ReadonlySet<FactName>, name: string): string {
  const values: Record<FactName, string | undefined> = {
    type: entry.type,
    size: entry.size === undefined ? undefined : String(entry.size),
    modify: entry.modifiedMs === undefined ? undefined : formatTimeValue(entry.modifiedMs),
    perm: entry.perm,
    unique: entry.unique,
    'UNIX.mode': entry.type === 'file' ? '0644' : '0755',
  };
  const shown = factNames.filter(fact => facts.has(fact) && values[fact] !== undefined);
  return `${shown.map(fact => `${fact}=${values[fact]};`).join('')} ${name}`;
}

/** `20261123011500` (RFC 3659 §2.3). */
export function formatTimeValue(timeMs: number): string {
  return new Date(timeMs).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14);
}

/** Undefined for what is no time. Fractions are cut off. */
export function parseTimeValue(text: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?$/.exec(text);
  if (!parts) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const timeMs = Date.UTC(year, month - 1, day, hour, minute, second);
  const isReal = year >= 1 && formatTimeValue(timeMs) === text.slice(0, 14);
  return isReal ? timeMs : undefined;
}

const patternOctetsMax = 255;

/** Holds a sign of a pattern. */
export function isPattern(name: string): boolean {
  return /[*?[]/.test(name);
}

/**
 * Whether the name fits `*`, `?`, `[a-z]`, `[!a]`; in time of name × pattern, whatever the pattern. Names that begin with
 * a dot are only found by patterns that do.
 */
export function matches(name: string, pattern: string): boolean {
  if (octetLength(pattern) > patternOctetsMax || (name.startsWith('.') && !pattern.startsWith('.'))) return false;
  const characters = [...name];
  const signs = parsePattern(pattern);
  let [at, sign, starSign, starAt] = [0, 0, -1, 0];
  while (at < characters.length) {
    const current = signs[sign];
    if (current === '*') {
      starSign = sign++;
      starAt = at;
    } else if (current?.(characters[at]!)) {
      at++;
      sign++;
    } else if (starSign >= 0) {
      sign = starSign + 1;
      at = ++starAt;
    } else return false;
  }
  while (signs[sign] === '*') sign++;
  return sign === signs.length;
}

type Sign = '*' | ((character: string) => boolean);

function parsePattern(pattern: string): readonly Sign[] {
  const signs: Sign[] = [];
  const part = /\*+|\?|\[(!|\^)?(\]?[^\]]*)\]|./gsu;
  for (const [text, negation, set] of pattern.matchAll(part)) {
    if (text.startsWith('*')) signs.push('*');
    else if (text === '?') signs.push(() => true);
    else if (set !== undefined) signs.push(character => inSet(character, set) === (negation === undefined));
    else signs.push(character => character === text);
  }
  return signs;
}

function inSet(character: string, set: string): boolean {
  const members = [...set];
  for (let i = 0; i < members.length; i++) {
    if (members[i + 1] === '-' && members[i + 2] !== undefined) {
      if (character >= members[i]! && character <= members[i + 2]!) return true;
      i += 2;
    } else if (character === members[i]) return true;
  }
  return false;
}
