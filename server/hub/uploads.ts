/** Beginning, resuming, finishing and giving up uploads; a file is seen exactly when it is whole, verified and safe. */
import { formatTime } from '../../shared/clock.ts';
import type { ParsedOf } from '../../shared/commands/index.ts';
import { HubError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { Hash } from '../../shared/model.ts';
import type { FilePath } from '../../shared/names.ts';
import { addRange, formatRanges, heldOctets, parseRanges } from '../../shared/ranges.ts';
import { type Received, receiveContent } from './content.ts';
import type { Call, Domain, Handlers } from './handlers.ts';
import { type KnownContent, knownContent } from './known-content.ts';
import type { LiveRoom } from './live-rooms.ts';
import { changeFiles } from './log.ts';
import { demand, may } from './permissions.ts';
import type { Quotas } from './quotas.ts';
import type { Person } from './session.ts';
import { demandPlace, type Expected, Folders, freePath, type PutMode } from './tree.ts';
import type { Upload } from './upload.ts';
import type { UploadShelf } from './upload-shelf.ts';
import type { Write } from './writes.ts';

export type UploadHandlers = Pick<Handlers, 'PUT' | 'CHUNK' | 'OFFSET' | 'COMMIT' | 'ABORT' | 'UPLOADS'>;

interface Place {
  readonly path: FilePath;
  readonly mode: PutMode;
  readonly match?: Hash | undefined;
  readonly modified?: string | undefined;
}

export function uploadHandlers(domain: Domain, shelf: UploadShelf, quotas: Quotas): UploadHandlers {
  const folders = new Folders(domain);

  /** `announced` octets are held already. */
  async function putWhole({ room, person, exchange }: Call, input: ParsedOf<'PUT'>, announced: number) {
    const { path, size, hash } = input;
    const place = { ...input, mode: input.mode ?? 'new' };
    const expect = await demandPlace(domain, room, person, path, place.mode, input.match);
    const received = await receiveContent(domain.blobs, exchange.content!);
    try {
      demandAsAnnounced(received, size, hash);
      // A stream to its end says only now how long it is.
      const put = () => putFile(domain, room, person, place, received, expect);
      const claim = { room, owner: person.principal, path, octets: received.size };
      const seq = await (received.size <= announced ? put() : quotas.holding(claim, put));
      return { path, size: received.size, hash: received.hash, ...seq };
    } catch (error) {
      // Refused for certain, so nobody refers to it. Behind a failure of ours the row may stand: then `check` decides.
      const isRefused = error instanceof HubError && error.code !== 'internal';
      if (isRefused && received.content.kind === 'blob') await domain.blobs.remove(received.content.id);
      throw error;
    }
  }

  /** Undefined where the content has to be sent, also if it went meanwhile. */
  async function putKnown({ room, person }: Call, input: ParsedOf<'PUT'>, expect: Expected) {
    const known = await knownContent(domain, person, input.size, input.hash);
    if (!known) return undefined;
    try {
      const seq = await putFile(domain, room, person, { ...input, mode: input.mode ?? 'new' }, known, expect);
      await shelf.forget(person, input.path);
      return { done: true, path: input.path, size: known.size, hash: known.hash, ...seq };
    } catch (error) {
      const isGone = error instanceof HubError && error.code === 'conflict';
      if (isGone && !(await knownContent(domain, person, input.size, input.hash))) return undefined;
      throw error;
    }
  }

  async function putHeld(call: Call, input: ParsedOf<'PUT'>, octets: number) {
    const { room, person, session, exchange } = call;
    if (input.parents) await folders.makeAbove(input.path, person);
    if (exchange.content) return putWhole(call, input, octets);
    const expect = await demandPlace(domain, room, person, input.path, input.mode ?? 'new', input.match);
    const known = await putKnown(call, input, expect);
    if (known) return known;
    const upload = await shelf.beginOrResume(person, input);
    shelf.fedBy(upload, session);
    const have = await upload.makeSafe(domain.clock.now());
    return { upload: upload.id, piece: limits.pieceOctets, have };
  }

  return {
    async PUT(call, asked) {
      const { room, person, exchange } = call;
      // Whoever may not look cannot know that a name is taken.
      const mayLook = may(person, 'list', room.rights);
      const input = mayLook ? asked : { ...asked, path: await freePath(domain, asked.path), mode: 'new' as const };
      const octets = input.size ?? exchange.content?.octets ?? 0;
      if (!(await domain.blobs.hasRoom(octets))) throw new HubError('no-space');
      if (input.mode === 'if-match' && !input.match)
        throw new HubError('bad-argument', 'if-match needs match=', { at: 'match' });
      if (input.until && !exchange.content)
        throw new HubError('bad-argument', 'until=fin is for content that follows the line', { at: 'until' });
      const claim = { room, owner: person.principal, path: input.path, octets };
      return quotas.holding(claim, () => putHeld(call, input, octets));
    },

    async CHUNK({ session, person, exchange }, { upload: id, offset }) {
      const upload = shelf.get(id, person);
      if (!exchange.content) throw new HubError('bad-argument', 'the piece comes as a blob: {octets} CHUNK …');
      const pieces: Uint8Array[] = [];
      for await (const piece of exchange.content.pieces) pieces.push(piece);
      const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
      upload.demandWithin(offset, size);
      shelf.fedBy(upload, session);
      await upload.write(offset, pieces, domain.clock.now());
      return { upload: id, offset, size };
    },

    async OFFSET({ person }, { upload: id }) {
      const upload = shelf.get(id, person);
      const { done } = upload.document;
      if (done) return { upload: id, size: done.size, have: formatRanges(addRange([], { start: 0, end: done.size })) };
      const have = await upload.makeSafe(domain.clock.now());
      return { upload: id, ...(upload.document.size !== undefined && { size: upload.document.size }), have };
    },

    async COMMIT({ person }, { upload: id, size, hash }) {
      const upload = shelf.get(id, person);
      const { path, done } = upload.document;
      if (!done) return { path, ...(await commitOnce(upload, person, size, hash)) };
      return { path, ...done, ...(done.seq === undefined && (await seqOfPut(domain, path, done.hash))) };
    },

    async ABORT({ person }, { upload: id }) {
      await shelf.remove(shelf.get(id, person));
      return { upload: id };
    },

    async UPLOADS({ person, exchange }) {
      let count = 0;
      for (const { id, document } of shelf.of(person)) {
        count++;
        await exchange.row?.({
          upload: id,
          path: document.path,
          ...(document.size !== undefined && { size: document.size }),
          held: heldOctets(parseRanges(document.have)),
          expires: formatTime(document.touchedMs + limits.uploadMs),
        });
      }
      return { count };
    },
  };

  function commitOnce(upload: Upload, person: Person, size?: number, hash?: Hash) {
    upload.committing ??= commitUpload(upload, person, size, hash).finally(() => {
      upload.committing = undefined;
    });
    return upload.committing;
  }

  async function commitUpload(upload: Upload, person: Person, givenSize?: number, givenHash?: Hash) {
    const { document } = upload;
    const room = domain.rooms.ofPath(document.path);
    demand(person, 'upload', room.rights);
    const expect = await demandPlace(domain, room, person, document.path, document.mode, document.match);
    const size = givenSize ?? document.size ?? upload.extent;
    const missing = upload.missing(size).reduce((sum, range) => sum + range.end - range.start, 0);
    const known = missing > 0 ? await knownContent(domain, person, size, givenHash ?? document.hash) : undefined;
    if (missing > 0 && !known)
      throw new HubError('conflict', `${missing} octets are missing; OFFSET says which are held`);
    const claim = { room, owner: person.principal, path: document.path, octets: size, reserved: document.size ?? 0 };
    return quotas.holding(claim, () =>
      known
        ? commitKnown(upload, person, room, known, expect)
        : sealUpload(upload, person, room, size, expect, givenHash),
    );
  }

  async function commitKnown(upload: Upload, person: Person, room: LiveRoom, known: KnownContent, expect: Expected) {
    const { document } = upload;
    demandAsAnnounced(known, document.size, document.hash);
    const done = { size: known.size, hash: known.hash };
    const seq = await putFile(domain, room, person, document, known, expect, [shelf.doneWrite(upload, done)]);
    shelf.finished(upload, { ...done, ...seq });
    await upload.discard();
    return { ...done, ...seq };
  }

  async function sealUpload(
    upload: Upload,
    person: Person,
    room: LiveRoom,
    size: number,
    expect: Expected,
    givenHash?: Hash,
  ) {
    const { document } = upload;
    const content = { kind: 'blob', id: document.blob } as const;
    const received = { content, size, hash: await upload.seal(size) };
    try {
      demandAsAnnounced(received, document.size, givenHash ?? document.hash);
    } catch (error) {
      await shelf.remove(upload);
      throw error;
    }
    const done = { size, hash: received.hash };
    const seq = await putFile(domain, room, person, document, received, expect, [shelf.doneWrite(upload, done)]);
    shelf.finished(upload, { ...done, ...seq });
    return { ...done, ...seq };
  }
}

function demandAsAnnounced(received: Received, size?: number, hash?: Hash): void {
  if (size !== undefined && received.size !== size) {
    throw new HubError('truncated', `${received.size} octets came, ${size} were announced; nothing was kept`);
  }
  if (hash !== undefined && received.hash !== hash) {
    throw new HubError('hash-mismatch', `the content has the hash ${received.hash}; nothing was kept`);
  }
}

/** Row and event in one transaction, at the place as it was `expected`; if it changed meanwhile, it is looked at again. */
async function putFile(
  domain: Domain,
  room: LiveRoom,
  person: Person,
  place: Place,
  received: Received | KnownContent,
  expected: Expected,
  writes: readonly Write[] = [],
): Promise<{ readonly seq?: number }> {
  const { path } = place;
  const { size, hash, content } = received;
  const modified = place.modified ?? formatTime(domain.clock.now());
  const entry = {
    path,
    type: 'file',
    owner: person.principal,
    ownerName: person.name,
    modified,
    size,
    hash,
    content,
    added: formatTime(domain.clock.now()),
  } as const;
  const shared = 'contentOf' in received ? { contentOf: received.contentOf } : {};
  const step = { kind: 'put-entry', entry, ...shared } as const;
  let expect = expected;
  for (let tries = 0; ; tries++) {
    try {
      const event = { room, draft: { event: 'FILE', op: 'put', path, size, hash } } as const;
      return await changeFiles(domain, person, [event], [{ ...step, expect }, ...writes]);
    } catch (error) {
      if (tries >= 3 || !(error instanceof HubError && error.code === 'conflict')) throw error;
      expect = await demandPlace(domain, room, person, path, place.mode, place.match);
    }
  }
}

/** The number of the event that announced this file: only asked when COMMIT is repeated after a restart. */
async function seqOfPut(domain: Domain, path: FilePath, hash: Hash): Promise<{ readonly seq?: number }> {
  const room = domain.rooms.ofPath(path);
  if (room.rights.isHome) return {};
  for (let before = room.last + 1; before > 1; ) {
    const rows = await domain.store.history(room.name, { before, limit: 500 });
    const found = rows.findLast(({ event }) => event.event === 'FILE' && event.path === path && event.hash === hash);
    if (found) return { seq: found.event.seq };
    before = rows[0]?.event.seq ?? 1;
  }
  throw new HubError('no-upload', 'the upload was completed, but its event is gone');
}
