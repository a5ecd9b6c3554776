/** The decoder and the grammar of the line protocol without a socket: examples, and properties with their seeds printed. */
import * as fc from 'fast-check';
import t from 'tap';
import { commands } from '../../shared/commands/index.ts';
import { HubError } from '../../shared/errors.ts';
import { eventSchemas } from '../../shared/events.ts';
import { type Decoded, LineDecoder } from '../../shared/line/decoder.ts';
import { type Body, formatFrame, parseBody, type Style } from '../../shared/line/grammar.ts';
import { joinPieces, Pieces } from '../../shared/line/pieces.ts';
import { renderLineReference } from '../../shared/line/reference.ts';
import { answerFields, requestFields, requestWords } from '../../shared/line/request.ts';
import { hostileOctets, hostileText, piecesOf } from '../support/generators.ts';
import { assertProperty } from '../support/properties.ts';

const small = { lineOctetsMax: 60, blobOctetsMax: 40 };
t.setTimeout(600_000);

/** Everything that comes out, blobs joined, so that two decodings can be compared. */
function decodeAll(pieces: readonly Uint8Array[], limits = small): unknown[] {
  const decoder = new LineDecoder(limits);
  const found: unknown[] = [];
  const drain = () => {
    for (let next = decoder.next(); next; next = decoder.next()) found.push(shown(next));
  };
  for (const piece of pieces) {
    decoder.push(piece);
    drain();
  }
  decoder.end();
  drain();
  return found;
}

function shown(decoded: Decoded): unknown {
  if (decoded.kind !== 'frame' || !decoded.blob) return decoded;
  return { ...decoded, blob: Buffer.from(joinPieces(decoded.blob)).toString('latin1') };
}

const decodeText = (text: string): unknown[] => decodeAll([Buffer.from(text)]);

/** Lines as people, programs and attackers write them: labels, sizes, verbs, blobs that fit or not, and noise. */
const wireOctets = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '#7 ',
        '{5} ',
        '{0} ',
        '{41} ',
        '{9999999999} ',
        'SAY lobby ',
        ':hello',
        'PUT /a until=fin',
        'x'.repeat(70),
      ),
      fc.constantFrom('\n', '\r\n', '\r', 'hello\n', '\0', '\xff', ' '),
      hostileText(4),
    ),
    { maxLength: 30 },
  )
  .map(units => Buffer.from(units.join(''), 'latin1'));

t.test('the decoder', async t => {
  t.test('gives label, body, blob and the client’s line end', async t => {
    t.same(decodeText('#7 {3} SAY lobby\r\na\nb\r\nPING\n'), [
      { kind: 'frame', label: '7', body: 'SAY lobby', lineEnd: '\r\n', blob: 'a\nb' },
      { kind: 'frame', body: 'PING', lineEnd: '\n' },
    ]);
  });

  t.test('leaves out empty lines and knows no size but in front', async t => {
    t.same(decodeText('\n\r\nSAY lobby :ends in {500}\n'), [
      { kind: 'frame', body: 'SAY lobby :ends in {500}', lineEnd: '\n' },
    ]);
  });

  t.test('stays in step after what it refuses', async t => {
    const cases: [text: string, code: string, facts?: Record<string, unknown>][] = [
      [`SAY lobby :${'x'.repeat(60)}\n`, 'line-too-long', { verb: 'SAY' }],
      [`#a SAY lobby :${'x'.repeat(500)}\n`, 'line-too-long', { label: 'a', verb: 'SAY' }],
      [`{3} SAY ${'x'.repeat(500)}\nno\n\n`, 'line-too-long'],
      ['SAY lobby :a\0b\n', 'bad-char', { verb: 'SAY' }],
      ['SAY lobby :a\rb\n', 'bad-char'],
      ['{4} SAY lobby :\x07\nPART\n', 'bad-char'],
      [`{41} CHUNK u\n${'x'.repeat(41)}\n`, 'too-large', { verb: 'CHUNK' }],
    ];
    for (const [text, code, facts] of cases) {
      const [refused, next, ...more] = decodeText(`${text}PING\n`);
      t.match(refused, { kind: 'invalid', code, fatal: false, ...facts }, JSON.stringify(text.slice(0, 30)));
      t.same([next, more], [{ kind: 'frame', body: 'PING', lineEnd: '\n' }, []], 'what follows is read');
    }
    const latin = decodeAll([Buffer.from('PUT /caf\xe9 until=fin\nPING\n', 'latin1')]);
    t.match(latin, [{ kind: 'invalid', code: 'bad-char', verb: 'PUT', line: /until=fin/ }, { kind: 'frame' }]);
  });

  t.test('gives nothing more after a blob without a line end', async t => {
    t.match(decodeText('{3} SAY lobby\nabcdPING\nPING\n'), [{ kind: 'invalid', code: 'desync', fatal: true }]);
  });

  t.test('reports what the end of the stream cut, and does not give it', async t => {
    t.match(decodeText('DELETE /abc'), [{ kind: 'invalid', code: 'truncated' }]);
    t.match(decodeText('#x {5} SAY lobby\nab'), [{ kind: 'invalid', code: 'truncated', label: 'x', verb: 'SAY' }]);
    t.match(decodeText('{2} SAY lobby\nab'), [{ kind: 'invalid', code: 'truncated' }]);
    t.same(decodeText(''), []);
  });

  t.test('turns to raw octets behind a frame, whatever they look like', async t => {
    const decoder = new LineDecoder(small);
    decoder.push(Buffer.from('PUT /a until=fin\nQUIT\n'));
    t.match(decoder.next(), { body: 'PUT /a until=fin' });
    decoder.rawFromHere();
    decoder.push(Buffer.from('{9} PING\n'));
    const raw = [decoder.next(), decoder.next()].map(
      next => next?.kind === 'raw' && Buffer.from(next.octets).toString(),
    );
    t.same(raw, ['QUIT\n', '{9} PING\n']);
    t.equal(decoder.next(), undefined);
  });

  t.test('gives the same in whatever pieces the octets come, and never throws', async t => {
    const cut = fc.oneof(wireOctets, hostileOctets()).chain(octets => fc.tuple(fc.constant(octets), piecesOf(octets)));
    const isSame = fc.property(
      cut,
      ([octets, pieces]) => JSON.stringify(decodeAll(pieces)) === JSON.stringify(decodeAll([octets])),
    );
    assertProperty(t, 'every chunking gives the same frames', isSame);
  });

  t.test('holds no more than a line and a blob, however small the pieces', async t => {
    const decoder = new LineDecoder({ lineOctetsMax: 8192, blobOctetsMax: 1 << 20 });
    const before = process.memoryUsage().arrayBuffers;
    const octet = Buffer.from('x');
    for (let i = 0; i < 300_000; i++) {
      decoder.push(octet);
      decoder.next();
    }
    t.ok(process.memoryUsage().arrayBuffers - before < 1 << 20, 'a line without an end costs its limit');
    decoder.push(Buffer.from('\n{1000000} SAY lobby\n'));
    t.match(decoder.next(), { code: 'line-too-long' });
    for (let i = 0; i < 1_000_000; i++) {
      decoder.push(octet);
      decoder.next();
    }
    decoder.push(Buffer.from('\n'));
    const frame = decoder.next();
    if (frame?.kind !== 'frame' || !frame.blob) throw new Error('no frame came');
    t.ok(frame.blob.pieces.length < 100, `a blob in single octets is ${frame.blob.pieces.length} pieces`);
    t.ok(Buffer.from(joinPieces(frame.blob)).equals(Buffer.alloc(1_000_000, 'x')), 'and is whole');
  });
});

t.test('pieces joined are what was added, in whatever sizes', async t => {
  const sizes = fc.array(fc.oneof(fc.nat(100), fc.integer({ min: 16_000, max: 40_000 })), { maxLength: 12 });
  assertProperty(
    t,
    'take gives all',
    fc.property(sizes, fc.boolean(), (sizes, isExpected) => {
      const pieces = new Pieces();
      const given = sizes.map((size, i) => Buffer.alloc(size, i + 1));
      let left = sizes.reduce((sum, size) => sum + size, 0);
      for (const piece of given) {
        pieces.add(piece, isExpected ? left : undefined);
        left -= piece.length;
      }
      const whole = Buffer.concat(given);
      return pieces.octets === whole.length && Buffer.concat(pieces.take()).equals(whole) && pieces.octets === 0;
    }),
  );
});

t.test('the grammar', async t => {
  const body = (line: string): Body => {
    const parsed = parseBody(line);
    if ('fault' in parsed) throw new Error(`${line}: ${parsed.reason}`);
    return parsed;
  };

  t.test('takes a request apart', async t => {
    t.match(body('say  lobby id=k1 "two words" reply="4 \\"x\\" \\\\" :text with: and "quotes"'), {
      marker: '',
      name: 'SAY',
      words: ['lobby', 'two words'],
      keys: new Map([
        ['id', 'k1'],
        ['reply', '4 "x" \\'],
      ]),
      text: 'text with: and "quotes"',
    });
    t.match(body('SAY {"room":"lobby","text":"a\\nb"}'), { json: { room: 'lobby', text: 'a\nb' } });
    t.match(body('SAY lobby :'), { text: '' });
    t.match(body('STAT "key=no"'), { words: ['key=no'], keys: new Map() });
    t.match(body('- SAY rate-limited retry=2 :slow down'), { marker: '-', words: ['rate-limited'], text: 'slow down' });
    t.match(body('* PARTYLINE/1 hub=den'), { marker: '*', name: 'PARTYLINE/1' });
    t.match(body('= MSG {"room":"lobby"}'), { marker: '=', json: { room: 'lobby' } });
  });

  t.test('says what is wrong with a line', async t => {
    const faults: Record<string, string> = {
      '': 'unknown-command',
      '123': 'unknown-command',
      ABCDEFGHIJKLMNOPQ: 'unknown-command',
      'SAY;': 'unknown-command',
      'PARTYLINE/': 'unknown-command',
      'SAY {"room":': 'bad-json',
      'SAY {}}': 'bad-json',
      'LS "no end': 'bad-argument',
      'LS "a"b': 'bad-argument',
      'SAY id=1 id=2': 'bad-argument',
      'GET / HTTP/1.1': 'protocol-attack',
      'POST /lobby HTTP/1.0': 'protocol-attack',
      'Host: localhost': 'protocol-attack',
      'host:x': 'protocol-attack',
    };
    for (const [line, fault] of Object.entries(faults)) t.match(parseBody(line), { fault }, JSON.stringify(line));
    t.notOk('fault' in parseBody('SAY lobby :GET / HTTP/1.1'), 'text may speak of HTTP');
  });

  t.test('names an argument that does not fit', async t => {
    const code = (verb: keyof typeof commands, line: string) => {
      try {
        requestFields(verb, commands[verb], body(line));
        return 'ok';
      } catch (error) {
        return error instanceof HubError ? `${error.code} ${error.facts.at ?? ''} ${error.message}` : String(error);
      }
    };
    t.match(code('SAY', 'SAY lobby hello'), /^bad-argument {2}too many words; text begins with a colon/);
    t.match(code('LS', 'LS /a /b'), /^bad-argument {2}too many words; usage: LS path/);
    t.match(code('LS', 'LS /a :text'), /takes no text/);
    t.match(code('LS', 'LS /a wat=1'), /^bad-argument wat there is no wat=/);
    t.match(code('LS', 'LS /a path=/b'), /^bad-argument path path stands twice/);
  });
});

const styles: readonly Style[] = [
  { lineEnd: '\n', form: 'words' },
  { lineEnd: '\r\n', form: 'words' },
  { lineEnd: '\n', form: 'json' },
  { lineEnd: '\r\n', form: 'json' },
];

/** What a line that was formatted says to whoever reads it. */
function readBack(line: string): { body: Body; fields: Record<string, unknown>; label: string | undefined } {
  const decoder = new LineDecoder({ lineOctetsMax: 1 << 20, blobOctetsMax: 1 << 20 });
  decoder.push(Buffer.from(line));
  const frame = decoder.next();
  const more = decoder.next();
  decoder.end();
  if (frame?.kind !== 'frame' || more || decoder.next()) throw new Error(`not one frame: ${JSON.stringify(line)}`);
  const body = parseBody(frame.body);
  if ('fault' in body) throw new Error(body.reason);
  return { body, fields: answerFields(body, frame.blob), label: frame.label };
}

t.test('whatever an event holds, its line is one frame that says the same', async t => {
  const word = fc.oneof(hostileText(6), fc.string());
  const fields = fc.record({ room: word, from: word, seq: fc.nat(), guest: fc.boolean(), text: hostileText() });
  const label = fc.option(fc.stringMatching(/^[\w.-]{1,32}$/), { nil: undefined });
  assertProperty(
    t,
    'format and parse are inverse',
    fc.property(fields, label, fc.constantFrom(...styles), (fields, label, style) => {
      const line = formatFrame({ label, marker: '*', name: 'MSG', fields }, style);
      const back = readBack(line);
      const isJson = style.form === 'json';
      const lossless = (text: string) =>
        (isJson ? text : text.replaceAll(/[\u0000-\u001f\u007f]/g, ' ')).toWellFormed();
      const same = (name: 'room' | 'from') => (back.fields[name] ?? '') === lossless(fields[name]);
      return (
        back.label === label &&
        back.body.name === 'MSG' &&
        same('room') &&
        same('from') &&
        String(back.fields['seq']) === String(fields.seq) &&
        (back.fields['text'] ?? '') === fields.text.toWellFormed()
      );
    }),
  );
});

t.test('whatever a client says, the server reads it as said', async t => {
  const input = fc.record(
    {
      room: fc.string({ minLength: 1 }),
      id: hostileText(3).filter(id => id !== ''),
      text: hostileText().filter(text => text !== ''),
    },
    { requiredKeys: ['room', 'text'] },
  );
  assertProperty(
    t,
    'requestWords, formatFrame and requestFields are inverse',
    fc.property(input, fc.constantFrom(...styles), (input, { lineEnd }) => {
      const { words, fields, needsJson } = requestWords(commands.SAY, input);
      const form = needsJson ? 'json' : 'words';
      const parts = needsJson ? { fields: input } : { words, fields };
      const line = formatFrame({ marker: '', name: 'SAY', ...parts }, { lineEnd, form });
      const decoder = new LineDecoder({ lineOctetsMax: 1 << 20, blobOctetsMax: 1 << 20 });
      decoder.push(Buffer.from(line));
      const frame = decoder.next();
      if (frame?.kind !== 'frame' || decoder.next()) return false;
      const body = parseBody(frame.body);
      if ('fault' in body) return false;
      const back = requestFields('SAY', commands.SAY, body, frame.blob);
      return Object.entries(input).every(([name, value]) => back[name] === value.toWellFormed());
    }),
  );
});

t.test('no text of a person begins a line of its own', async t => {
  assertProperty(
    t,
    'lines outside of blobs are the formatter’s',
    fc.property(hostileText(), hostileText(3), (text, from) => {
      const line = formatFrame({ marker: '*', name: 'MSG', fields: { from, text } }, styles[0]!);
      const size = /^\{(\d+)\} /.exec(line)?.[1];
      const end = line.indexOf('\n');
      if (size === undefined) return end === line.length - 1;
      const rest = Buffer.from(line.slice(end + 1));
      return rest.length === Number(size) + 1 && rest.at(-1) === 10;
    }),
  );
});

t.test('the reference names every verb, event and error', async t => {
  const page = renderLineReference();
  for (const name of [
    ...Object.keys(commands),
    ...Object.keys(eventSchemas),
    'TICKET',
    'rate-limited',
    'protocol-attack',
  ]) {
    t.ok(page.includes(`\`${name}`), name);
  }
  t.notMatch(page, /undefined|\[object/);
});
