/**
 * `.name.plpart` and its journal: a download that is not whole yet. What is written may come in any order; what a later
 * process goes on with is the part from the beginning whose digests the journal has.
 */
import { createHash } from 'node:crypto';
import { appendFile, type FileHandle, mkdir, open, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { limits } from '../shared/limits.ts';
import { addRange, heldOctets, heldPrefix, missingRanges, type Range } from '../shared/ranges.ts';
import type { HashThread } from './hash-thread.ts';
import type { RemoteFile } from './remote-tree.ts';
import { RunningHash } from './running-hash.ts';

/** Octets that go to the file at once, and that may wait for it. */
const runOctets = limits.pieceOctets;
const unwrittenMax = 4 * limits.pieceOctets;

/** `.name.plpart`, and with its journal's ending still a name that file systems hold. */
export function partOf(local: string): string {
  const name = basename(local);
  const isLong = Buffer.byteLength(name) > limits.fileNameOctetsMax - '..plpart.json'.length;
  return join(dirname(local), `.${isLong ? createHash('sha256').update(name).digest('hex') : name}.plpart`);
}

/** The file gets its date and its name, and is seen from now on. */
export async function settle(part: string, local: string, { modified }: RemoteFile): Promise<void> {
  if (modified !== undefined) {
    const date = new Date(modified);
    await utimes(part, date, date);
  }
  await rename(part, local);
}

/** Open until `close`; over lost connections too. */
export class Part {
  readonly #path: string;
  readonly #journal: string;
  readonly #remote: RemoteFile;
  readonly #thread: HashThread;
  readonly #file: FileHandle;
  /** Digests that the journal has, from the beginning. */
  #known: readonly string[];
  #hash: RunningHash;
  #held: readonly Range[] = [];
  #recording: Promise<void> = Promise.resolve();
  #isConfirmed = false;
  #mended: number | undefined;

  private constructor(
    path: string,
    remote: RemoteFile,
    thread: HashThread,
    file: FileHandle,
    known: readonly string[],
  ) {
    this.#path = path;
    this.#journal = `${path}.json`;
    this.#remote = remote;
    this.#thread = thread;
    this.#file = file;
    this.#known = known;
    this.#hash = this.#beginHash();
  }

  /** The part belongs to one content: another file of the name begins anew. */
  static async open(local: string, remote: RemoteFile, thread: HashThread): Promise<Part> {
    await mkdir(dirname(local), { recursive: true });
    const path = partOf(local);
    const known = await readJournal(`${path}.json`, remote.hash);
    // Made if it is not there, and never cut off.
    await (await open(path, 'a')).close();
    const file = await open(path, 'r+');
    const { size } = await file.stat();
    const part = new Part(path, remote, thread, file, known.slice(0, Math.ceil(size / limits.pieceOctets)));
    await part.#beginJournal();
    return part;
  }

  /** Octets that are in place. */
  get octets(): number {
    return heldOctets(this.#held);
  }

  get missing(): readonly Range[] {
    return missingRanges(this.#held, this.#remote.size);
  }

  /**
   * Looks through what an earlier process left. Resolves with a piece that is to be fetched again before it goes on, or
   * undefined when all of it is as it was written. `tell` hears how far it is.
   */
  async confirm(tell: (octets: number) => void): Promise<Range | undefined> {
    const damaged = await this.#hash.confirm(this.#known, tell);
    if (damaged === undefined) {
      this.#isConfirmed = true;
      this.#held = addRange(this.#held, { start: 0, end: this.#hash.position });
      return undefined;
    }
    // Fetched and still another one: the journal is what is damaged.
    if (damaged === this.#mended) return void (await this.discard());
    this.#mended = damaged;
    return { start: damaged, end: Math.min(damaged + limits.pieceOctets, this.#remote.size) };
  }

  /** Nothing of it can be trusted. */
  async discard(): Promise<void> {
    await this.#hash.close();
    await this.#recording;
    await this.#file.truncate(0);
    this.#known = [];
    this.#held = [];
    this.#isConfirmed = true;
    await this.#beginJournal();
    this.#hash = this.#beginHash();
  }

  async #beginJournal(): Promise<void> {
    const { hash, size } = this.#remote;
    await writeFile(this.#journal, [JSON.stringify({ hash, size }), ...this.#known, ''].join('\n'));
  }

  #beginHash(): RunningHash {
    const file = { fd: this.#file.fd, size: this.#remote.size };
    return new RunningHash(this.#thread, file, digests => {
      const lines = digests.map(digest => `${digest}\n`).join('');
      // Without its line a piece is fetched once more; the download itself does not fail by it.
      this.#recording = this.#recording.then(() => appendFile(this.#journal, lines)).catch(() => undefined);
    });
  }

  /** For octets that come in order from `start` on; any number of them write at once. */
  writer(start: number): PartWriter {
    return new PartWriter(this.#file, start, range => {
      this.#held = addRange(this.#held, range);
      if (this.#isConfirmed) this.#hash.advance(heldPrefix(this.#held));
    });
  }

  /** `sha256:…` when nothing is missing any more; the octets are safe on disk then. */
  async whole(): Promise<string> {
    const hash = await this.#hash.whole();
    await this.#file.datasync();
    return hash;
  }

  /** What is held is in the journal then, unless the disk refuses. */
  async close(): Promise<void> {
    await this.#hash.settle().catch(() => undefined);
    await this.#hash.close();
    await this.#recording;
    await this.#file.close();
  }

  /** What is whole and closed gets its own name. */
  async finish(local: string): Promise<void> {
    await settle(this.#path, local, this.#remote);
    await rm(this.#journal, { force: true });
  }
}

/** Gathers rows into runs, and lets the connection go on while they are written. */
export class PartWriter {
  readonly #file: FileHandle;
  readonly #written: (range: Range) => void;
  #position: number;
  #pieces: Uint8Array[] = [];
  #gathered = 0;
  #unwritten = 0;
  #writing: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  constructor(file: FileHandle, start: number, written: (range: Range) => void) {
    this.#file = file;
    this.#position = start;
    this.#written = written;
  }

  /** A promise where the sender should wait. Error: what the disk says, also about earlier octets. */
  take(pieces: readonly Uint8Array[], octets: number): Promise<void> | undefined {
    if (this.#failure) throw this.#failure.error;
    this.#pieces.push(...pieces);
    this.#gathered += octets;
    if (this.#gathered >= runOctets) this.#flush();
    return this.#unwritten > unwrittenMax ? this.#writing : undefined;
  }

  #flush(): void {
    const [pieces, octets, position] = [this.#pieces, this.#gathered, this.#position];
    this.#pieces = [];
    this.#gathered = 0;
    this.#position += octets;
    this.#unwritten += octets;
    this.#writing = this.#writing
      .then(() => writeAll(this.#file, pieces, octets, position))
      .then(
        () => this.#written({ start: position, end: position + octets }),
        error => void (this.#failure ??= { error }),
      )
      .finally(() => void (this.#unwritten -= octets));
  }

  /** Resolves when all that was taken is written. Error: what the disk says. */
  async settle(): Promise<void> {
    if (this.#gathered > 0) this.#flush();
    await this.#writing;
    if (this.#failure) throw this.#failure.error;
  }
}

async function writeAll(
  file: FileHandle,
  pieces: readonly Uint8Array[],
  octets: number,
  position: number,
): Promise<void> {
  const { bytesWritten } = await file.writev([...pieces], position);
  if (bytesWritten === octets) return;
  const rest = Buffer.concat(pieces).subarray(bytesWritten);
  const { bytesWritten: more } = await file.write(rest, 0, rest.length, position + bytesWritten);
  if (more < rest.length) throw new Error('the disk took only a part of what was written');
}

async function readJournal(journal: string, hash: string): Promise<readonly string[]> {
  const text = await readFile(journal, 'utf8').catch(() => '');
  const [head = '', ...lines] = text.split('\n');
  const isSame = head.includes(JSON.stringify(hash));
  // A line that was cut by the end of its process is no digest.
  const end = lines.findIndex(line => !/^[0-9a-f]{64}$/.test(line));
  return isSame ? lines.slice(0, end < 0 ? lines.length : end) : [];
}
