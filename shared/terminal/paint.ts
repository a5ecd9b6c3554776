/** Lines → text with colours for one terminal. Everything that is shown passes here, and so through the sanitiser. */
import type { Line, Span } from './line.ts';
import { type Background, personColour } from './palette.ts';
import { printable } from './sanitiser.ts';
import type { Colours, Theme } from './terminal.ts';

/** How a terminal shows what spans are. */
export interface Look {
  readonly colours: Colours;
  readonly theme: Theme;
}

export const plainLook: Look = { colours: 'none', theme: 'mono' };

export function paint(line: Line, look: Look): string {
  return line.map(span => paintSpan(span, look)).join('');
}

function paintSpan({ kind, text }: Span, look: Look): string {
  const shown = printable(text);
  const code = shown === '' ? '' : codeOf(kind, text, look);
  return code === '' ? shown : `\x1b[${code}m${shown}\x1b[0m`;
}

/** Without colours a terminal that understands sequences still has bold and faint; `none` has nothing at all. */
function codeOf(kind: Span['kind'], text: string, { colours, theme }: Look): string {
  if (colours === 'none') return '';
  const background: Background = theme === 'light' ? 'light' : 'dark';
  const isMono = theme === 'mono';
  switch (kind) {
    case 'text':
      return '';
    case 'person':
      return isMono ? '1' : personColour(text, colours, background);
    case 'quiet':
      return isMono || colours === '16' ? '2' : background === 'dark' ? '38;5;246' : '38;5;241';
    case 'strong':
      return '1';
    case 'note':
      return isMono ? '' : background === 'dark' ? '36' : '34';
    case 'error':
      return isMono ? '1' : '31;1';
    case 'file':
      return isMono ? '4' : background === 'dark' ? '33' : '35';
  }
}
