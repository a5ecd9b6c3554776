/**
 * How a room's log reads as a file: one line per event as text, Markdown or JSON. Octets of a line never change their
 * number: an edit is a line of its own, and a deleted text is blank. A store remembers sizes made here, so another form of a
 * line needs a new step of its schema.
 */
import type { LogEvent } from './events.ts';
import { octetLength } from './text.ts';

/** The forms of a day; `all.jsonl` holds every day. */
export const dayForms = ['md', 'txt'] as const;
export type TranscriptForm = (typeof dayForms)[number] | 'jsonl';
export const wholeTranscript = 'all.jsonl';

/** The files to which an event of this time adds a line, with their forms. */
export function transcriptsOf(time: string): readonly (readonly [name: string, form: TranscriptForm])[] {
  const day = dayOf(time);
  return [[wholeTranscript, 'jsonl'], ...dayForms.map(form => [`${day}.${form}`, form] as const)];
}

/** The day of a time, UTC. */
export function dayOf(time: string): string {
  return time.slice(0, 'yyyy-mm-dd'.length);
}

/** Does an event of this time have a line in the file? */
export function isInTranscript(name: string, time: string): boolean {
  return name === wholeTranscript || name.startsWith(`${dayOf(time)}.`);
}

/** The form of a file by its name; undefined if no transcript can have it. */
export function transcriptForm(name: string): TranscriptForm | undefined {
  if (name === wholeTranscript) return 'jsonl';
  return /^\d{4}-\d{2}-\d{2}\.(md|txt)$/.exec(name)?.[1] as TranscriptForm | undefined;
}

/** White space that takes as many octets in every form as the text did. Characters that JSON escapes become TABs. */
export function blankText(text: string): string {
  return text.replace(/["\\]/g, '\t').replace(/[^\u0000-\u001f\ud800-\udfff]/gu, one => ' '.repeat(octetLength(one)));
}

/**
 * The line of an event with its end. `said` is its text as it was at first, where the event has another by now; of a
 * deleted one the blank.
 */
export function transcriptLine(form: TranscriptForm, event: LogEvent, said?: string): string {
  if (form === 'jsonl') return jsonLine(event, said);
  const text = said ?? ('text' in event ? event.text : '');
  const time = event.time.slice(11, 19);
  const { before, behind } = saidBy(event);
  if (form === 'txt') return `${time} ${before}${indented(text, 9)}${behind}\n`;
  return `- \`${time}\` **${before.trimEnd()}** ${indented(text, 2)}${behind}\n`;
}

function indented(text: string, width: number): string {
  return text.includes('\n') ? text.replaceAll('\n', `\n${' '.repeat(width)}`) : text;
}

/** What stands around the text. */
function saidBy(event: LogEvent): { readonly before: string; readonly behind: string } {
  const { from } = event;
  switch (event.event) {
    case 'MSG':
      return { before: `${from}${event.reply === undefined ? '' : ` replied to ${event.reply}`}: `, behind: '' };
    case 'EDITED':
      return { before: `${from} edited ${event.of}: `, behind: '' };
    case 'DELETED':
      return { before: `${from} deleted ${event.of}`, behind: '' };
    case 'REACTED':
      return {
        before: `${from} ${event.removed ? 'took back' : 'reacted with'} ${event.emoji} to ${event.of}`,
        behind: '',
      };
    case 'TOPIC':
      return { before: `${from} set the topic: `, behind: '' };
    case 'FILE':
      return { before: `${from} ${fileVerbs[event.op]} `, behind: fileFacts(event) };
    default:
      return { before: `${(event as LogEvent).from} ${String((event as LogEvent).event).toLowerCase()} `, behind: '' };
  }
}

const fileVerbs = { put: 'put', move: 'moved', remove: 'removed', mkdir: 'made' } as const;

function fileFacts({ path, to, size }: Extract<LogEvent, { event: 'FILE' }>): string {
  return `${path}${to === undefined ? '' : ` to ${to}`}${size === undefined ? '' : ` (${size} octets)`}`;
}

/** As the log holds it, without what only later events tell. */
function jsonLine(event: LogEvent, said: string | undefined): string {
  if (said === undefined && !('edited' in event || 'deleted' in event)) return `${JSON.stringify(event)}\n`;
  return `${JSON.stringify({ ...event, ...(said !== undefined && { text: said }), edited: undefined, deleted: undefined })}\n`;
}
