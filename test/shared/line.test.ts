/** The line protocol without a socket: the decoder under every chunking, parse∘format as identity, and nothing that throws. */
import fc from 'fast-check';
import t from 'tap';
import { type Decoded, LineDecoder } from '../../shared/line/decoder.ts';
import { type Body, formatFrame, formatWord, parseBody } from '../../shared/line/grammar.ts';
import { joinPieces } from '../../shared/line/pieces.ts';
import { addRange, formatRanges, heldOctets, missingRanges, parseRanges, type Range } from '../../shared/ranges.ts';
import { octetLength } from '../../shared/text.ts';
import { hostileOctets, hostileText, piecesOf } from '../support/generators.ts';

const isLong = process.env['PARTYLINE_TEST_LONG'] === '1';
const numRuns = isLong ? 200_000 : 2_000;
t.setTimeout(600_000);
const limits = { lineOctetsMax: 64, blobOctetsMax: 128, sought: /until=fin/ };

/** What comes out, with blobs joined, so that two chunkings can be compared. */
function decodeAll(pieces: readonly Uint8Array[]): unknown[] {
  const decoder = new LineDecoder(limits);
  const out: unknown[] = [];
  const take = () => {
    for (let item: Decoded | undefined = decoder.next(); item; item = decoder.next()) {
      out.push(
        item.kind === 'frame' && item.blob
          ? { ...item, blob: Buffer.from(joinPieces(item.blob)).toString('hex') }
          : item,
      );
    }
  };
  for (const piece of pieces) {
    decoder.push(piece);
    take();
  }
  decoder.end();
  take();
  return out;
}

/** Streams that are often right and sometimes nearly so. */
const stream = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'PING\n',
        '#a {3} SAY lobby\r\nabc\r\n',
        '{0} X\n\n',
        '{3} X\nabcd\n',
        '{200} X\n',
        '{5} X\nab',
        '\r\n',
        'x'.repeat(70),
        `PUT ${'x'.repeat(60)}`,
        'until=fin',
        '\r',
        '\n',
      ),
      hostileText(20),
    ),
    { maxLength: 12 },
  )
  .map(parts => Buffer.from(parts.join('')));

t.test('any chunking gives the same frames', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        stream.chain(octets => fc.tuple(fc.constant(octets), piecesOf(octets))),
        ([octets, pieces]) => {
          const [whole, cut, single] = [
            decodeAll([octets]),
            decodeAll(pieces),
            decodeAll([...octets].map(octet => Buffer.of(octet))),
          ];
          return JSON.stringify(whole) === JSON.stringify(cut) && JSON.stringify(whole) === JSON.stringify(single);
        },
      ),
      { numRuns },
    ),
  );
});

t.test('no octets throw, whatever they are', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(hostileOctets(), octets => decodeAll([octets]).length >= 0),
      { numRuns },
    ),
  );
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(hostileText(60), line => typeof parseBody(line) === 'object'),
      { numRuns },
    ),
  );
});

t.test('a frame that was formatted is read back as it was, and holds as many lines as it says', async t => {
  const text = fc
    .oneof(fc.string({ unit: 'binary' }), hostileText(40))
    .map(value => value.toWellFormed().replaceAll('\0', ''));
  const parts = fc.record({
    text: fc.option(text, { nil: undefined }),
    path: text.map(value => `/${value.replaceAll(/[\u0000-\u001f\u007f]/g, '')}`),
    size: fc.nat(),
    form: fc.constantFrom('words', 'json'),
    lineEnd: fc.constantFrom('\n', '\r\n'),
  });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(parts, ({ text, path, size, form, lineEnd }) => {
        const fields = { path, size, ...(text !== undefined && text !== '' && { text }) };
        const line = formatFrame({ label: 'a1', marker: '+', name: 'PUT', fields }, { form, lineEnd } as Parameters<
          typeof formatFrame
        >[1]);
        const decoder = new LineDecoder({ lineOctetsMax: 65_536, blobOctetsMax: 65_536 });
        decoder.push(Buffer.from(line));
        const frame = decoder.next();
        if (frame?.kind !== 'frame' || decoder.next() !== undefined) return false;
        const body = parseBody(frame.body) as Body;
        const read =
          form === 'json' ? body.json! : { path: body.keys.get('path'), size: Number(body.keys.get('size')) };
        const said = frame.blob
          ? Buffer.from(joinPieces(frame.blob)).toString()
          : form === 'json'
            ? body.json!['text']
            : body.text;
        return (
          frame.label === 'a1' &&
          body.name === 'PUT' &&
          read['path'] === path &&
          read['size'] === size &&
          said === fields.text
        );
      }),
      { numRuns },
    ),
  );
});

t.test('a word never becomes a line end, a key, a text or a blob', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(hostileText(30), word => {
        const body = parseBody(`X ${formatWord(word)} end`);
        return 'words' in body && body.words.length === 2 && body.words[1] === 'end' && body.text === undefined;
      }),
      { numRuns },
    ),
  );
});

t.test('ranges are sets of octets', async t => {
  const ranges = fc.array(
    fc.tuple(fc.nat(60), fc.nat(20)).map(([start, length]) => ({ start, end: start + length })),
    { maxLength: 12 },
  );
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(ranges, added => {
        const held = added.reduce<readonly Range[]>((sum, range) => addRange(sum, range), []);
        const model = new Set(
          added.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i)),
        );
        const missing = missingRanges(held, 80);
        const isMissing = (octet: number) => missing.some(({ start, end }) => octet >= start && octet < end);
        const agrees = Array.from({ length: 80 }, (_, octet) => isMissing(octet) !== model.has(octet)).every(Boolean);
        return (
          agrees &&
          heldOctets(held) === model.size &&
          JSON.stringify(parseRanges(formatRanges(held))) === JSON.stringify(held)
        );
      }),
      { numRuns },
    ),
  );
});

t.test('octets of a text are counted as UTF-8 has them', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => octetLength(text) === Buffer.byteLength(text)),
      { numRuns },
    ),
  );
});
