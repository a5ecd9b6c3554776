/**
 * People who post and upload as fast as the server answers, and remember what was acknowledged; and the check, after
 * whatever happened to the server, that all of it is there, once, whole, and that nothing half-made is seen.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Test } from 'tap';
import { connectLine, type LineClient } from './line-client.ts';
import type { ServerProcess } from './server-process.ts';

export interface Acknowledged {
  /** Text → number. */
  readonly messages: Map<string, number>;
  /** Path → sha256 of the content, for files whose upload was answered. */
  readonly files: Map<string, string>;
  /** Path → sha256 of what was sent, answered or not. */
  readonly sent: Map<string, string>;
}

export function nothingYet(): Acknowledged {
  return { messages: new Map(), files: new Map(), sent: new Map() };
}

export interface Worker {
  /** Resolves when the connection is lost or `stop` was called; never rejects for a lost connection. */
  readonly done: Promise<void>;
  stop(): void;
}

/** Greeted and logged in; the password is `secret`. */
export async function signIn(t: Test, server: ServerProcess, user: string): Promise<LineClient> {
  const client = await connectLine(t, server.ports.line, { deadlineMs: 20_000 });
  await client.line();
  client.send(`LOGIN ${user} :secret`);
  await client.until(/^\+ LOGIN/);
  return client;
}

/** Runs until the connection fails; what fails after that is the point of the test. */
export function work(body: (isStopped: () => boolean) => Promise<void>): Worker {
  let isStopped = false;
  return {
    done: body(() => isStopped).catch(() => undefined),
    stop: () => {
      isStopped = true;
    },
  };
}

/** Posts in pipelined groups of sixteen, each with an id. */
export function poster(t: Test, server: ServerProcess, user: string, record: Acknowledged, tag: string): Worker {
  return work(async isStopped => {
    const client = await signIn(t, server, user);
    for (let group = 0; !isStopped(); group++) {
      const texts = Array.from({ length: 16 }, (_, i) => `${tag} ${group} ${i}`);
      client.send(texts.map((text, i) => `SAY lobby id=${tag}.${group}.${i} :${text}`).join('\n'));
      for (const text of texts) {
        const seq = /^\+ SAY room=lobby seq=(\d+)/.exec(await client.line())?.[1];
        if (seq) record.messages.set(text, Number(seq));
      }
    }
    client.finish();
  });
}

/** Uploads one file after the other: small ones in one request, every third in two chunks. */
export function uploader(t: Test, server: ServerProcess, user: string, record: Acknowledged, tag: string): Worker {
  return work(async isStopped => {
    const client = await signIn(t, server, user);
    for (let n = 0; !isStopped(); n++) {
      const path = `/lobby/${tag}-${n}`;
      const octets = randomBytes(n % 3 === 2 ? 300_000 : 3_000);
      const hash = createHash('sha256').update(octets).digest('hex');
      record.sent.set(path, hash);
      const answer = n % 3 === 2 ? await inChunks(client, path, octets) : await atOnce(client, path, octets);
      if (answer.includes(`hash=sha256:${hash}`)) record.files.set(path, hash);
    }
    client.finish();
  });
}

async function atOnce(client: LineClient, path: string, octets: Buffer): Promise<string> {
  client.send(Buffer.concat([Buffer.from(`{${octets.length}} PUT ${path} mode=replace\n`), octets, Buffer.from('\n')]));
  return client.line();
}

async function inChunks(client: LineClient, path: string, octets: Buffer): Promise<string> {
  client.send(`PUT ${path} size=${octets.length} mode=replace`);
  const upload = /upload=(\S+)/.exec(await client.line())?.[1];
  if (!upload) return '';
  for (const [start, end] of [
    [0, 200_000],
    [200_000, octets.length],
  ] as const) {
    const piece = octets.subarray(start, end);
    client.send(
      Buffer.concat([Buffer.from(`{${piece.length}} CHUNK ${upload} offset=${start}\n`), piece, Buffer.from('\n')]),
    );
    await client.line();
  }
  client.send(`COMMIT ${upload}`);
  return client.line();
}

/** Asserts that what was acknowledged is there once, that numbers are dense, and that every visible file is whole. */
export async function verify(t: Test, server: ServerProcess, user: string, record: Acknowledged): Promise<void> {
  const client = await signIn(t, server, user);
  const { messages, files, highest, count } = await readLog(client);
  t.equal(count, highest, 'the numbers are dense');
  const lost = [...record.messages].filter(([text, seq]) => messages.get(text)?.join() !== String(seq));
  t.same(lost, [], 'every acknowledged message stands once under its number');
  const doubled = [...messages.values()].filter(seqs => seqs.length > 1);
  t.same(doubled, [], 'no message stands twice');
  const listed = await listFiles(client);
  const wrong = [...listed].filter(([path, hash]) => record.sent.get(path) !== hash);
  t.same(wrong, [], 'every file that is listed is whole');
  t.same(
    [...record.files.keys()].filter(path => !listed.has(path)),
    [],
    'every acknowledged file is listed',
  );
  t.same(
    [...listed.keys()].filter(path => files.get(path) !== 1),
    [],
    'every file was announced once',
  );
  for (const [path, hash] of [...record.files].slice(-5))
    t.equal(await download(client, path), hash, `${path} reads back`);
  client.send('QUIT');
  await client.ended;
}

async function readLog(client: LineClient) {
  const messages = new Map<string, number[]>();
  const files = new Map<string, number>();
  let highest = 0;
  let count = 0;
  for (let more = true; more; ) {
    client.send(`HISTORY lobby after=${highest} limit=1000`);
    for (const line of await client.until(/^[+-] HISTORY/)) {
      const [, event, seq, rest] = /^= (\w+) room=lobby seq=(\d+) (.*)$/.exec(line) ?? [];
      if (!event) more = line.includes('more=yes');
      else {
        highest = Number(seq);
        count++;
        const text = / :(.*)$/.exec(rest!)?.[1];
        if (event === 'MSG') messages.set(text!, [...(messages.get(text!) ?? []), highest]);
        const path = /op=put path=(\S+)/.exec(rest!)?.[1];
        if (event === 'FILE' && path) files.set(path, (files.get(path) ?? 0) + 1);
      }
    }
  }
  return { messages, files, highest, count };
}

async function listFiles(client: LineClient): Promise<Map<string, string>> {
  client.send('LS /lobby');
  const listed = new Map<string, string>();
  for (const line of await client.until(/^[+-] LS/)) {
    const [, name, hash] = /^= LS name=(\S+) type=file .*hash=sha256:(\w+)/.exec(line) ?? [];
    if (name) listed.set(`/lobby/${name}`, hash!);
  }
  return listed;
}

async function download(client: LineClient, path: string): Promise<string> {
  client.send(`GET ${path}`);
  const hash = createHash('sha256');
  for (;;) {
    const line = await client.line();
    const size = /^\{(\d+)\} = GET/.exec(line)?.[1];
    if (!size) return line.startsWith('+ GET') ? hash.digest('hex') : line;
    hash.update(await client.blob(Number(size)));
  }
}
