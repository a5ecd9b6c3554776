/**
 * What a terminal shows: the screen for its mode, what waits to be printed, the pager, and one write a turn. It knows
 * nothing of keys; the line that is typed is asked of whoever has it.
 */
import type { Key } from './keys.ts';
import { type Line, line, span } from './line.ts';
import { LinearScreen } from './linear-screen.ts';
import { Outbox } from './outbox.ts';
import { Pager } from './pager.ts';
import { type Look, plainLook } from './paint.ts';
import type { Frame, Input, Screen } from './screen.ts';
import { faultOf, modeFor, screenFor } from './screen-choice.ts';
import type { ClientKind, Mode, TerminalHost, Theme } from './terminal-host.ts';

const resizeMs = 50;
const wordsMax = 50;
const pasteOn = '\x1b[?2004h';
const pasteOff = '\x1b[?2004l';

export class Display {
  readonly #host: TerminalHost;
  /** The line that is typed, while no page is shown. */
  readonly #typed: () => Input;
  #kind: ClientKind = { input: 'lines', escapes: false, colours: 'none', reader: false };
  #wanted: Mode | undefined;
  #theme: Theme = 'dark';
  #screen: Screen = new LinearScreen({ echoes: false, prompts: false });
  #mode: Mode = 'plain';
  /** What the screen was made for. */
  #form = '';
  #columns = 80;
  #rows = 24;
  #status = '';
  readonly #outbox = new Outbox();
  #pager: Pager | undefined;
  /** Composed and not written yet. */
  #buffer = '';
  /** Since it was composed last. */
  #isChanged = false;
  #isDue = false;
  #isAwaited = false;
  #isStale = false;
  #isPaused = false;
  #isClosed = false;
  #isPaged = true;
  #pastes = false;
  #rings = false;
  #hasDrawn = false;
  #stopResizing = () => {};

  constructor(host: TerminalHost, typed: () => Input) {
    this.#host = host;
    this.#typed = typed;
  }

  get kind(): ClientKind {
    return this.#kind;
  }

  get mode(): Mode {
    return this.#mode;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get isPaging(): boolean {
    return this.#pager !== undefined;
  }

  /** What a person types stays where they typed it; else it goes when they send it. */
  get showsTyped(): boolean {
    return this.#screen instanceof LinearScreen;
  }

  describe(kind: Partial<ClientKind>): void {
    this.#kind = { ...this.#kind, ...kind };
    this.#choose();
  }

  setMode(mode: Mode): string | undefined {
    const fault = faultOf(mode, this.#kind, this.#rows);
    if (fault === undefined) {
      this.#wanted = mode;
      this.#choose();
    }
    return fault;
  }

  setTheme(theme: Theme): void {
    this.#theme = theme;
    this.refresh();
  }

  setStatus(status: string): void {
    this.#status = status;
    this.due();
  }

  resize(columns: number, rows: number): void {
    this.#stopResizing();
    const apply = () => {
      this.#columns = columns === 0 ? 80 : Math.min(Math.max(columns, 20), 500);
      this.#rows = rows === 0 ? 24 : Math.min(Math.max(rows, 5), 300);
      this.#choose();
      if (!this.showsTyped) this.refresh();
    };
    if (this.#hasDrawn) this.#stopResizing = this.#host.clock.after(resizeMs, apply);
    else apply();
  }

  print(...lines: readonly (Line | string)[]): void {
    for (const printed of lines) this.#outbox.add(typeof printed === 'string' ? line`${printed}` : printed);
    this.#dueWhenFree();
  }

  /** What may be meant. */
  printWords(words: readonly string[]): void {
    const shown = words.slice(0, wordsMax).map(word => word.trim());
    this.print([span('quiet', shown.join('  '))]);
  }

  /** In front of what waits. */
  printAtOnce(printed: Line): void {
    this.#outbox.addAtOnce(printed);
  }

  /** Resolves when it was read or left; `isWatched`: somebody can turn pages. */
  async page(lines: readonly (Line | string)[], isWatched: boolean): Promise<void> {
    const isShort = lines.length < this.#rows - 2;
    const isWhole = isShort || this.#mode === 'plain' || !isWatched || !this.#isPaged;
    if (isWhole || this.#pager || this.#isClosed) return this.print(...lines);
    const all = lines.map(shown => (typeof shown === 'string' ? line`${shown}` : shown));
    await new Promise<void>(resolve => {
      this.#pager = new Pager(all, resolve);
      this.#hold();
      this.turn(this.#rows - 1);
    });
  }

  /** A key while a page is shown. */
  pageKey(key: Key): void {
    const isLine = this.#kind.input === 'keys' && (key.kind === 'enter' || key.kind === 'down');
    const text = key.kind === 'text' ? key.text : '';
    if (isLine) this.turn(1);
    else if (text === ' ' || key.kind === 'page-down' || key.kind === 'enter') this.turn(this.#rows - 1);
    else if (/^q$/i.test(text) || /^(interrupt|eof|escape|cancel)$/.test(key.kind)) this.#endPage();
    else this.ring();
  }

  /** A page that is shown ends, and what comes is printed as a whole. */
  stopPaging(): void {
    this.#isPaged = false;
    this.#endPage();
  }

  /** Shows so many rows more of the page. */
  turn(rows: number): void {
    if (!this.#pager) return;
    for (const shown of this.#pager.next(this.#columns, rows)) this.#outbox.addAtOnce(shown);
    if (this.#pager.isAtEnd) this.#endPage();
    this.due();
  }

  ring(): void {
    this.#rings = true;
    this.due();
  }

  refresh(): void {
    this.#isStale = true;
    this.due();
  }

  /** Nothing that waits is shown any more; a page ends. */
  drop(): void {
    this.#outbox.drop();
    this.#endPage();
    this.due();
  }

  pause(): void {
    this.#isPaused = true;
    this.#hold();
  }

  resume(): void {
    this.#isPaused = false;
    this.#hold();
    this.due();
  }

  /** The row on which was typed is over, where what is typed stays. */
  endRow(): void {
    if (this.#screen instanceof LinearScreen) this.#buffer += this.#screen.ended();
  }

  /** The cursor goes to a row of its own. */
  leaveRow(): void {
    this.#buffer += this.#screen.leave() || '\n';
  }

  /** All that was to be shown is in the output, in front of what follows. */
  compose(): void {
    this.#isChanged = false;
    const lines = this.#outbox.take();
    const { recent } = this.#outbox;
    const input = this.#pager ? { prompt: this.#pager.prompt, text: '', cursor: 0 } : this.#typed();
    const [columns, rows, look] = [this.#columns, this.#rows, this.#look];
    const frame: Frame = { lines, recent, input, status: this.#status, columns, rows, look };
    this.#buffer += this.#isStale ? this.#screen.refresh(frame) : this.#screen.draw(frame);
    this.#isStale = false;
    if (this.#rings && this.#mode !== 'plain') this.#buffer += '\x07';
    this.#rings = false;
  }

  /** Something has changed: it is written at the end of the turn. */
  due(): void {
    this.#isChanged = true;
    if (this.#isDue || this.#isClosed) return;
    this.#isDue = true;
    this.#host.clock.soon(() => {
      this.#isDue = false;
      this.#paint();
    });
  }

  /** As `due`, but whoever types goes first. */
  #dueWhenFree(): void {
    if (!this.#host.whenFree) return this.due();
    this.#isChanged = true;
    if (this.#isAwaited || this.#isClosed) return;
    this.#isAwaited = true;
    this.#host.whenFree(() => {
      this.#isAwaited = false;
      this.#paint();
    });
  }

  #paint(): void {
    if (!this.#isChanged || this.#isPaused || this.#isClosed) return;
    this.compose();
    this.#flush(this.#screen.isPrompt);
  }

  close(): void {
    this.#isPaused = false;
    this.#pager?.end();
    this.#pager = undefined;
    this.#hold();
    this.compose();
    this.#buffer += this.#screen.leave() + (this.#pastes ? pasteOff : '');
    this.#flush(false);
    this.#isClosed = true;
    this.#stopResizing();
  }

  /** The mode and with it the screen, from what is wanted and possible. */
  #choose(): void {
    const { escapes, input } = this.#kind;
    const mode = modeFor(this.#wanted, this.#kind, this.#rows);
    const form = `${mode} ${input} ${escapes}`;
    if (form === this.#form) return;
    if (this.#hasDrawn) this.compose();
    this.#form = form;
    this.#mode = mode;
    this.#buffer += this.#screen.leave();
    this.#screen = screenFor(mode, input);
    const pastes = input === 'keys' && (mode === 'inline' || mode === 'full');
    if (pastes !== this.#pastes) this.#buffer += pastes ? pasteOn : pasteOff;
    this.#pastes = pastes;
    this.due();
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

  #flush(isPrompt: boolean): void {
    const text = this.#buffer;
    this.#buffer = '';
    if (text === '') return;
    this.#hasDrawn = true;
    this.#host.write(text, isPrompt);
  }
}
