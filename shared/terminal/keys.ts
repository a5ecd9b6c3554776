/** Octets from a client → keys, cut anywhere: UTF-8, control characters, the sequences that terminals send. What is no key is swallowed. */

export type KeyName =
  | 'enter'
  | 'tab'
  | 'escape'
  | 'interrupt'
  | 'eof'
  | 'erase'
  | 'delete'
  | 'left'
  | 'right'
  | 'word-left'
  | 'word-right'
  | 'home'
  | 'end'
  | 'up'
  | 'down'
  | 'page-up'
  | 'page-down'
  | 'kill-end'
  | 'kill-start'
  | 'kill-word'
  | 'kill-word-right'
  | 'yank'
  | 'transpose'
  | 'undo'
  | 'search'
  | 'cancel'
  | 'refresh';

/** `text` is one code point; `paste` what a terminal marked as pasted, with LF between its lines. */
export type Key =
  | { readonly kind: KeyName }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'paste'; readonly text: string; readonly isCut: boolean };

/** More is thrown away: no line may be so long. */
const pasteCharsMax = 16 * 1024;
/** Longer sequences are no keys; they are swallowed to their end. */
const sequenceCharsMax = 64;
const pasteEnd = '\x1b[201~';

const controls: Readonly<Record<string, KeyName>> = {
  '\x01': 'home',
  '\x02': 'left',
  '\x03': 'interrupt',
  '\x04': 'eof',
  '\x05': 'end',
  '\x06': 'right',
  '\x07': 'cancel',
  '\x08': 'erase',
  '\t': 'tab',
  '\x0b': 'kill-end',
  '\x0c': 'refresh',
  '\x0e': 'down',
  '\x10': 'up',
  '\x12': 'search',
  '\x14': 'transpose',
  '\x15': 'kill-start',
  '\x17': 'kill-word',
  '\x19': 'yank',
  '\x1f': 'undo',
  '\x7f': 'erase',
};

/** Behind ESC. */
const metas: Readonly<Record<string, KeyName>> = {
  b: 'word-left',
  f: 'word-right',
  d: 'kill-word-right',
  '\x7f': 'kill-word',
  '\x08': 'kill-word',
};

/** What stands at the end of CSI or SS3. */
const finals: Readonly<Record<string, KeyName>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
};

/** The number in front of `~`. */
const numbered: Readonly<Record<string, KeyName>> = {
  '1': 'home',
  '3': 'delete',
  '4': 'end',
  '5': 'page-up',
  '6': 'page-down',
  '7': 'home',
  '8': 'end',
};

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

type State = 'ground' | 'escape' | 'csi' | 'ss3' | 'string' | 'string-escape' | 'paste';

export class KeyDecoder {
  /** Octets of a character whose end has not come. */
  #rest = new Uint8Array(0);
  #state: State = 'ground';
  /** Of a sequence or a paste, so far. */
  #held = '';
  #wasCut = false;
  #wasReturn = false;

  /** ESC came and nothing behind it: a key of its own if nothing comes for a while; then call `flush`. */
  get isWaiting(): boolean {
    return this.#state === 'escape';
  }

  push(octets: Uint8Array): Key[] {
    const keys: Key[] = [];
    for (const char of this.#decode(octets)) {
      const key = this.#take(char);
      if (key) keys.push(key);
    }
    return keys;
  }

  flush(): Key[] {
    if (this.#state !== 'escape') return [];
    this.#state = 'ground';
    return [{ kind: 'escape' }];
  }

  #decode(octets: Uint8Array): string {
    let all = octets;
    if (this.#rest.length > 0) {
      all = new Uint8Array(this.#rest.length + octets.length);
      all.set(this.#rest);
      all.set(octets, this.#rest.length);
    }
    const end = wholeEnd(all);
    this.#rest = all.slice(end);
    return decoder.decode(all.subarray(0, end));
  }

  #take(char: string): Key | undefined {
    switch (this.#state) {
      case 'ground':
        return this.#ground(char);
      case 'escape':
        return this.#escape(char);
      case 'csi':
      case 'ss3':
        return this.#sequence(char);
      case 'paste':
        return this.#paste(char);
      case 'string':
        if (char === '\x1b') this.#state = 'string-escape';
        else if (char === '\x07' || char === '\x18' || char === '\x1a') this.#state = 'ground';
        return undefined;
      case 'string-escape':
        this.#state = char === '\\' ? 'ground' : 'string';
        return undefined;
    }
  }

  #ground(char: string): Key | undefined {
    const wasReturn = this.#wasReturn;
    this.#wasReturn = char === '\r';
    if (char === '\r') return { kind: 'enter' };
    if (char === '\n') return wasReturn ? undefined : { kind: 'enter' };
    if (char === '\x1b') {
      this.#state = 'escape';
      return undefined;
    }
    const control = controls[char];
    if (control) return { kind: control };
    return char < ' ' || (char >= '\x7f' && char < '\xa0') ? undefined : { kind: 'text', text: char };
  }

  #escape(char: string): Key | undefined {
    this.#state = 'ground';
    this.#held = '';
    if (char === '[') this.#state = 'csi';
    else if (char === 'O') this.#state = 'ss3';
    else if ('PX]^_'.includes(char)) this.#state = 'string';
    else if (char === '\x1b') {
      this.#state = 'escape';
      return { kind: 'escape' };
    } else if (char < ' ' && char !== '\x08') return this.#ground(char);
    const meta = metas[char];
    return meta && { kind: meta };
  }

  #sequence(char: string): Key | undefined {
    if (char === '\x1b') {
      this.#state = 'escape';
      return undefined;
    }
    if (char < ' ') {
      this.#state = 'ground';
      return this.#ground(char);
    }
    const isFinal = char >= '@' || this.#state === 'ss3';
    if (!isFinal) {
      if (this.#held.length < sequenceCharsMax) this.#held += char;
      return undefined;
    }
    const held = this.#held;
    this.#state = 'ground';
    this.#held = '';
    if (char === '~' && held === '200') {
      this.#state = 'paste';
      this.#wasCut = false;
      return undefined;
    }
    const kind = keyOfSequence(held, char);
    return kind && { kind };
  }

  #paste(char: string): Key | undefined {
    this.#held += char;
    if (this.#held.endsWith(pasteEnd)) {
      const text = this.#held.slice(0, -pasteEnd.length).replace(/\r\n?/g, '\n');
      this.#state = 'ground';
      this.#held = '';
      return { kind: 'paste', text, isCut: this.#wasCut };
    }
    if (this.#held.length > pasteCharsMax) {
      this.#wasCut = true;
      this.#held = this.#held.slice(0, pasteCharsMax - pasteEnd.length) + this.#held.slice(1 - pasteEnd.length);
    }
    return undefined;
  }
}

/** `1;5` in front of C is Ctrl-Right. Answers to CPR and DA, and what is not known, are no key. */
function keyOfSequence(parameters: string, final: string): KeyName | undefined {
  if (final === '~') return numbered[parameters.split(';')[0]!];
  if (!/^[\d;]*$/.test(parameters)) return undefined;
  const isModified = /;[2-8]$/.test(parameters);
  if (isModified && final === 'C') return 'word-right';
  if (isModified && final === 'D') return 'word-left';
  return finals[final];
}

/** Where the last character that is whole ends: what comes behind may still become one. */
function wholeEnd(octets: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= octets.length; back++) {
    const octet = octets[octets.length - back]!;
    if (octet < 0x80) break;
    if (octet >= 0xc0) {
      const length = octet >= 0xf0 ? 4 : octet >= 0xe0 ? 3 : 2;
      return length > back ? octets.length - back : octets.length;
    }
  }
  return octets.length;
}
