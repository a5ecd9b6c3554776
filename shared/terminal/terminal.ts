/**
 * A terminal and who sits at it: octets in, text out, whatever carries them. It knows keys, editing and screens, and
 * nothing of rooms or hubs. Sans-IO: its host passes what the client sends and writes what it is given.
 */
import { Drafts } from './drafts.ts';
import { complete, type Effect, viewOf } from './editor.ts';
import { FullScreen, fullRowsMin } from './full-screen.ts';
import { InlineScreen } from './inline-screen.ts';
import { type Key, KeyDecoder } from './keys.ts';
import { type Line, line, span } from './line.ts';
import { LinearScreen } from './linear-screen.ts';
import { Outbox } from './outbox.ts';
import { Pager } from './pager.ts';
import { type Look, plainLook } from './paint.ts';
import type { Frame, Input, Screen } from './screen.ts';
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

export type * from './terminal-host.ts';
export { modes, themes } from './terminal-host.ts';

interface Question extends AskOptions {
  readonly prompt: string;
  readonly drafts: Drafts;
  answer(text: string | undefined): void;
}

/** Long enough for the rest of a sequence over a slow link, short enough to be felt as at once. */
const escapeMs = 100;
const resizeMs = 50;
/** Type-ahead: keys while nobody listens, and lines while one is being worked on. */
const aheadKeysMax = 16 * 1024;
const aheadLinesMax = 64;
const offeredMax = 50;
const pasteOn = '\x1b[?2004h';
const pasteOff = '\x1b[?2004l';
/** A client that sends whole lines has no other keys. */
const ofLines = /^(text|enter|erase|interrupt|eof|kill-start)$/;
const promptModes = /^(inline|full)$/;
const wireKeys = { interrupt: 'interrupt', eof: 'eof', erase: 'erase', kill: 'kill-start' } as const;

/** Made per connection; `close` ends it. Type-ahead waits until something is asked or somebody listens. */
export class Terminal {
  readonly #host: TerminalHost;
  #kind: ClientKind = { input: 'lines', escapes: false, colours: 'none', reader: false };
  #wanted: Mode | undefined;
  #theme: Theme = 'dark';
  #screen: Screen = new LinearScreen({ echoes: false, prompts: false });
  #mode: Mode = 'plain';
  /** What the screen was made for. */
  #form = '';
  #columns = 80;
  #rows = 24;
  readonly #keys = new KeyDecoder();
  #aheadKeys: Key[] = [];
  readonly #aheadLines: string[] = [];
  readonly #drafts = new Drafts();
  readonly #questions: Question[] = [];
  #listener: Listener | undefined;
  #isWorking = false;
  #target = '';
  #status = '';
  readonly #outbox = new Outbox();
  #pager: Pager | undefined;
  /** Composed and not written yet. */
  #buffer = '';
  #isDue = false;
  #isStale = false;
  #isPaused = false;
  #isClosed = false;
  #hasEnded = false;
  #pastes = false;
  #rings = false;
  #hasDrawn = false;
  #stopWaiting = () => {};
  #stopResizing = () => {};

  constructor(host: TerminalHost, kind: Partial<ClientKind> = {}) {
    this.#host = host;
    this.describe(kind);
  }

  get mode(): Mode {
    return this.#mode;
  }

  /** What a person types stays where they typed it; else it goes when they send it. */
  get showsTyped(): boolean {
    return this.#screen instanceof LinearScreen;
  }

  /** What is known of the client, in part or anew. Chooses the mode, unless the person has. */
  describe(kind: Partial<ClientKind>): void {
    this.#kind = { ...this.#kind, ...kind };
    this.#choose();
  }

  /** What the person wants: a reason in words where the client cannot do it, else undefined. */
  setMode(mode: Mode): string | undefined {
    const fault = this.#fault(mode);
    if (fault === undefined) {
      this.#wanted = mode;
      this.#choose();
    }
    return fault;
  }

  setTheme(theme: Theme): void {
    this.#theme = theme;
    this.#refresh();
  }

  /** Of the window; 0 is unknown. Clamped to 20–500 × 5–300; waits 50 ms for the next one. */
  resize(columns: number, rows: number): void {
    this.#stopResizing();
    const apply = () => {
      this.#columns = columns === 0 ? 80 : Math.min(Math.max(columns, 20), 500);
      this.#rows = rows === 0 ? 24 : Math.min(Math.max(rows, 5), 300);
      this.#choose();
      if (!this.showsTyped) this.#refresh();
    };
    if (this.#hasDrawn) this.#stopResizing = this.#host.clock.after(resizeMs, apply);
    else apply();
  }

  /** What the client sent, cut anywhere: UTF-8 and the sequences of keys. Other octets show as U+FFFD. */
  input(octets: Uint8Array): void {
    if (this.#hasEnded || this.#isClosed) return;
    this.#stopWaiting();
    for (const key of this.#keys.push(octets)) this.#receive(key);
    if (!this.#keys.isWaiting) return;
    this.#stopWaiting = this.#host.clock.after(escapeMs, () => {
      for (const key of this.#keys.flush()) this.#receive(key);
    });
  }

  key(name: WireKey): void {
    if (!this.#hasEnded && !this.#isClosed) this.#handle({ kind: wireKeys[name] });
  }

  /** No more input will come. A line without its end is dropped; questions are answered undefined, then the listener leaves. */
  end(): void {
    this.#hasEnded = true;
    if (this.#pager) this.#page(Number.POSITIVE_INFINITY);
    this.#endIfDone();
  }

  /** Above what is being typed, in the order of calls. */
  print(...lines: readonly (Line | string)[]): void {
    for (const printed of lines) this.#outbox.add(typeof printed === 'string' ? line`${printed}` : printed);
    this.#due();
  }

  /** A long text, a screenful at a time; at once where screens have no end. What is printed meanwhile waits. Resolves when it was read or left. */
  async page(lines: readonly (Line | string)[]): Promise<void> {
    const isShort = lines.length < this.#rows - 2;
    if (isShort || this.#mode === 'plain' || this.#hasEnded || this.#pager || this.#isClosed)
      return this.print(...lines);
    const all = lines.map(shown => (typeof shown === 'string' ? line`${shown}` : shown));
    await new Promise<void>(resolve => {
      this.#pager = new Pager(all, resolve);
      this.#hold();
      this.#page(this.#rows - 1);
    });
  }

  /** Asks before anybody else gets a line. Undefined: ^C, ^D or the end of input. */
  ask(prompt: string, { hidden = false }: AskOptions = {}): Promise<string | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined);
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
    this.#status = status;
    this.#drafts.select(target);
    this.#due();
  }

  /** The client does not take what was written: what is printed waits, and the oldest of too much is counted and dropped. */
  pause(): void {
    this.#isPaused = true;
    this.#hold();
  }

  /** The client reads again: it is told "skipped N messages", then gets what waits. */
  resume(): void {
    this.#isPaused = false;
    this.#hold();
    this.#due();
  }

  /** Takes the input line off the screen, undoes what was set, writes all that is left at once; nothing is written after it. */
  close(): void {
    if (this.#isClosed) return;
    this.#hasEnded = true;
    this.#isPaused = false;
    this.#pager?.end();
    this.#pager = undefined;
    this.#hold();
    this.#compose();
    this.#buffer += this.#screen.leave() + (this.#pastes ? pasteOff : '');
    this.#flush(false);
    this.#isClosed = true;
    this.#stopWaiting();
    this.#stopResizing();
    for (const { answer } of this.#questions.splice(0)) answer(undefined);
  }

  #fault(mode: Mode): string | undefined {
    const { escapes, input } = this.#kind;
    if ((mode === 'inline' || mode === 'full') && !escapes)
      return `${mode} needs a terminal that knows escape sequences`;
    if (mode === 'full' && input === 'lines') return 'full needs a client that sends each key';
    if (mode === 'full' && this.#rows < fullRowsMin) return `full needs ${fullRowsMin} rows`;
    return undefined;
  }

  /** The mode and with it the screen, from what is wanted and possible. */
  #choose(): void {
    const { escapes, input, reader } = this.#kind;
    const usual = reader ? 'reader' : escapes ? 'inline' : 'plain';
    const mode = this.#wanted !== undefined && this.#fault(this.#wanted) === undefined ? this.#wanted : usual;
    const form = `${mode} ${input} ${escapes}`;
    if (form === this.#form) return;
    if (this.#hasDrawn) this.#compose();
    this.#form = form;
    this.#mode = mode;
    this.#buffer += this.#screen.leave();
    this.#screen = screenFor(mode, input);
    const pastes = input === 'keys' && (mode === 'inline' || mode === 'full');
    if (pastes !== this.#pastes) this.#buffer += pastes ? pasteOn : pasteOff;
    this.#pastes = pastes;
    this.#due();
  }

  #receive(key: Key): void {
    if (this.#kind.input === 'keys' || ofLines.test(key.kind)) this.#handle(key);
    else if (key.kind === 'tab') this.#handle({ kind: 'text', text: '\t' });
  }

  #handle(key: Key): void {
    if (this.#pager) this.#turn(key);
    else if (this.#questions[0] || this.#listener) this.#type(key);
    else if (this.#aheadKeys.length < aheadKeysMax) this.#aheadKeys.push(key);
    this.#due();
  }

  /** Somebody takes what is typed from here on: first what was typed already. */
  #begin(): void {
    const [question] = this.#questions;
    if (question?.hidden) this.#conceal(true);
    const early = question && this.#aheadLines.shift();
    if (early !== undefined) this.#answer(early);
    for (const key of this.#aheadKeys.splice(0)) this.#handle(key);
    this.#feed();
    this.#endIfDone();
    this.#due();
  }

  #type(key: Key): void {
    const [question] = this.#questions;
    const drafts = question?.drafts ?? this.#drafts;
    const before = drafts.state.text;
    if (question && (key.kind === 'interrupt' || (key.kind === 'eof' && before === ''))) return this.#answer(undefined);
    // What is echoed must stand in front of the end of its row.
    if (this.showsTyped && (key.kind === 'enter' || key.kind === 'interrupt')) this.#compose();
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
        this.#rings = true;
        return;
      case 'too-long':
        return this.print([span('error', 'a line has at most 4 KiB; a longer text is a file')]);
      case 'may-leave':
        return this.print([span('quiet', '^D again leaves')]);
      case 'leave':
        return this.#listener?.leave();
      case 'cleared':
        this.#endRow();
        if (before === '') this.print([span('quiet', '^D twice or /quit leaves')]);
        return;
      case 'refresh':
        return this.#refresh();
      case 'complete':
        return this.#complete();
    }
  }

  #endRow(): void {
    if (this.#screen instanceof LinearScreen) this.#buffer += this.#screen.ended();
  }

  #submit(text: string): void {
    this.#endRow();
    if (this.#questions[0]) return this.#answer(text);
    this.#drafts.remember(text);
    this.#aheadLines.push(text);
    this.#feed();
    if (this.#aheadLines.length === aheadLinesMax) this.#host.flow?.(false);
  }

  #answer(text: string | undefined): void {
    const { prompt, hidden, answer } = this.#questions.shift()!;
    if (hidden) this.#conceal(false);
    if (!this.showsTyped) this.#outbox.addAtOnce(line`${prompt}${hidden ? '' : (text ?? '')}`);
    else if (text === undefined || (hidden && this.#kind.input === 'lines'))
      this.#buffer += this.#screen.leave() || '\n';
    answer(text);
    if (this.#questions[0]?.hidden) this.#conceal(true);
  }

  #conceal(isHidden: boolean): void {
    if (this.#kind.input === 'lines') this.#host.conceal?.(isHidden);
  }

  /** Lines go to the listener one after the other. */
  #feed(): void {
    while (!this.#isWorking && this.#listener && this.#aheadLines.length > 0) {
      const text = this.#aheadLines.shift()!;
      if (this.#aheadLines.length === aheadLinesMax - 1) this.#host.flow?.(true);
      const working = this.#listener.line(text);
      if (!working) continue;
      this.#isWorking = true;
      void working.then(() => {
        this.#isWorking = false;
        this.#feed();
        this.#endIfDone();
      });
    }
  }

  #endIfDone(): void {
    if (!this.#hasEnded || this.#aheadKeys.length > 0) return;
    while (this.#questions[0]) this.#answer(undefined);
    if (this.#listener && !this.#isWorking && this.#aheadLines.length === 0) this.#listener.leave();
  }

  #complete(): void {
    const { text, cursor } = this.#drafts.state;
    const offered = this.#questions[0] ? undefined : this.#listener?.complete?.(text, cursor);
    if (offered instanceof Promise) void offered.then(completion => this.#offer(completion, text, cursor));
    else this.#offer(offered, text, cursor);
  }

  #offer(completion: Completion | undefined, text: string, cursor: number): void {
    const { state } = this.#drafts;
    if (this.#isClosed || state.text !== text || state.cursor !== cursor) return;
    const completed = completion && complete(state, completion);
    if (completed) this.#drafts.state = completed;
    else if (completion && completion.words.length > 1) {
      this.print([
        span(
          'quiet',
          completion.words
            .slice(0, offeredMax)
            .map(word => word.trim())
            .join('  '),
        ),
      ]);
    } else this.#rings = true;
    this.#due();
  }

  #turn(key: Key): void {
    const isLine = this.#kind.input === 'keys' && (key.kind === 'enter' || key.kind === 'down');
    const text = key.kind === 'text' ? key.text : '';
    if (isLine) this.#page(1);
    else if (text === ' ' || key.kind === 'page-down' || key.kind === 'enter') this.#page(this.#rows - 1);
    else if (/^q$/i.test(text) || /^(interrupt|eof|escape|cancel)$/.test(key.kind)) this.#endPage();
    else this.#rings = true;
  }

  #page(rows: number): void {
    for (const shown of this.#pager!.next(this.#columns, rows)) this.#outbox.addAtOnce(shown);
    if (this.#pager!.isAtEnd) this.#endPage();
    this.#due();
  }

  #endPage(): void {
    const pager = this.#pager;
    this.#pager = undefined;
    this.#hold();
    pager?.end();
  }

  #hold(): void {
    this.#outbox.isHeld = this.#isPaused || this.#pager !== undefined;
  }

  get #look(): Look {
    const isBare = this.#mode === 'plain' || this.#mode === 'reader';
    return isBare ? plainLook : { colours: this.#kind.colours, theme: this.#theme };
  }

  #inputLine(): Input {
    if (this.#pager) return { prompt: this.#pager.prompt, text: '', cursor: 0 };
    const [question] = this.#questions;
    const view = viewOf((question?.drafts ?? this.#drafts).state);
    if (question) {
      const shown = question.hidden ? { text: '', cursor: 0 } : view;
      return { ...shown, prompt: view.prompt ?? question.prompt };
    }
    const isUsual = this.#listener !== undefined && promptModes.test(this.#mode);
    const target = this.#target === '' ? '> ' : `[${this.#target}] `;
    return { ...view, prompt: view.prompt ?? (isUsual ? target : '') };
  }

  #refresh(): void {
    this.#isStale = true;
    this.#due();
  }

  #due(): void {
    if (this.#isDue || this.#isClosed) return;
    this.#isDue = true;
    this.#host.clock.soon(() => {
      this.#isDue = false;
      if (this.#isPaused || this.#isClosed) return;
      this.#compose();
      this.#flush(this.#screen.isPrompt);
    });
  }

  #compose(): void {
    const lines = this.#outbox.take();
    const { recent } = this.#outbox;
    const input = this.#inputLine();
    const [columns, rows, look] = [this.#columns, this.#rows, this.#look];
    const frame: Frame = { lines, recent, input, status: this.#status, columns, rows, look };
    this.#buffer += this.#isStale ? this.#screen.refresh(frame) : this.#screen.draw(frame);
    this.#isStale = false;
    if (this.#rings && this.#mode !== 'plain') this.#buffer += '\x07';
    this.#rings = false;
  }

  #flush(isPrompt: boolean): void {
    const text = this.#buffer;
    this.#buffer = '';
    if (text === '') return;
    this.#hasDrawn = true;
    this.#host.write(text, isPrompt);
  }
}

function screenFor(mode: Mode, input: ClientKind['input']): Screen {
  if (mode === 'full') return new FullScreen();
  if (mode === 'inline' && input === 'keys') return new InlineScreen();
  return new LinearScreen({ echoes: input === 'keys', prompts: mode === 'inline' });
}
