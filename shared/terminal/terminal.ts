/**
 * A terminal and who sits at it: octets in, text out, whatever carries them. It knows keys, editing and screens, and
 * nothing of rooms or hubs. Sans-IO: its host passes what the client sends and writes what it is given.
 */
import type { Clock } from '../clock.ts';
import type { Line } from './line.ts';

/** What the client at the other end can do; a host tells what it learns, as soon as it learns it. */
export interface ClientKind {
  /** `keys`: each key comes at once and we echo. `lines`: whole lines come and the client shows them itself. */
  readonly input: 'keys' | 'lines';
  /** Understands the escape sequences of a VT100. Without them the mode is plain. */
  readonly escapes: boolean;
  readonly colours: Colours;
  /** A screen reader speaks what is printed. */
  readonly reader: boolean;
}

export type Colours = 'none' | '16' | '256' | 'true';

/**
 * inline: messages scroll, the line that is typed is drawn anew below them. full: a status bar and a line at the bottom.
 * plain: no escape sequence at all, one message one line. reader: nothing is drawn anew, whole sentences.
 */
export const modes = ['inline', 'full', 'plain', 'reader'] as const;
export type Mode = (typeof modes)[number];

export const themes = ['dark', 'light', 'mono'] as const;
export type Theme = (typeof themes)[number];

/** Keys that a wire knows without octets, such as TELNET's IP, EOF, EC and EL. */
export type WireKey = 'interrupt' | 'eof' | 'erase' | 'kill';

export interface TerminalHost {
  readonly clock: Clock;
  /**
   * All output of a turn, called at most once per turn by `clock.soon`. LF begins a new row at column 0; a CR, never before
   * a LF, only returns to column 0. `isPrompt`: it ends in a prompt, behind which TELNET may put EOR or GA.
   */
  write(text: string, isPrompt: boolean): void;
  /** With `lines` input: what is typed is a secret from here on, or no longer; TELNET says WILL or WONT ECHO. */
  conceal?(isHidden: boolean): void;
  /** False when more lines wait to be taken than is good: read no more input until it is true again. */
  flow?(mayRead: boolean): void;
}

/** What Tab offers for a line: the words that may stand from `start` to the cursor. */
export interface Completion {
  readonly start: number;
  readonly words: readonly string[];
}

/** Who takes what is typed when nothing was asked. */
export interface Listener {
  /** A whole line, without its end; the next one waits until the promise has resolved. Must not reject. */
  line(text: string): Promise<void> | void;
  complete?(text: string, cursor: number): Completion | Promise<Completion>;
  /** Something is being typed that is not empty and no command. */
  typing?(): void;
  /** The person wants to leave: ^D twice, or no more input will come. */
  leave(): void;
}

export interface AskOptions {
  /** What is typed is not shown, and kept in no history. */
  readonly hidden?: boolean;
}

/** Made per connection; `close` ends it. Type-ahead waits until something is asked or somebody listens. */
export class Terminal {
  readonly #host: TerminalHost;
  #mode: Mode = 'plain';

  constructor(host: TerminalHost, kind: Partial<ClientKind> = {}) {
    this.#host = host;
    this.describe(kind);
  }

  /** What is known of the client, in part or anew. Chooses the mode, unless the person has. */
  describe(_kind: Partial<ClientKind>): void {}

  get mode(): Mode {
    return this.#mode;
  }

  /** What the person wants: a reason in words where the client cannot do it, else undefined. */
  setMode(_mode: Mode): string | undefined {
    return undefined;
  }

  setTheme(_theme: Theme): void {}

  /** Of the window; 0 is unknown. Clamped to 20–500 × 5–300; waits 50 ms for the next one. */
  resize(_columns: number, _rows: number): void {}

  /** What the client sent, cut anywhere: UTF-8 and the sequences of keys. Other octets show as U+FFFD. */
  input(_octets: Uint8Array): void {}

  key(_name: WireKey): void {}

  /** No more input will come. A line without its end is dropped; questions are answered undefined, then the listener leaves. */
  end(): void {}

  /** Above what is being typed, in the order of calls. */
  print(..._lines: readonly (Line | string)[]): void {}

  /** A long text, a screenful at a time; at once where screens have no end. What is printed meanwhile waits. Resolves when it was read or left. */
  async page(_lines: readonly (Line | string)[]): Promise<void> {}

  /** Asks before anybody else gets a line. Undefined: ^C, ^D or the end of input. */
  async ask(_question: string, _options: AskOptions = {}): Promise<string | undefined> {
    return undefined;
  }

  listen(_listener: Listener): void {}

  /** What the prompt names, as `#lobby`; each has a draft of its own. `status` is for the bar of the full mode. */
  setTarget(_target: string, _status?: string): void {}

  /** The client does not take what was written: what is printed waits, and the oldest of too much is counted and dropped. */
  pause(): void {}

  /** The client reads again: it is told "skipped N messages", then gets what waits. */
  resume(): void {}

  /** Takes the input line off the screen, undoes what was set, writes all that is left at once; nothing is written after it. */
  close(): void {
    this.#host.write('', false);
  }
}
