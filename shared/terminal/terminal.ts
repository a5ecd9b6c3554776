/**
 * A terminal and who sits at it: octets in, text out, whatever carries them. It knows keys, editing and screens, and
 * nothing of rooms or hubs. Sans-IO: its host passes what the client sends and writes what it is given.
 */
import { Display } from './display.ts';
import { Drafts } from './drafts.ts';
import { complete, type Effect, viewOf } from './editor.ts';
import { type Key, KeyDecoder } from './keys.ts';
import { type Line, line, span } from './line.ts';
import type { Input } from './screen.ts';
import { SubmittedLines } from './submitted-lines.ts';
import type {
  AskOptions,
  ClientKind,
  Completion,
  Listener,
  Mode,
  TerminalHost,
  Theme,
  WireKey,
} from './terminal-host.ts';

import { wireKeys } from './terminal-host.ts';

export type * from './terminal-host.ts';
export { modes, themes } from './terminal-host.ts';

interface Question extends AskOptions {
  readonly prompt: string;
  readonly drafts: Drafts;
  answer(text: string | undefined): void;
}

/** Long enough for the rest of a sequence over a slow link, short enough to be felt as at once. */
const escapeMs = 100;
/** Typed while nobody listens. */
const aheadKeysMax = 16 * 1024;
/** A client that sends whole lines has no other keys. */
const ofLines = /^(text|enter|erase|interrupt|eof|kill-start)$/;
const promptModes = /^(inline|full)$/;

/** Made per connection; `close` ends it. Type-ahead waits until something is asked or somebody listens. */
export class Terminal {
  readonly #host: TerminalHost;
  readonly #display: Display;
  readonly #keys = new KeyDecoder();
  #aheadKeys: Key[] = [];
  readonly #lines: SubmittedLines;
  readonly #drafts = new Drafts();
  readonly #questions: Question[] = [];
  #listener: Listener | undefined;
  #target = '';
  #hasEnded = false;
  #stopWaiting = () => {};

  constructor(host: TerminalHost, kind: Partial<ClientKind> = {}) {
    this.#host = host;
    this.#lines = new SubmittedLines(host, () => this.#endIfDone());
    this.#display = new Display(host, () => this.#inputLine());
    this.describe(kind);
  }

  get mode(): Mode {
    return this.#display.mode;
  }

  /** What a person types stays where they typed it; else it goes when they send it. */
  get showsTyped(): boolean {
    return this.#display.showsTyped;
  }

  /** What is known of the client, in part or anew. Chooses the mode, unless the person has. */
  describe(kind: Partial<ClientKind>): void {
    this.#display.describe(kind);
  }

  /** What the person wants: a reason in words where the client cannot do it, else undefined. */
  setMode(mode: Mode): string | undefined {
    return this.#display.setMode(mode);
  }

  setTheme(theme: Theme): void {
    this.#display.setTheme(theme);
  }

  /** Of the window; 0 is unknown. Clamped to 20–500 × 5–300; waits 50 ms for the next one. */
  resize(columns: number, rows: number): void {
    this.#display.resize(columns, rows);
  }

  /** What the client sent, cut anywhere: UTF-8 and the sequences of keys. Other octets show as U+FFFD. */
  input(octets: Uint8Array): void {
    if (this.#hasEnded || this.#display.isClosed) return;
    this.#stopWaiting();
    for (const key of this.#keys.push(octets)) this.#receive(key);
    if (!this.#keys.isWaiting) return;
    this.#stopWaiting = this.#host.clock.after(escapeMs, () => {
      for (const key of this.#keys.flush()) this.#receive(key);
    });
  }

  key(name: WireKey): void {
    if (!this.#hasEnded && !this.#display.isClosed) this.#handle({ kind: wireKeys[name] });
  }

  /** No more input will come. A line without its end is dropped; questions are answered undefined, then the listener leaves. */
  end(): void {
    this.#hasEnded = true;
    this.#display.turn(Number.POSITIVE_INFINITY);
    this.#endIfDone();
  }

  /** Above what is being typed, in the order of calls. */
  print(...lines: readonly (Line | string)[]): void {
    this.#display.print(...lines);
  }

  /** A long text, a screenful at a time; at once where screens have no end. What is printed meanwhile waits. Resolves when it was read or left. */
  page(lines: readonly (Line | string)[]): Promise<void> {
    return this.#display.page(lines, !this.#hasEnded);
  }

  /** The page that is shown ends, and none is shown any more: there is no time to read. */
  stopPaging(): void {
    this.#display.stopPaging();
  }

  /** Asks before anybody else gets a line. Undefined: ^C, ^D or the end of input. */
  ask(prompt: string, { hidden = false }: AskOptions = {}): Promise<string | undefined> {
    if (this.#display.isClosed) return Promise.resolve(undefined);
    const answered = new Promise<string | undefined>(resolve => {
      this.#questions.push({ prompt, hidden, drafts: new Drafts(), answer: resolve });
    });
    if (this.#questions.length === 1) this.#begin();
    return answered;
  }

  listen(listener: Listener): void {
    this.#listener = listener;
    this.#begin();
  }

  /** What the prompt names, as `#lobby`; each has a draft of its own. `status` is for the bar of the full mode. */
  setTarget(target: string, status = target): void {
    this.#target = target;
    this.#drafts.select(target);
    this.#display.setStatus(status);
  }

  drop(): void {
    this.#display.drop();
  }

  /** The client does not take what was written: what is printed waits, and the oldest of too much is counted and dropped. */
  pause(): void {
    this.#display.pause();
  }

  /** The client reads again: it is told "skipped N messages", then gets what waits. */
  resume(): void {
    this.#display.resume();
  }

  /** Takes the input line off the screen, undoes what was set, writes all that is left at once; nothing is written after it. */
  close(): void {
    if (this.#display.isClosed) return;
    this.#hasEnded = true;
    this.#display.close();
    this.#stopWaiting();
    for (const { answer } of this.#questions.splice(0)) answer(undefined);
  }

  #receive(key: Key): void {
    if (this.#display.kind.input === 'keys' || ofLines.test(key.kind)) this.#handle(key);
    else if (key.kind === 'tab') this.#handle({ kind: 'text', text: '\t' });
  }

  #handle(key: Key): void {
    if (this.#display.isPaging) this.#display.pageKey(key);
    else if (this.#questions[0] || this.#listener) this.#type(key);
    else if (this.#aheadKeys.length < aheadKeysMax) this.#aheadKeys.push(key);
    this.#display.due();
  }

  /** Somebody takes what is typed from here on: first what was typed already. */
  #begin(): void {
    const [question] = this.#questions;
    if (question?.hidden) this.#conceal(true);
    const early = question && this.#lines.shift();
    if (early !== undefined) this.#answer(early);
    for (const key of this.#aheadKeys.splice(0)) this.#handle(key);
    this.#feed();
    this.#endIfDone();
    this.#display.due();
  }

  #type(key: Key): void {
    const [question] = this.#questions;
    const drafts = question?.drafts ?? this.#drafts;
    const before = drafts.state.text;
    if (question && (key.kind === 'interrupt' || (key.kind === 'eof' && before === ''))) return this.#answer(undefined);
    // What is echoed must stand in front of the end of its row.
    if (this.showsTyped && (key.kind === 'enter' || key.kind === 'interrupt')) this.#display.compose();
    const effect = drafts.take(key);
    const { text } = drafts.state;
    if (effect) this.#perform(effect, before);
    else if (!question && text !== before && /^[^/]/.test(text)) this.#listener?.typing?.();
  }

  #perform(effect: Effect, before: string): void {
    switch (effect.kind) {
      case 'submit':
        return this.#submit(effect.text);
      case 'bell':
        return this.#display.ring();
      case 'too-long':
        return this.print([span('error', 'a line has at most 4 KiB; a longer text is a file')]);
      case 'may-leave':
        return this.print([span('quiet', '^D again leaves')]);
      case 'leave':
        return this.#listener?.leave();
      case 'cleared':
        this.#display.endRow();
        if (before === '') this.print([span('quiet', '^D twice or /quit leaves')]);
        return;
      case 'refresh':
        return this.#display.refresh();
      case 'complete':
        return this.#complete();
    }
  }

  #submit(text: string): void {
    this.#display.endRow();
    if (this.#questions[0]) return this.#answer(text);
    this.#drafts.remember(text);
    this.#lines.push(text);
    this.#feed();
  }

  #answer(text: string | undefined): void {
    const { prompt, hidden, answer } = this.#questions.shift()!;
    if (hidden) this.#conceal(false);
    if (!this.showsTyped) this.#display.printAtOnce(line`${prompt}${hidden ? '' : (text ?? '')}`);
    else if (text === undefined || (hidden && this.#display.kind.input === 'lines')) this.#display.leaveRow();
    answer(text);
    if (this.#questions[0]?.hidden) this.#conceal(true);
  }

  #conceal(isHidden: boolean): void {
    if (this.#display.kind.input === 'lines') this.#host.conceal?.(isHidden);
  }

  #feed(): void {
    if (this.#listener) this.#lines.feed(this.#listener);
  }

  #endIfDone(): void {
    if (!this.#hasEnded || this.#aheadKeys.length > 0) return;
    while (this.#questions[0]) this.#answer(undefined);
    if (this.#lines.isDone) this.#listener?.leave();
  }

  #complete(): void {
    const { text, cursor } = this.#drafts.state;
    const offered = this.#questions[0] ? undefined : this.#listener?.complete?.(text, cursor);
    if (offered instanceof Promise) void offered.then(completion => this.#offer(completion, text, cursor));
    else this.#offer(offered, text, cursor);
  }

  #offer(completion: Completion | undefined, text: string, cursor: number): void {
    const { state } = this.#drafts;
    if (this.#display.isClosed || state.text !== text || state.cursor !== cursor) return;
    const completed = completion && complete(state, completion);
    if (completed) this.#drafts.state = completed;
    else if (completion && completion.words.length > 1) this.#display.printWords(completion.words);
    else this.#display.ring();
    this.#display.due();
  }

  #inputLine(): Input {
    const [question] = this.#questions;
    const view = viewOf((question?.drafts ?? this.#drafts).state);
    if (question) {
      const shown = question.hidden ? { text: '', cursor: 0 } : view;
      return { ...shown, prompt: view.prompt ?? question.prompt };
    }
    const isUsual = this.#listener !== undefined && promptModes.test(this.#display.mode);
    const target = this.#target === '' ? '> ' : `[${this.#target}] `;
    return { ...view, prompt: view.prompt ?? (isUsual ? target : '') };
  }
}
