/**
 * A process that uses a store until it ends or is killed, and says on standard output what was acknowledged, a JSON value
 * a line: `node store-child.js MODE DATA-DIR [FAULT-POINT]`.
 */
import { appendFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Blobs, Store } from '../../server/hub/host.ts';
import type { Write } from '../../server/hub/writes.ts';
import { systemClock } from '../../server/net/system-clock.ts';
import { openEmbedded } from '../../server/store/embedded/open.ts';
import { HubError } from '../../shared/errors.ts';
import { MIB } from '../../shared/limits.ts';
import type { FilePath } from '../../shared/names.ts';

const [mode = '', dataDir = '', faultPoint] = process.argv.slice(2);
let skewMs = 0;

/** Pipes are written at once: what was said is said, also if the process dies in the next moment. */
const say = (value: unknown) => void process.stdout.write(`${JSON.stringify(value)}\n`);

const message = (room: string, text: string): Write => ({
  kind: 'append',
  by: 'u:ada',
  timeMs: 1,
  event: { event: 'MSG', room, time: '2026-11-23T01:00:03Z', from: 'ada', text },
});

type FileContent = Extract<Extract<Write, { kind: 'put-entry' }>['entry'], { type: 'file' }>;

function file(path: string, row: Pick<FileContent, 'size' | 'hash' | 'content'>): Write {
  const common = {
    path: path as FilePath,
    owner: 'u:ada',
    ownerName: 'Ada',
    modified: '2026-11-23T01:00:03Z',
  } as const;
  return { kind: 'put-entry', entry: { ...common, type: 'file', ...row }, expect: 'any' };
}

/** `ok` or the code of the refusal. */
const outcome = (done: Promise<unknown>): Promise<string> =>
  done.then(
    () => 'ok',
    error => (error instanceof HubError ? error.code : String(error)),
  );

/** Sixty-four writers, a few of whose transactions have several steps; each number is said when it is acknowledged. */
async function post(store: Store): Promise<void> {
  const writer = async (n: number) => {
    for (let i = 0; ; i++) {
      const text = `${n} ${i}`;
      const upload: Write = { kind: 'put-document', document: 'upload', key: `${n}`, value: { i } };
      const { seqs } = await store.commit(n % 8 === 0 ? [message('lobby', text), upload] : [message('lobby', text)]);
      say([seqs[0], text]);
    }
  };
  await Promise.all(Array.from({ length: 64 }, (_, n) => writer(n).catch(error => say({ failed: error.code, n }))));
  say({ trouble: store.trouble(), again: await outcome(store.commit([message('lobby', 'x')])) });
}

/** One upload after the other as the hub does them, each replacing and removing the one before. */
async function upload(store: Store, blobs: Blobs): Promise<void> {
  for (let n = 0; n < 3; n++) {
    const writer = await blobs.create();
    const value = { blob: writer.id };
    await store.commit([{ kind: 'put-document', document: 'upload', key: 'u', value }]);
    await writer.write(0, [Buffer.alloc(300_000, n)]);
    await writer.sync();
    const hash = await writer.seal(300_000);
    const { unreferenced } = await store.commit([
      file('/lobby/f', { size: 300_000, hash, content: { kind: 'blob', id: writer.id } }),
      { kind: 'put-document', document: 'upload', key: 'u', value: { ...value, done: {} } },
      message('lobby', hash),
    ]);
    say(hash);
    for (const id of unreferenced) await blobs.remove(id);
  }
}

/** On a disk of 8 MiB: what is refused, what goes on, and that it recovers. */
async function fill(store: Store, blobs: Blobs): Promise<void> {
  const put = (name: string) => {
    const octets = Buffer.alloc(16_000, 1);
    const content = { kind: 'inline', octets } as const;
    return file(`/lobby/${name}`, { size: octets.length, hash: blobs.hash([octets]), content });
  };
  const facts = async (blobWrite: Promise<unknown>) => ({
    trouble: store.trouble(),
    hasBallast: existsSync(join(dataDir, 'ballast')),
    hasRoom: await blobs.hasRoom(1),
    blobWrite: await outcome(blobWrite),
    talk: await outcome(Promise.all(Array.from({ length: 50 }, (_, n) => store.commit([message('lobby', `${n}`)])))),
    put: await outcome(store.commit([put('new'), message('lobby', 'put')])),
    document: await outcome(store.commit([{ kind: 'put-document', document: 'account', key: 'ada', value: 1 }])),
  });
  const removal: Write = { kind: 'remove-entry', path: '/lobby/first' as FilePath, recursive: false };
  const create = async () => (await blobs.create()).close();
  const later = async () => {
    skewMs += 2_000;
    await blobs.hasRoom(1);
  };
  await store.commit([put('first'), message('lobby', 'begin')]);
  say({ before: await facts(Promise.resolve()) });

  const writer = await blobs.create();
  let blobWrite: Promise<void> = Promise.resolve();
  for (let offset = 0; (await outcome(blobWrite)) === 'ok'; offset += MIB / 4) {
    blobWrite = writer.write(offset, [Buffer.alloc(MIB / 4, 1)]);
  }
  await later();
  say({ blobsFull: await facts(blobWrite) });
  say({ removal: await outcome(store.commit([removal])) });
  await writer.close();
  await blobs.remove(writer.id);
  await later();
  say({ blobsRecovered: await facts(create()) });

  const filler = join(dataDir, 'somebody-elses');
  await outcome((async () => appendUntilFull(filler))());
  const [putOutcome, talkOutcome] = await Promise.all([
    outcome(Promise.all(Array.from({ length: 40 }, (_, n) => store.commit([put(`n${n}`)])))),
    outcome(Promise.all(Array.from({ length: 40 }, () => store.commit([message('lobby', 'at once')])))),
  ]);
  say({ putOutcome, talkOutcome });
  say({ storeFull: await facts(create()) });
  rmSync(filler);
  await later();
  say({ storeRecovered: await facts(create()), head: await store.head('lobby') });
}

function appendUntilFull(path: string): never {
  for (;;) appendFileSync(path, Buffer.alloc(4_096, 1));
}

const { store, blobs, close } = await openEmbedded({
  dataDir,
  ballastOctets: MIB,
  lowWaterOctets: MIB / 4,
  clock: { now: () => systemClock.now() + skewMs, soon: systemClock.soon },
  report: ({ what }) => say({ report: what }),
  ...(faultPoint !== undefined && { faultPoint }),
});
say('open');
if (mode === 'post') await post(store);
else if (mode === 'upload') await upload(store, blobs);
else await fill(store, blobs);
await close();
