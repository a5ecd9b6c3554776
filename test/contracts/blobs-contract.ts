/** The contract of `Blobs` in `server/hub/host.ts`, sentence by sentence, for any implementation. */
import { createHash, randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import type { Test } from 'tap';
import type { BlobId, Blobs } from '../../server/hub/host.ts';
import { KIB, MIB } from '../../shared/limits.ts';

export type MakeBlobs = (t: Test) => Promise<Blobs>;

export const sha256 = (octets: Uint8Array): string => `sha256:${createHash('sha256').update(octets).digest('hex')}`;

async function content(blobs: Blobs, id: BlobId): Promise<Buffer> {
  const reader = await blobs.open(id);
  const octets = Buffer.alloc(reader.size);
  const length = await reader.read(octets, 0);
  await reader.close();
  return octets.subarray(0, length);
}

export function blobsContract(t: Test, name: string, make: MakeBlobs): void {
  t.test(`${name}: a blob is written, sealed and read`, t => written(t, make));
  t.test(`${name}: a writer is resumed`, t => resumed(t, make));
  t.test(`${name}: a blob is removed`, t => removed(t, make));
  t.test(`${name}: pieces have hashes of their own`, t => pieces(t, make));
  t.test(`${name}: hashes advance with what is settled`, t => settled(t, make));
  t.test(`${name}: a hash is that of the content, in whatever order it was written`, t => disordered(t, make));
}

async function written(t: Test, make: MakeBlobs): Promise<void> {
  const blobs = await make(t);
  const writer = await blobs.create();
  await writer.write(6, [Buffer.from('wor'), new Uint8Array(), Buffer.from('ld and more')]);
  await writer.write(0, [Buffer.from('hello ')]);
  await writer.sync();
  await t.rejects(blobs.open(writer.id), 'not visible before it is sealed');
  t.equal(await writer.seal(11), sha256(Buffer.from('hello world')), 'cut to its size');
  t.equal((await content(blobs, writer.id)).toString(), 'hello world');
  await t.rejects(writer.write(0, [Buffer.from('x')]), 'the writer has ended');
  await t.rejects(writer.seal(1));
  const reader = await blobs.open(writer.id);
  const into = new Uint8Array(8);
  t.equal(await reader.read(into, 6), 5, 'less than asked at the end');
  t.equal(Buffer.from(into.subarray(0, 5)).toString(), 'world');
  t.equal(await reader.read(into, 11), 0, 'nothing behind it');
  await reader.close();

  const holed = await blobs.create();
  await holed.write(4, [Buffer.from('x')]);
  t.equal(await holed.seal(6), sha256(Buffer.from('\0\0\0\0x\0')), 'what was not written is zeros');
  const empty = await blobs.create();
  t.equal(await empty.seal(0), sha256(Buffer.alloc(0)));
  t.equal((await content(blobs, empty.id)).length, 0);
  const pieces = Array.from({ length: 2_500 }, (_, n) => Buffer.from(`${n} `));
  const many = await blobs.create();
  await many.write(0, pieces);
  t.equal(await many.seal(Buffer.concat(pieces).length), blobs.hash(pieces), 'more pieces than one system call takes');
  t.equal(blobs.hash([Buffer.from('a'), Buffer.from('b')]), sha256(Buffer.from('ab')));
  t.ok(await blobs.hasRoom(1));
  t.notOk(
    [writer, holed, empty, many].some((a, i, all) => all.findIndex(b => b.id === a.id) !== i),
    'ids differ',
  );
}

async function resumed(t: Test, make: MakeBlobs): Promise<void> {
  const blobs = await make(t);
  const writer = await blobs.create();
  await writer.write(0, [Buffer.from('abc')]);
  await writer.sync();
  await writer.close();
  const again = await blobs.resume(writer.id);
  t.equal(again?.id, writer.id);
  await again?.write(3, [Buffer.from('def')]);
  t.equal(await again?.seal(6), sha256(Buffer.from('abcdef')));
  t.equal(await blobs.resume(writer.id), undefined, 'a sealed one has no writer');
  t.equal(await blobs.resume('0'.repeat(32)), undefined, 'one that is gone');
}

async function pieces(t: Test, make: MakeBlobs): Promise<void> {
  const blobs = await make(t);
  const octets = randomBytes(3 * MIB);
  const writer = await blobs.create();
  await writer.write(0, [Buffer.from(octets)]);
  const ranges = [
    { start: MIB + 5, end: 2 * MIB + 6 },
    { start: 0, end: 1 },
    { start: 7, end: 7 },
  ];
  const expected = ranges.map(({ start, end }) => sha256(octets.subarray(start, end)));
  t.same(await blobs.hashesOf(writer.id, ranges), expected, 'while it is written');
  await t.rejects(blobs.hashesOf(writer.id, [{ start: 0, end: 3 * MIB + 1 }]), 'past its end');
  await writer.seal(2 * MIB + 6);
  t.same(await blobs.hashesOf(writer.id, ranges), expected, 'when it is sealed');
  await t.rejects(blobs.hashesOf(writer.id, [{ start: 0, end: 3 * MIB }]), 'past its new end');
  t.same(await blobs.hashesOf(writer.id, []), []);
  await blobs.remove(writer.id);
  await t.rejects(blobs.hashesOf(writer.id, ranges));
}

async function removed(t: Test, make: MakeBlobs): Promise<void> {
  const blobs = await make(t);
  const sealed = await blobs.create();
  await sealed.write(0, [Buffer.from('still here')]);
  await sealed.seal(10);
  const reader = await blobs.open(sealed.id);
  await blobs.remove(sealed.id);
  await t.rejects(blobs.open(sealed.id));
  const into = new Uint8Array(10);
  t.equal(await reader.read(into, 0), 10, 'an open reader goes on');
  t.equal(Buffer.from(into).toString(), 'still here');
  await reader.close();
  await blobs.remove(sealed.id);
  const unsealed = await blobs.create();
  await unsealed.close();
  await blobs.remove(unsealed.id);
  t.equal(await blobs.resume(unsealed.id), undefined);
}

/** Also of octets that are written twice, at once or one after the other. */
async function disordered(t: Test, make: MakeBlobs): Promise<void> {
  const blobs = await make(t);
  const size = 24 * KIB;
  const write = fc.record({
    offset: fc.nat(size),
    octets: fc.uint8Array({ minLength: 1, maxLength: 8 * KIB }),
    waits: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(write, { maxLength: 12 }), fc.boolean(), async (writes, isSettled) => {
      const writer = await blobs.create();
      let running: Promise<void>[] = [writer.write(0, [new Uint8Array(size)])];
      for (const { offset, octets, waits } of writes) {
        running.push(writer.write(offset, [octets.slice(0, 100), octets.slice(100)]));
        if (waits) await Promise.all(running.splice(0));
      }
      await Promise.all(running);
      running = [];
      if (isSettled) writer.settled(size);
      const hash = await writer.seal(size);
      t.equal(hash, sha256(await content(blobs, writer.id)));
    }),
    { numRuns: 60 },
  );
}

async function settled(t: Test, make: MakeBlobs): Promise<void> {
  const blobs = await make(t);
  const octets = randomBytes(11 * MIB + 7);
  const upload = async () => {
    const writer = await blobs.create();
    for (let offset = 0; offset < octets.length; offset += MIB) {
      await writer.write(offset, [octets.subarray(offset, offset + MIB)]);
      writer.settled(Math.min(octets.length, offset + MIB));
    }
    return writer;
  };
  const writers = await Promise.all([upload(), upload(), upload()]);
  const hashes = await Promise.all([writers[0]!.seal(octets.length), writers[1]!.seal(5 * MIB + 3)]);
  t.equal(hashes[0], sha256(octets));
  t.equal(hashes[1], sha256(octets.subarray(0, 5 * MIB + 3)), 'cut before what was settled');
  await writers[2]!.close();
  const again = await blobs.resume(writers[2]!.id);
  again?.settled(9 * MIB);
  t.equal(await again?.seal(octets.length), sha256(octets), 'after a resumption');
}
