/** The terminal without a connection: what leaves is clean, how it is cut does not matter, and the screen is what it should be. */
import xterm from '@xterm/headless';
import * as fc from 'fast-check';
import t from 'tap';
import type { Clock } from '../../shared/clock.ts';
import { resolvePath } from '../../shared/paths.ts';
import { eventLines } from '../../shared/terminal/event-lines.ts';
import { columnsOf, graphemes } from '../../shared/terminal/graphemes.ts';
import { plainText } from '../../shared/terminal/line.ts';
import { printable } from '../../shared/terminal/sanitiser.ts';
import { parseSlash, slashNames } from '../../shared/terminal/slash.ts';
import { type ClientKind, Terminal } from '../../shared/terminal/terminal.ts';
import { nearest } from '../../shared/text.ts';
import { hostileText, piecesOf } from '../support/generators.ts';
import { assertProperty } from '../support/properties.ts';

/** Turns are played by hand; timers never come. */
class Turns implements Clock {
  #due: (() => void)[] = [];
  now = () => 0;
  after = () => () => undefined;
  soon = (run: () => void) => void this.#due.push(run);
  play(): void {
    while (this.#due.length > 0) for (const run of this.#due.splice(0)) run();
  }
}

function terminalOf(kind: Partial<ClientKind>) {
  const clock = new Turns();
  let written = '';
  const lines: string[] = [];
  const terminal = new Terminal({ clock, write: text => void (written += text) }, kind);
  terminal.listen({ line: text => void lines.push(text), leave: () => undefined });
  terminal.setTarget('#lobby');
  const take = () => {
    clock.play();
    const text = written;
    written = '';
    return text;
  };
  return { terminal, lines, take };
}

const keys: Partial<ClientKind> = { input: 'keys', escapes: true, colours: '256' };

t.test('what is printable holds nothing that steers a terminal, and stays what it is', async t => {
  assertProperty(
    t,
    'sanitiser',
    fc.property(hostileText(), text => {
      const clean = printable(text);
      const isClean = !/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u.test(clean);
      return isClean && printable(clean) === clean;
    }),
  );
  for (const kept of ['中文', '👨‍👩‍👧', '🇨🇭', 'e\u0301', 'a b']) t.equal(printable(kept), kept);
  t.equal(printable('\x1b]0;title\x07a\x1b[31mb\x9b2Jc\td'), 'abc d');
  t.ok([...printable(`a${'\u0301'.repeat(50)}`)].length <= 9, 'few marks on one letter');
});

t.test('a family, a flag and a Chinese letter are one grapheme of two columns', async t => {
  for (const one of ['👨‍👩‍👧', '🇨🇭', '中', '👍🏽']) {
    t.equal([...graphemes(one)].length, 1, one);
    t.equal(columnsOf(one), 2, one);
  }
  t.equal(columnsOf('e\u0301'), 1);
});

t.test('keys mean the same however they are cut', async t => {
  const typed = Buffer.from('hé中👨‍👩‍👧\x7fx\x1b[D\x1b[D!\x1b[200~one\ntwo\x1b[201~\x01y\x05z\rnext\r');
  const whole = play([typed]);
  assertProperty(
    t,
    'cutting',
    fc.property(piecesOf(typed), pieces => JSON.stringify(play(pieces)) === JSON.stringify(whole)),
    300,
  );
  for (let at = 1; at < typed.length; at++) {
    t.same(play([typed.subarray(0, at), typed.subarray(at)]), whole, `cut at ${at}`);
  }
});

function play(pieces: readonly Uint8Array[]): readonly string[] {
  const { terminal, lines, take } = terminalOf(keys);
  for (const piece of pieces) {
    terminal.input(piece);
    take();
  }
  return lines;
}

const step = fc.oneof(
  fc.record({
    do: fc.constant('print' as const),
    text: fc.constantFrom('ada: hi', 'bob: 中文 is two wide', 'x'.repeat(70), 'eve: 👍'),
  }),
  fc.record({
    do: fc.constant('type' as const),
    text: fc.constantFrom(
      'a',
      'word ',
      '中',
      '👨‍👩‍👧',
      '\x7f',
      '\x1b[D',
      '\x1b[C',
      '\x01',
      '\x05',
      '\x17',
      'long '.repeat(9),
    ),
  }),
);

t.test('after any messages and keys the screen shows what a fresh one would', async t => {
  const seed = Date.now() | 0;
  for (const steps of fc.sample(fc.array(step, { minLength: 1, maxLength: 25 }), { numRuns: 60, seed })) {
    const { terminal, take } = terminalOf(keys);
    terminal.resize(40, 12);
    const screen = new xterm.Terminal({ cols: 40, rows: 12, allowProposedApi: true });
    for (const { do: what, text } of steps) {
      if (what === 'print') terminal.print(text);
      else terminal.input(Buffer.from(text));
      await write(screen, take());
    }
    terminal.input(Buffer.from('\x0c'));
    const before = rowsOf(screen);
    const fresh = new xterm.Terminal({ cols: 40, rows: 12, allowProposedApi: true });
    await write(fresh, take());
    const bottom = (rows: readonly string[]) => {
      const at = rows.findLastIndex(row => row.startsWith('[#lobby]'));
      if (at < 0) t.fail(`seed ${seed}: no line is being typed on ${JSON.stringify(rows)}`);
      return rows.slice(at);
    };
    const ok = JSON.stringify(bottom(before)) === JSON.stringify(bottom(rowsOf(fresh)));
    if (!ok) t.same(bottom(before), bottom(rowsOf(fresh)), `seed ${seed}: ${JSON.stringify(steps)}`);
  }
  t.pass(`seed ${seed}`);
});

function write(screen: InstanceType<typeof xterm.Terminal>, text: string): Promise<void> {
  return new Promise(resolve => screen.write(text.replaceAll('\n', '\r\n'), resolve));
}

function rowsOf(screen: InstanceType<typeof xterm.Terminal>): string[] {
  const { active } = screen.buffer;
  const rows = Array.from({ length: active.length }, (_, i) => active.getLine(i)?.translateToString(true) ?? '');
  while (rows.at(-1) === '') rows.pop();
  return rows;
}

t.test('plain lines hold no escape sequence, whatever is printed', async t => {
  const { terminal, take } = terminalOf({ input: 'lines', escapes: false });
  for (const text of fc.sample(hostileText(), { numRuns: 100, seed: 3 })) terminal.print(text);
  t.notMatch(take(), /[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
});

t.test('slash commands derive from the table', async t => {
  const here = { room: 'den', folder: '/den/a' };
  t.same(parseSlash('TOPIC', 'Tea at five', here), { verb: 'TOPIC', fields: { room: 'den', topic: 'Tea at five' } });
  t.same(parseSlash('TOPIC', '#ops Tea', here), { verb: 'TOPIC', fields: { room: 'ops', topic: 'Tea' } });
  t.same(parseSlash('TELL', 'bob see you', here), { verb: 'TELL', fields: { user: 'bob', text: 'see you' } });
  t.same(parseSlash('MKDIR', '"two words"', here), { verb: 'MKDIR', fields: { path: '/den/a/two words' } });
  t.same(parseSlash('HISTORY', 'limit=5', here), { verb: 'HISTORY', fields: { room: 'den', limit: '5' } });
  t.match(parseSlash('TELL', '', here), { fault: /\/tell user text/ });
  t.match(parseSlash('WHOAMI', 'what', here), { fault: /too much/ });
  t.equal(resolvePath('/den/a', '../../../x'), '/x');
  t.equal(nearest('quot', slashNames()), 'quit');
  t.equal(nearest('zzzzzz', slashNames()), undefined);
});

t.test('a reader hears whole sentences', async t => {
  const event = { event: 'MSG', room: 'den', seq: 1, time: '2026-11-23T01:02:03Z', from: 'bob', text: 'tea?' } as const;
  const spoken = eventLines(event, { isSpoken: true, room: 'den' }).map(plainText);
  t.same(spoken, ['bob says: tea?']);
  t.same(eventLines(event, { isSpoken: false, room: 'ops' }).map(plainText), ['#den 01:02 bob: tea?']);
});
