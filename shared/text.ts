/** What text may hold when it enters the hub: the one place where controls and direction marks are removed or refused. */

/** C0 but TAB and LF, DEL, C1, line and paragraph separators, bidi controls: nothing a terminal may be steered with. */
const steering =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
/** As above with TAB and LF: no name holds them. Joiners stay, since emoji and several scripts need them. */
const notInNames =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;

/** Nothing to clean: most texts. */
const plain = /^[ -~]*$/;

/** Message text as it is kept: CRLF and CR become LF, steering characters are removed, NFC. */
export function cleanText(text: string): string {
  if (plain.test(text)) return text;
  return text.replace(/\r\n?/g, '\n').replace(steering, '').normalize('NFC');
}

export function holdsControls(name: string): boolean {
  return notInNames.test(name);
}

/** The form under which names are compared: compatibility forms and case folded. By way of capitals, so that ß is ss. */
export function foldName(name: string): string {
  return name.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC');
}

/** Octets of a text in UTF-8, without encoding it. */
export function octetLength(text: string): number {
  let octets = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7ff) octets += 2;
    else if (unit > 0x7f) octets += 1;
    if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) i++;
  }
  return octets;
}

/** The word that is likest to what was written, for a suggestion; undefined where none is like it. */
export function nearest(written: string, words: readonly string[]): string | undefined {
  const wanted = written.toLowerCase();
  const near = words.map(word => ({ word, far: distance(wanted, word) })).sort((a, b) => a.far - b.far)[0];
  return near && near.far <= Math.max(1, Math.floor(wanted.length / 3)) ? near.word : undefined;
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}

const http = /^(?:[A-Z]{3,10} \S+ HTTP\/\d|host:)/i;
const LOWER_H = 104;

/** A line that a browser was made to send here: the connection ends, whatever it holds behind it. */
export function isHttp(line: string): boolean {
  // The cheap question first: it is asked for every line.
  return (line.includes('HTTP/') || (line.charCodeAt(0) | 32) === LOWER_H) && http.test(line);
}
