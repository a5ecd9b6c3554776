/** What a terminal asks of whoever carries its octets, and of whoever takes its lines; and the words for kinds of clients, modes and themes. */
import type { Clock } from '../clock.ts';

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
export const wireKeys = { interrupt: 'interrupt', eof: 'eof', erase: 'erase', kill: 'kill-start' } as const;
export type WireKey = keyof typeof wireKeys;

export interface TerminalHost {
  readonly clock: Clock;
  /**
   * All output of a turn, called at most once per turn by `clock.soon` or `whenFree`. LF begins a new row at column 0; a CR, never before
   * a LF, only returns to column 0. `isPrompt`: it ends in a prompt, behind which TELNET may put EOR or GA.
   */
  write(text: string, isPrompt: boolean): void;
  /** Calls `paint` once, in the order of calls, when those who type need not wait for it. Default: `clock.soon`. */
  whenFree?(paint: () => void): void;
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
