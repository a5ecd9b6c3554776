/** The pure parts of the page: its log, its words, what it completes, and the tokens of a message. */
import fc from 'fast-check';
import t from 'tap';
import { english, filled } from '../../client/browser/catalogue.ts';
import { chinese } from '../../client/browser/catalogue-chinese.ts';
import { completionAt } from '../../client/browser/completion.ts';
import {
  linesOf,
  logOf,
  reactionsOf,
  type Said,
  withEvent,
  withNewer,
  withOlder,
} from '../../client/browser/room-log.ts';
import { parseLine } from '../../client/browser/slash.ts';
import type { LogEvent } from '../../shared/events.ts';
import { type Block, type Inline, parseMarkdown } from '../../shared/markdown.ts';

const said = (seq: number, more: Partial<Said> = {}): Said => ({
  event: 'MSG',
  room: 'den',
  seq,
  time: new Date(Date.UTC(2026, 10, 23, 12, 0, seq)).toISOString(),
  from: 'ada',
  text: `number ${seq}`,
  ...more,
});
const run = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => said(from + at));

t.test('a log grows at both ends without a hole, and is cut at the far one', async t => {
  let log = logOf(run(901, 1_000), { atStart: false, atEnd: true }, 1_000);
  for (let from = 801; from > 0; from -= 100) {
    log = withOlder(log, run(from, from + 99), from === 1);
    const numbers = log.entries.map(({ seq }) => seq);
    t.same(
      numbers,
      numbers.map((_, at) => log.from + at),
    );
    t.ok(numbers.length <= 500);
  }
  t.match(log, { from: 1, atStart: true, atEnd: false });
  while (!log.atEnd) log = withNewer(log, run(log.to + 1, log.to + 100), log.to + 100 === 1_000);
  t.match(log, { to: 1_000, atStart: false });
});

t.test('what happens changes only what it is about, and nothing twice', async t => {
  const log = logOf(run(1, 3), { atStart: true, atEnd: true }, 3);
  const base = { room: 'den', time: said(4).time, from: 'bob' };
  const edited = withEvent(log, { event: 'EDITED', ...base, seq: 4, of: 2, text: 'mended' } as LogEvent);
  t.match(edited.entries[1], { text: 'mended', edited: base.time });
  t.equal(edited.entries[0], log.entries[0], 'the same object');
  const again = withEvent(edited, { event: 'EDITED', ...base, seq: 4, of: 2, text: 'other' } as LogEvent);
  t.equal(again, edited);
  const reacted = withEvent(edited, { event: 'REACTED', ...base, seq: 5, of: 1, emoji: '🎉' } as LogEvent);
  t.same(reactionsOf(reacted.entries[0] as Said), [['🎉', 1]]);
  const taken = withEvent(reacted, {
    event: 'REACTED',
    ...base,
    seq: 6,
    of: 1,
    emoji: '🎉',
    removed: true,
  } as LogEvent);
  t.same(reactionsOf(taken.entries[0] as Said), []);
  const gone = withEvent(taken, { event: 'DELETED', ...base, seq: 7, of: 3 } as LogEvent);
  t.match(gone.entries[2], { deleted: true, text: '' });
  t.match(withEvent(gone, said(8)), { to: 8, entries: { length: 4 } });
});

t.test('days, the first unread and runs of one person are told apart', async t => {
  const log = logOf(
    [said(1), said(2), said(3, { from: 'bob' }), said(4, { from: 'bob', time: '2026-11-25T12:00:00Z' })],
    { atStart: true, atEnd: true },
    4,
  );
  const lines = linesOf(log, 2, 'ada').map(line =>
    line.kind === 'entry' ? [line.entry.seq, line.isFollowUp] : line.kind,
  );
  t.same(lines, ['day', [1, false], [2, true], 'unread', [3, false], 'day', [4, false]]);
});

t.test('both languages have the same words with the same places', async t => {
  const places = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();
  const odd = (Object.keys(english) as (keyof typeof english)[]).filter(
    key => String(places(chinese[key] ?? '?')) !== String(places(english[key])),
  );
  t.same(odd, []);
  t.equal(Object.keys(chinese).length, Object.keys(english).length);
  t.equal(filled('{a} of {b}, {c}', { a: 1, b: 'two' }), '1 of two, {c}');
});

t.test('lines with a slash are commands of the hub, and completion knows what stands before the cursor', async t => {
  t.match(parseLine('/topic Tea at five', 'den', '/den'), {
    name: 'TOPIC',
    fields: { room: 'den', topic: 'Tea at five' },
  });
  t.match(parseLine('/tell @bob good day', 'den', '/den'), { name: 'TELL', fields: { user: 'bob', text: 'good day' } });
  t.match(parseLine('/mkdir a', 'den', '/den/in'), { fields: { path: '/den/in/a' } });
  t.same(parseLine('//not', 'den', '/den'), { kind: 'text', text: '/not' });
  t.same(parseLine('/constructor', 'den', '/den'), { kind: 'unknown', name: 'constructor' });
  const all = { people: ['bob', 'bea'], rooms: ['den'], commands: ['topic'], files: ['notes.txt'] };
  t.same(completionAt('hi @b', 5, all, false), { start: 3, choices: ['@bob', '@bea'] });
  t.same(completionAt('/to', 3, all, false)?.choices, ['/topic']);
  t.equal(completionAt('no', 2, all, false), undefined);
  t.same(completionAt('no', 2, all, true)?.choices, ['notes.txt']);
});

const textsIn = (parts: readonly Inline[]): string =>
  parts.map(part => ('parts' in part ? textsIn(part.parts) : part.text)).join('');
const textOf = (block: Block): string =>
  block.kind === 'code' ? block.text : block.kind === 'list' ? block.items.map(textsIn).join('') : textsIn(block.parts);

t.test('a message becomes tokens, whatever it holds, and only web addresses become links', async t => {
  t.match(parseMarkdown('**b** _i_ `c` @bob https://example.org/a_b.'), [
    {
      parts: [
        { kind: 'bold', parts: [{ text: 'b' }] },
        { text: ' ' },
        { kind: 'italic' },
        {},
        { kind: 'code', text: 'c' },
        {},
        { kind: 'mention', text: 'bob' },
        {},
        { kind: 'link', href: 'https://example.org/a_b' },
        { text: '.' },
      ],
    },
  ]);
  t.match(parseMarkdown('- a\n- b\n1. c\n> q\n> r\n```js\n*x*\n```\nend'), [
    { kind: 'list', ordered: false, items: { length: 2 } },
    { kind: 'list', ordered: true },
    { kind: 'quote', parts: [{ text: 'q\nr' }] },
    { kind: 'code', language: 'js', text: '*x*' },
    { kind: 'paragraph' },
  ]);
  t.match(parseMarkdown('snake_case_name 2*3*4')[0], { parts: [{ kind: 'text', text: 'snake_case_name 2*3*4' }] });
  const pieces = fc.constantFrom(
    '*',
    '**',
    '_',
    '`',
    '```',
    '\n',
    '[',
    '](',
    'https://a.b',
    'javascript:',
    ')',
    '> ',
    '- ',
    '@a',
    'x',
  );
  const links = (parts: readonly Inline[]): string[] =>
    parts.flatMap(part => (part.kind === 'link' ? [part.href] : 'parts' in part ? links(part.parts) : []));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces, { maxLength: 60 }).map(all => all.join('')),
      ),
      text => {
        const blocks = parseMarkdown(text);
        const letters = (all: string) => all.replaceAll(/[^x]/g, '');
        const all = blocks.flatMap(block =>
          'items' in block ? block.items.flat() : 'parts' in block ? block.parts : [],
        );
        return (
          letters(blocks.map(textOf).join('')).length <= letters(text).length &&
          links(all).every(href => /^https?:/.test(href))
        );
      },
    ),
  );
  for (const sign of ['*', '**', '_', '`', '[', '> ', '@a ', 'https://', '```\n'])
    parseMarkdown(sign.repeat(16_384 / sign.length));
});
