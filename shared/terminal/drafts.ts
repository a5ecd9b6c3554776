/** What a person is typing and has typed: a draft for each room, and one history for all. */
import { type EditorState, type Effect, edit, emptyEditor } from './editor.ts';
import type { Key } from './keys.ts';

const historyLinesMax = 100;
const historyCharsMax = 32 * 1024;
const draftsMax = 50;

export class Drafts {
  state: EditorState = emptyEditor;
  #target = '';
  readonly #others = new Map<string, EditorState>();
  #history: string[] = [];

  /** What the key asks for beyond the line itself. */
  take(key: Key): Effect | undefined {
    const { state, effect } = edit(this.state, key, this.#history);
    this.state = state;
    return effect;
  }

  select(target: string): void {
    if (target === this.#target) return;
    this.#others.delete(this.#target);
    if (this.state.text !== '') this.#others.set(this.#target, this.state);
    if (this.#others.size > draftsMax) this.#others.delete(this.#others.keys().next().value!);
    this.state = this.#others.get(target) ?? { ...emptyEditor, killed: this.state.killed };
    this.#target = target;
  }

  remember(text: string): void {
    if (text.trim() === '' || text === this.#history.at(-1)) return;
    this.#history.push(text);
    const chars = () => this.#history.reduce((sum, { length }) => sum + length, 0);
    while (this.#history.length > historyLinesMax || chars() > historyCharsMax) this.#history.shift();
  }
}
