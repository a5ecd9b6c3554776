/** Resumable uploads by tus with its own client: cut, gone on with, refused, given up, and shared with the other wires. */
import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { DetailedError, Upload, type UploadOptions } from 'tus-js-client';
import { connect, password } from '../client/index.ts';
import { parseJson } from '../shared/web/binary.ts';
import { startFaultProxy } from './support/fault-proxy.ts';
import { traversalNames } from './support/generators.ts';
import { serveLine } from './support/line-server.ts';
import { tempDir } from './support/temp-dir.ts';
import { basic } from './support/web-client.ts';
import { bindWeb } from './support/web-server.ts';

t.setTimeout(60_000);

async function serve(t: Test) {
  const line = await serveLine(t);
  const { ports } = await bindWeb(t, line.hub);
  const cleo = await connect(`pl://cleo@127.0.0.1:${line.ports.line}`, { auth: password('secret') });
  t.teardown(() => cleo.destroy());
  const at = `http://127.0.0.1:${ports.http}`;
  /** As the protocol is written, without its client. */
  const tus = async (method: string, path: string, more: Record<string, string> = {}, body?: Uint8Array) => {
    const headers = { 'tus-resumable': '1.0.0', ...basic('cleo'), ...more };
    const response = await fetch(at + path, { method, headers, ...(body && { body }) });
    const said = (parseJson(await response.text()) ?? {}) as { error?: { code: string; text: string } };
    return { status: response.status, headers: response.headers, error: said.error };
  };
  const create = async (octets: number, metadata: Record<string, string>, more: Record<string, string> = {}) => {
    const answer = await tus('POST', '/tus', {
      'upload-length': String(octets),
      'upload-metadata': metadataOf(metadata),
      ...more,
    });
    return { ...answer, url: answer.headers.get('location') ?? '' };
  };
  const patch = (url: string, offset: number, body: Uint8Array, more: Record<string, string> = {}) => {
    const type = { 'content-type': 'application/offset+octet-stream', 'upload-offset': String(offset) };
    return tus('PATCH', url, { ...type, ...more }, body);
  };
  const read = async (path: string) =>
    Buffer.from(await (await fetch(`${at}/files${path}`, { headers: basic('cleo') })).arrayBuffer());
  return { port: ports.http, at, cleo, tus, create, patch, read };
}

function metadataOf(metadata: Record<string, string>): string {
  return Object.entries(metadata)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',');
}

/** The real client, from beginning to end. */
function send(port: number, content: Buffer, options: Partial<UploadOptions>): Promise<Upload> {
  return new Promise((resolve, reject) => {
    const upload: Upload = new Upload(content, {
      endpoint: `http://127.0.0.1:${port}/tus`,
      headers: basic('cleo'),
      retryDelays: [0, 0, 10, 100],
      onError: reject,
      onSuccess: () => resolve(upload),
      ...options,
    });
    upload.start();
  });
}

t.test('an upload that is cut again and again arrives whole, and little that was held is sent twice', async t => {
  const { port, cleo, read } = await serve(t);
  for (const as of ['rst', 'fin'] as const) {
    const proxy = await startFaultProxy(t, port);
    proxy.set('toServer', { cut: { afterOctets: 2_000_000, as } });
    const content = randomBytes(5_000_000);
    const metadata = { room: 'lobby', filename: `holiday/first ${as}.raw`, modified: '2026-01-02T03:04:05Z' };
    const sent = await send(proxy.port, content, { metadata });
    t.match(sent.url, /\/tus\/u_[\w-]+$/);
    t.ok(proxy.accepted > 2, `${proxy.accepted} connections`);
    t.ok(proxy.octets.toServer < 2 * content.length, `${proxy.octets.toServer} octets went`);
    t.ok((await read(`/lobby/holiday/first%20${as}.raw`)).equals(content));
    t.match(await cleo.request('STAT', { path: `/lobby/holiday/first ${as}.raw` }), { modified: metadata.modified });
  }
});

t.test('the content may come with the beginning, may be empty, and is checked by its hash', async t => {
  const { port, create, patch, tus, read } = await serve(t);
  const content = randomBytes(300_000);
  const options = { uploadDataDuringCreation: true, metadata: { path: '/lobby/at once' } };
  await send(port, content, options);
  t.ok((await read('/lobby/at%20once')).equals(content));
  const empty = await create(0, { path: '/lobby/empty' });
  t.match(empty, { status: 201 });
  t.equal(empty.headers.get('content-location'), '/files/lobby/empty');
  t.equal((await read('/lobby/empty')).length, 0);

  const sha256 = createHash('sha256').update(content).digest('hex');
  const wrong = await create(content.length, { path: '/lobby/wrong', sha256: sha256.replace(/^./, 'f') });
  t.match(await patch(wrong.url, 0, content), { error: { code: 'hash-mismatch' } });
  t.equal((await tus('HEAD', wrong.url)).status, 404, 'nothing was kept');
  const known = await create(content.length, { path: '/lobby/copy', sha256 });
  t.equal((await tus('HEAD', known.url)).headers.get('upload-offset'), String(content.length), 'the hub had it');
  t.ok((await read('/lobby/copy')).equals(content));
});

t.test('an upload goes on from wire to wire, either way', async t => {
  const { port, cleo, create, patch, tus, read } = await serve(t);
  const content = randomBytes(3_500_000);
  const local = join(await tempDir(t), 'local');
  await writeFile(local, content);
  const { url } = await create(content.length, { path: '/lobby/from web' });
  t.match(await patch(url, 0, content.subarray(0, 2_097_152)), { status: 204 });
  const { sent } = await cleo.put(local, '/lobby/from web');
  t.match(sent, [{ resumedFrom: 2_097_152, size: content.length }]);
  t.ok((await read('/lobby/from%20web')).equals(content));
  t.equal((await tus('HEAD', url)).headers.get('upload-offset'), String(content.length), 'the web sees it is whole');

  const { upload } = await cleo.request('PUT', { path: '/lobby/from line', size: content.length });
  const chunk = (offset: number, end: number) =>
    cleo.request('CHUNK', { upload: upload!, offset }, { blob: content.subarray(offset, end) });
  await chunk(0, 1_048_576);
  const proxy = await startFaultProxy(t, port);
  await send(proxy.port, content, { metadata: { path: '/lobby/from line' }, chunkSize: 1_000_000 });
  t.ok((await read('/lobby/from%20line')).equals(content));

  const last = await cleo.request('PUT', { path: '/lobby/unfinished', size: 1_000 });
  await cleo.request('CHUNK', { upload: last.upload!, offset: 0 }, { blob: content.subarray(0, 1_000) });
  t.equal((await tus('HEAD', `/tus/${last.upload}`)).headers.get('upload-offset'), '1000');
  t.equal((await read('/lobby/unfinished')).length, 1_000, 'what is whole is a file, though its last answer was lost');
});

t.test('what may not be is refused with its reason, before anything is sent', async t => {
  const { port, create, patch, tus, cleo } = await serve(t);
  await cleo.request('CREATE', { room: 'small' });
  await cleo.request('QUOTA', { room: 'small', octets: 1_000_000 });
  await cleo.request('CREATE', { room: 'closed' });
  await cleo.request('VISIBILITY', { room: 'closed', visibility: 'private' });
  const failed = await send(port, randomBytes(2_000_000), { metadata: { path: '/small/big' } }).catch(error => error);
  t.ok(failed instanceof DetailedError);
  t.equal(failed.originalResponse.getStatus(), 507);
  t.match(failed.originalResponse.getBody(), /"code":"quota".*small has room for 1000000/);

  const dora = basic('dora');
  const { url } = await create(10, { path: '/lobby/hers' });
  const refusals = [
    [create(10, { path: '/closed/x' }, dora), 404, 'no-room'],
    [create(10, { path: '/lobby/x' }, { authorization: 'Bearer pl_stale' }), 401, 'auth-failed'],
    [create(10, { path: '/lobby/x' }, { origin: 'https://evil.example' }), 403, 'forbidden'],
    [create(10, {}), 400, 'bad-argument'],
    [create(10, { filename: 'x' }), 400, 'bad-argument'],
    [create(10, { path: '/lobby/../x' }), 400, 'bad-argument'],
    [create(10, { path: '/lobby/x', sha256: 'x' }), 400, 'bad-argument'],
    [tus('POST', '/tus', { 'upload-metadata': metadataOf({ path: '/lobby/x' }) }), 400, 'bad-argument'],
    [patch(url, 4, Buffer.from('wrong')), 409, 'conflict'],
    [patch(url, 0, Buffer.from('more than was said')), 413, 'too-large'],
    [patch(url, 0, Buffer.from('0123456789'), dora), 404, 'no-upload'],
    [tus('DELETE', url, dora), 404, 'no-upload'],
    [tus('PATCH', url, { 'tus-resumable': '0.2' }), 400, 'bad-argument'],
    [tus('PATCH', url, { 'upload-offset': '-1' }), 400, 'bad-argument'],
    [patch('/tus/u_nothing-is-here', 0, Buffer.from('x')), 404, 'no-upload'],
    [patch('/tus/%00', 0, Buffer.from('x')), 404, 'no-upload'],
  ] as const;
  for (const [asked, status, code] of refusals) t.match(await asked, { status, error: { code } }, code);
  t.equal((await tus('HEAD', url, dora)).status, 404, 'another person’s');
  t.equal((await tus('HEAD', url)).headers.get('upload-offset'), '0', 'nothing of it came in');
  t.match(await tus('DELETE', url), { status: 204 });
  t.equal((await tus('HEAD', url)).status, 404);
  t.match((await tus('OPTIONS', '/tus')).headers.get('tus-extension'), /^creation,creation-with-upload,termination$/);
});

t.test(
  'no name leads out of the room, whatever its octets, and a revoked session loses its running request',
  async t => {
    const { at, tus, create, cleo } = await serve(t);
    const names = traversalNames();
    for (let index = 0; index < names.length; index += 7) {
      const path = Buffer.concat([Buffer.from('path '), Buffer.from(names[index]!.toString('base64'))]).toString();
      const { status, headers } = await tus('POST', '/tus', { 'upload-length': '5', 'upload-metadata': path });
      t.ok([201, 400, 404, 409].includes(status), `${status} for ${JSON.stringify(names[index]!.toString('latin1'))}`);
      if (status === 201) await tus('DELETE', headers.get('location')!);
    }
    const rooms: unknown[] = [];
    for await (const { fields } of cleo.rows('LS', { path: '/' })) rooms.push(fields['name']);
    t.same(rooms, ['lobby', '~cleo']);

    const { id, token } = await cleo.request('MINT', {});
    const bearer = { authorization: `Bearer ${token}` };
    const { url } = await create(3_000_000, { path: '/lobby/cut' }, bearer);
    const endless = new ReadableStream<Uint8Array>({
      async pull(controller) {
        controller.enqueue(new Uint8Array(1_048_576));
        // All of it but the last octets, for which the server waits.
        if (++pulled === 2) await new Promise(() => undefined);
      },
    });
    let pulled = 0;
    const running = fetch(at + url, {
      method: 'PATCH',
      headers: {
        'tus-resumable': '1.0.0',
        ...bearer,
        'content-type': 'application/offset+octet-stream',
        'upload-offset': '0',
      },
      body: endless,
      duplex: 'half',
    } as RequestInit);
    const ended = t.rejects(running);
    while ((await tus('HEAD', url)).headers.get('upload-offset') === '0');
    await cleo.request('REVOKE', { id });
    await ended;
  },
);
