/** The grammar of queries and the tokens of texts; lines of transcripts and their blanks. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import t from 'tap';
import type { LogEvent } from '../../shared/events.ts';
import { matchesQuery, tokensOf } from '../../shared/search.ts';
import { parseQuery } from '../../shared/search-query.ts';
import { blankText, transcriptLine } from '../../shared/transcript.ts';

const said = (text: string, time = '2026-11-23T01:00:03Z'): LogEvent => ({
  event: 'MSG',
  room: 'lobby',
  seq: 7,
  time,
  from: 'Ada',
  text,
});

function finds(query: string, event: LogEvent): boolean {
  const parsed = parseQuery(query);
  assert.equal(parsed.kind, 'query', query);
  return parsed.kind === 'query' && matchesQuery(parsed.query, event);
}

t.test('words lose case and accents, unspaced scripts are pairs, pictographs are words', async t => {
  t.same(tokensOf('Hello, WÖRLD: foo-bar_2'), ['hello', 'world', 'foo', 'bar', '2']);
  t.same(tokensOf('用nodejs写服务器！'), ['用', 'nodejs', '写服', '服务', '务器', '器']);
  t.same(tokensOf('がんばれ ガンバレ'), ['がん', 'んば', 'ばれ', 'れ', 'ガン', 'ンバ', 'バレ', 'レ']);
  t.same(tokensOf('한국어'), ['한국', '국어', '어']);
  t.same(tokensOf('Straße ΣΑΣ ёлка'), ['strasse', 'σασ', 'елка']);
  t.same(tokensOf('ﬁne 🎉🎉 ☎️'), ['fine', '🎉', '🎉', '☎']);
  t.same(tokensOf('ＡＢＣ　全角'), ['abc', '全角', '角']);
  t.same(tokensOf('𠀀𠀁 ok'), ['𠀀𠀁', '𠀁', 'ok'], 'also beyond the first plane');
  t.same(tokensOf(' \u0301 …—'), []);
});

t.test('the short way over plain texts gives what the long way gives', async () => {
  const unit = fc.constantFrom(...'aZ9 -_.:、。，！？かがカガー天気식', '\n');
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 40 }), text => {
      // An accent at the end, behind a space, makes the text one that is not plain, and is no token.
      assert.deepEqual(tokensOf(text), tokensOf(`${text} \u0301`));
    }),
  );
});

t.test('operators', async t => {
  const parsed = parseQuery('from:Ada in:#Lobby has:FILE before:2026-11-23 after:2026-11-20 "quoted words" 世界 x');
  t.same(parsed, {
    kind: 'query',
    query: {
      phrases: [
        { tokens: ['quoted', 'words'], isPrefix: false },
        { tokens: ['世界'], isPrefix: false },
        { tokens: ['x'], isPrefix: false },
      ],
      from: ['ada'],
      in: ['Lobby'],
      hasFile: true,
      before: '2026-11-23',
      after: '2026-11-20',
    },
  });
  t.match(parseQuery('世'), { query: { phrases: [{ tokens: ['世'], isPrefix: true }] } });
  t.match(parseQuery('"open to its end'), { query: { phrases: [{ tokens: ['open', 'to', 'its', 'end'] }] } });
  t.match(parseQuery('http://x.example'), { query: { phrases: [{ tokens: ['http', 'x', 'example'] }] } });
  for (const wrong of ['', '  ', '!', 'in:lobby', 'before:2026-11-23', 'x before:yesterday', 'x after:2026-02-30']) {
    t.equal(parseQuery(wrong).kind, 'invalid', wrong);
  }
  for (const wrong of ['from:"x', 'in:../x x', 'has:cheese x', 'a '.repeat(40)]) {
    t.equal(parseQuery(wrong).kind, 'invalid', wrong);
  }
});

t.test('whatever is asked, parsing ends, and tokens hold nothing that could be an operator', async () => {
  const unit = fc.constantFrom(
    ...'ab "*():^+-{}\\\'世界',
    'from:',
    'in:',
    'has:',
    'before:',
    'AND',
    'NEAR(',
    '\0',
    '\ud800',
  );
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit }), fc.string({ unit: 'binary' })), text => {
      const parsed = parseQuery(text);
      if (parsed.kind === 'invalid') return;
      for (const { tokens } of parsed.query.phrases) {
        assert.ok(tokens.length > 0);
        for (const token of tokens) assert.match(token, /^[\p{L}\p{M}\p{N}\p{ExtPict}]+$/u);
      }
      for (const name of parsed.query.from) assert.doesNotMatch(name, /["*()]/);
    }),
    { numRuns: 500 },
  );
});

t.test('every part of a text that is cut at spaces or within an unspaced run finds the text', async () => {
  const unit = fc.constantFrom(...'aé ß世界天気がん9', '🎉', '\u{20000}');
  fc.assert(
    fc.property(fc.string({ unit, minLength: 1 }), fc.nat(), fc.nat({ max: 6 }), (text, at, length) => {
      const run = text.match(/[世界天気がん\u{20000}]+/gu)?.[0];
      const cut =
        run &&
        [...run]
          .slice(at % [...run].length)
          .slice(0, length + 1)
          .join('');
      if (cut) assert.ok(finds(cut, said(text)), cut);
      const word = text.split(' ').find(part => tokensOf(part).length > 0);
      if (word) assert.ok(finds(word, said(text)), word);
      if (tokensOf(text).length > 0) assert.ok(finds(`"${text}"`, said(text)), 'and the whole as a phrase');
    }),
    { numRuns: 500 },
  );
});

t.test('a blank has the octets of its text in every form', async () => {
  const unit = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.constantFrom('"', '\\', '\n', '\t', '\ud800'),
  );
  fc.assert(
    fc.property(fc.string({ unit }), text => {
      for (const form of ['txt', 'md', 'jsonl'] as const) {
        const whole = transcriptLine(form, said(text));
        const blank = transcriptLine(form, { ...said(''), deleted: true } as LogEvent, blankText(text));
        assert.equal(Buffer.byteLength(blank), Buffer.byteLength(whole));
      }
      assert.match(blankText(text), /^[\u0000-\u0020\ud800-\udfff]*$/);
    }),
  );
});

t.test('lines of a transcript', async t => {
  const given = { room: 'lobby', seq: 8, time: '2026-11-23T01:00:03Z', from: 'Ada' };
  const line = (event: LogEvent) => [transcriptLine('txt', event), transcriptLine('md', event)];
  t.same(line(said('one\ntwo')), ['01:00:03 Ada: one\n         two\n', '- `01:00:03` **Ada:** one\n  two\n']);
  t.same(line({ event: 'EDITED', ...given, of: 7, text: 'x' })[0], '01:00:03 Ada edited 7: x\n');
  t.same(line({ event: 'DELETED', ...given, of: 7 })[0], '01:00:03 Ada deleted 7\n');
  t.same(line({ event: 'TOPIC', ...given, text: 'x' })[0], '01:00:03 Ada set the topic: x\n');
  t.same(
    line({ event: 'FILE', ...given, op: 'move', path: '/a/b', to: '/a/c' })[0],
    '01:00:03 Ada moved /a/b to /a/c\n',
  );
  t.same(line({ event: 'FILE', ...given, op: 'put', path: '/a/b', size: 5 })[0], '01:00:03 Ada put /a/b (5 octets)\n');
});
