/** Replies of the FTP control connection (RFC 959 §4.2): values, and how they are written. Pure. */
import { holdsControls } from '../text.ts';

export interface Reply {
  readonly code: number;
  readonly text: string;
  /** Lines between the first and the last. */
  readonly lines?: readonly string[];
}

export function reply(code: number, text: string, lines?: readonly string[]): Reply {
  return lines ? { code, text, lines } : { code, text };
}

/** `226 Done.`, or `211-Features:` … `211 End.`; no line inside can be taken for the end. */
export function formatReply({ code, text, lines }: Reply): string {
  if (!lines) return `${code} ${oneLine(text)}\r\n`;
  const inner = lines.map(line => ` ${oneLine(line)}\r\n`).join('');
  const [first, last = 'End.'] = text.split('\n');
  return `${code}-${oneLine(first!)}\r\n${inner}${code} ${oneLine(last)}\r\n`;
}

/** A path as 257 quotes it (RFC 959, appendix II). */
export function quotePath(path: string): string {
  return `"${path.replaceAll('"', '""')}"`;
}

/** What people called their things must not steer a reader. */
function oneLine(text: string): string {
  return holdsControls(text) ? [...text].filter(character => !holdsControls(character)).join('') : text;
}
