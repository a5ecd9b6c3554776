/** Which mode a client can have, and the screen that draws it. */
import { FullScreen, fullRowsMin } from './full-screen.ts';
import { InlineScreen } from './inline-screen.ts';
import { LinearScreen } from './linear-screen.ts';
import type { Screen } from './screen.ts';
import type { ClientKind, Mode } from './terminal-host.ts';

/** Why the client cannot have the mode, in words; undefined if it can. */
export function faultOf(mode: Mode, { escapes, input }: ClientKind, rows: number): string | undefined {
  if ((mode === 'inline' || mode === 'full') && !escapes) return `${mode} needs a terminal that knows escape sequences`;
  if (mode === 'full' && input === 'lines') return 'full needs a client that sends each key';
  if (mode === 'full' && rows < fullRowsMin) return `full needs ${fullRowsMin} rows`;
  return undefined;
}

/** What is wanted where it can be, else what suits the client. */
export function modeFor(wanted: Mode | undefined, kind: ClientKind, rows: number): Mode {
  if (wanted !== undefined && faultOf(wanted, kind, rows) === undefined) return wanted;
  if (kind.reader) return 'reader';
  return kind.escapes ? 'inline' : 'plain';
}

export function screenFor(mode: Mode, input: ClientKind['input']): Screen {
  if (mode === 'full') return new FullScreen();
  if (mode === 'inline' && input === 'keys') return new InlineScreen();
  return new LinearScreen({ echoes: input === 'keys', prompts: mode === 'inline' });
}
