/** The one function through which text goes before it reaches a terminal, a log or a transcript: nothing in it can steer one. */

/** Most texts. */
const harmless = /^[ -~]*$/;

/** Escape sequences of ECMA-48, seven and eight bits, also cut ones: strings (DCS, SOS, OSC, PM, APC) with their body, CSI, others. */
const sequences =
  /(?:\x1b[PX\]^_]|[\x90\x98\x9d-\x9f])[^\x07\x18\x1a\x1b\x9c]*(?:\x07|\x9c|\x1b\\)?|(?:\x1b\[|\x9b)[ -?]*[@-~]?|\x1b[ -/]*[0-~]?/g;

/** C0, DEL, C1, direction controls, line separators, annotation, tags: what a terminal or an eye may be misled with. */
const steering =
  /[\u0000-\u001f\u007f-\u009f\u061c\u180e\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Marks stack; a tower of them reaches into the rows above. Joiners between them do not make a new base. */
const towers = /((?:[\u200c\u200d]*\p{M}){8})[\p{M}\u200c\u200d]+/gu;
const joiners = /([\u200c\u200d])[\u200c\u200d]+/g;

/** One row of text without any control; a TAB is a space. Idempotent. Emoji that are joined stay whole. */
export function printable(text: string): string {
  if (harmless.test(text)) return text;
  return text
    .toWellFormed()
    .replace(sequences, '')
    .replaceAll('\t', ' ')
    .replace(steering, '')
    .replace(joiners, '$1')
    .replace(towers, '$1');
}
