/** The line that is being typed: a pure function of state and key. It knows graphemes and history, no screen and no wire. */
import { octetLength } from '../text.ts';
import { graphemes, nextBoundary, previousBoundary } from './graphemes.ts';
import type { Key } from './keys.ts';
import type { Completion } from './terminal.ts';

interface Snapshot {
  readonly text: string;
  /** Index of UTF-16 units, between two graphemes. */
  readonly cursor: number;
}

export interface EditorState extends Snapshot {
  /** What was killed last, for ^Y. */
  readonly killed: string;
  readonly past: readonly Snapshot[];
  /** Which line of the history is looked at; undefined for one's own, which then waits in `draft`. */
  readonly at: number | undefined;
  readonly draft: string;
  /** ^R: what is looked for, and what stood there before. */
  readonly search: { readonly query: string; readonly at: number; readonly before: Snapshot } | undefined;
  /** "send 12 lines? y/n" */
  readonly isAsking: boolean;
  /** Keys of one kind in a row belong together: for ^_ , ^K and ^D. */
  readonly last: 'text' | 'kill' | 'eof' | 'other';
}

export type Effect =
  | { readonly kind: 'submit'; readonly text: string }
  | { readonly kind: 'bell' | 'too-long' | 'leave' | 'may-leave' | 'cleared' | 'refresh' | 'complete' };

export interface Edited {
  readonly state: EditorState;
  readonly effect?: Effect;
}

export const emptyEditor: EditorState = {
  text: '',
  cursor: 0,
  killed: '',
  past: [],
  at: undefined,
  draft: '',
  search: undefined,
  isAsking: false,
  last: 'other',
};

/** A line that is longer is a file. */
export const lineOctetsMax = 4096;
const snapshotsMax = 100;
const wordChar = /[\p{L}\p{M}\p{N}_]/u;

/** `history`: oldest first. */
export function edit(state: EditorState, key: Key, history: readonly string[]): Edited {
  if (state.isAsking) return answer(state, key);
  if (state.search) return search(state, key, history);
  switch (key.kind) {
    case 'text':
      return insert(state, key.text, state.last !== 'text' || key.text === ' ');
    case 'paste':
      return paste(state, key.text, key.isCut);
    case 'enter':
      return state.text.includes('\n') ? { state: { ...state, isAsking: true } } : submit(state);
    case 'interrupt':
      return { state: { ...emptyEditor, killed: state.killed }, effect: { kind: 'cleared' } };
    case 'eof':
      return eof(state);
    case 'search':
      return { state: { ...state, search: { query: '', at: history.length, before: state } } };
    case 'up':
    case 'down':
      return browse(state, key.kind === 'up' ? -1 : 1, history);
    case 'undo':
      return undo(state);
    case 'yank':
      return insert(state, state.killed, true);
    case 'tab':
      return { state, effect: { kind: 'complete' } };
    case 'refresh':
      return { state, effect: { kind: 'refresh' } };
    case 'transpose':
      return transpose(state);
    default:
      return move(state, key.kind);
  }
}

/** What Tab inserts: the only word, or what all of them begin with. Undefined where that is nothing new. */
export function complete(state: EditorState, { start, words }: Completion): EditorState | undefined {
  const [first] = words;
  if (first === undefined) return undefined;
  let shared = first;
  for (const word of words) while (!word.startsWith(shared)) shared = shared.slice(0, -1);
  const text = state.text.slice(0, start) + shared + state.text.slice(state.cursor);
  if (text === state.text || shared.length < state.cursor - start) return undefined;
  return change(state, text, start + shared.length, 'other');
}

/** What stands in front of the line instead of the prompt, the line as one row, and where the cursor is in it. */
export function viewOf(state: EditorState): {
  readonly prompt?: string;
  readonly text: string;
  readonly cursor: number;
} {
  const { cursor } = state;
  const text = state.text.replaceAll('\n', '↵');
  if (state.isAsking) {
    const prompt = `send ${state.text.split('\n').length} lines? y/n `;
    return { prompt, text: '', cursor: 0 };
  }
  if (state.search) return { prompt: `(search: ${state.search.query}) `, text, cursor };
  return { text, cursor };
}

function change(
  state: EditorState,
  text: string,
  cursor: number,
  last: EditorState['last'],
  isNew = true,
): EditorState {
  const past = isNew ? [...state.past.slice(1 - snapshotsMax), { text: state.text, cursor: state.cursor }] : state.past;
  return { ...state, text, cursor, past, last };
}

function insert(state: EditorState, added: string, isNew: boolean): Edited {
  const text = state.text.slice(0, state.cursor) + added + state.text.slice(state.cursor);
  if (octetLength(text) > lineOctetsMax) return { state, effect: { kind: 'bell' } };
  const at = state.cursor + added.length;
  // What was inserted may join what stands behind it.
  const cursor = at === text.length ? at : boundaryFrom(text, state.cursor, at);
  return { state: change(state, text, cursor, 'text', isNew) };
}

function boundaryFrom(text: string, start: number, at: number): number {
  let boundary = previousBoundary(text, start);
  while (boundary < at) boundary = nextBoundary(text, boundary);
  return boundary;
}

function paste(state: EditorState, pasted: string, isCut: boolean): Edited {
  const added = pasted.replace(/\n+$/, '');
  const { state: next, effect } = insert(state, added, true);
  if (isCut || effect) return { state, effect: { kind: 'too-long' } };
  return { state: { ...next, last: 'other', isAsking: added.includes('\n') } };
}

function submit(state: EditorState): Edited {
  return { state: { ...emptyEditor, killed: state.killed }, effect: { kind: 'submit', text: state.text } };
}

function answer(state: EditorState, key: Key): Edited {
  if (key.kind === 'text' && /^y$/i.test(key.text)) return submit(state);
  if (key.kind === 'interrupt') return edit({ ...state, isAsking: false }, key, []);
  const isNo = (key.kind === 'text' && /^n$/i.test(key.text)) || key.kind === 'escape' || key.kind === 'cancel';
  return isNo ? { state: { ...state, isAsking: false } } : { state, effect: { kind: 'bell' } };
}

function eof(state: EditorState): Edited {
  if (state.text !== '') return move(state, 'delete');
  if (state.last === 'eof') return { state, effect: { kind: 'leave' } };
  return { state: { ...state, last: 'eof' }, effect: { kind: 'may-leave' } };
}

/** ^R: letters narrow it, ^R again looks further back, Enter sends, Escape and ^G give it up, any other key takes the line. */
function search(state: EditorState, key: Key, history: readonly string[]): Edited {
  const { query, at, before } = state.search!;
  const find = (wanted: string, from: number): Edited => {
    const found = history.findLastIndex((line, i) => i < from && line.includes(wanted));
    if (wanted !== '' && found < 0) return { state, effect: { kind: 'bell' } };
    if (wanted === '') return { state: { ...state, ...before, search: { query: '', at: history.length, before } } };
    const text = history[found]!;
    return { state: { ...state, text, cursor: text.length, search: { query: wanted, at: found, before } } };
  };
  if (key.kind === 'text') return find(query + key.text, Math.min(at + 1, history.length));
  if (key.kind === 'erase') return find(query.slice(0, previousBoundary(query, query.length)), history.length);
  if (key.kind === 'search') return query === '' ? { state, effect: { kind: 'bell' } } : find(query, at);
  if (key.kind === 'escape' || key.kind === 'cancel' || key.kind === 'interrupt') {
    return { state: { ...state, ...{ text: before.text, cursor: before.cursor }, search: undefined } };
  }
  return edit({ ...state, search: undefined, last: 'other' }, key, history);
}

function browse(state: EditorState, step: -1 | 1, history: readonly string[]): Edited {
  const at = (state.at ?? history.length) + step;
  if (at < 0 || at > history.length) return { state, effect: { kind: 'bell' } };
  const draft = state.at === undefined ? state.text : state.draft;
  const isOwn = at === history.length;
  const text = isOwn ? draft : history[at]!;
  return {
    state: { ...state, text, cursor: text.length, at: isOwn ? undefined : at, draft, past: [], last: 'other' },
  };
}

function undo(state: EditorState): Edited {
  const before = state.past.at(-1);
  if (!before) return { state, effect: { kind: 'bell' } };
  return { state: { ...state, ...before, past: state.past.slice(0, -1), last: 'other' } };
}

function transpose(state: EditorState): Edited {
  const { text } = state;
  const cursor = state.cursor === text.length ? previousBoundary(text, state.cursor) : state.cursor;
  const start = previousBoundary(text, cursor);
  if (start === cursor) return { state, effect: { kind: 'bell' } };
  const end = nextBoundary(text, cursor);
  const swapped = text.slice(0, start) + text.slice(cursor, end) + text.slice(start, cursor) + text.slice(end);
  return { state: change(state, swapped, end, 'other') };
}

/** Where each of these keys leads from the cursor. */
function target({ text, cursor }: Snapshot, kind: string): number {
  switch (kind) {
    case 'left':
    case 'erase':
      return previousBoundary(text, cursor);
    case 'right':
    case 'delete':
      return nextBoundary(text, cursor);
    case 'word-left':
    case 'kill-word':
      return wordStart(text, cursor);
    case 'word-right':
    case 'kill-word-right':
      return wordEnd(text, cursor);
    case 'home':
    case 'kill-start':
      return 0;
    case 'end':
    case 'kill-end':
      return text.length;
    default:
      return cursor;
  }
}

function move(state: EditorState, kind: string): Edited {
  const to = target(state, kind);
  const [start, end] = [Math.min(to, state.cursor), Math.max(to, state.cursor)];
  const isKill = kind.startsWith('kill');
  if (!isKill && kind !== 'erase' && kind !== 'delete') return { state: { ...state, cursor: to, last: 'other' } };
  if (start === end) return { state: { ...state, last: 'other' }, effect: { kind: 'bell' } };
  const removed = state.text.slice(start, end);
  const next = change(state, state.text.slice(0, start) + state.text.slice(end), start, isKill ? 'kill' : 'other');
  if (!isKill) return { state: next };
  const before = state.last === 'kill' ? state.killed : '';
  return { state: { ...next, killed: to < state.cursor ? removed + before : before + removed } };
}

function wordStart(text: string, cursor: number): number {
  const before = graphemes(text.slice(0, cursor));
  let count = before.length;
  while (count > 0 && !wordChar.test(before[count - 1]!)) count--;
  while (count > 0 && wordChar.test(before[count - 1]!)) count--;
  return before.slice(0, count).join('').length;
}

function wordEnd(text: string, cursor: number): number {
  const after = graphemes(text.slice(cursor));
  let count = 0;
  while (count < after.length && !wordChar.test(after[count]!)) count++;
  while (count < after.length && wordChar.test(after[count]!)) count++;
  return cursor + after.slice(0, count).join('').length;
}
