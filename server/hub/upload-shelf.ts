/** All uploads that are not over: found by id or by person and path, kept over restarts, swept when nobody goes on. */
import type { ParsedOf } from '../../shared/commands/index.ts';
import { HubError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { documentsOf } from './documents.ts';
import type { Domain } from './handlers.ts';
import type { LiveSession } from './live-session.ts';
import type { Person } from './session.ts';
import { Upload, type UploadDocument, type UploadDone } from './upload.ts';
import type { Write } from './writes.ts';

const sweepMs = 3_600_000;

export class UploadShelf {
  readonly #domain: Domain;
  readonly #byId = new Map<string, Upload>();
  /** The unfinished one of a person and path. */
  readonly #byPlace = new Map<string, Upload>();
  /** Sessions that send to an upload; when the last has ended, the file is let go. */
  readonly #feeders = new Map<Upload, Set<LiveSession>>();
  /** The other way round. */
  readonly #fed = new Map<LiveSession, Set<Upload>>();

  private constructor(domain: Domain) {
    this.#domain = domain;
  }

  static async load(domain: Domain): Promise<UploadShelf> {
    const shelf = new UploadShelf(domain);
    for await (const { key, value } of documentsOf<UploadDocument>(domain.store, 'upload')) {
      shelf.#add(new Upload(key, value, domain.store, domain.blobs));
    }
    await shelf.#sweep(upload => upload.document.principal.startsWith('g:'));
    domain.endings.add(session => shelf.#sessionEnded(session));
    shelf.#sweepHourly();
    return shelf;
  }

  /** Error: `no-upload`, also for another person's. */
  get(id: string, person: Person): Upload {
    const upload = this.#byId.get(id);
    if (upload?.document.principal !== person.principal) {
      throw new HubError('no-upload', `there is no upload ${id}; UPLOADS lists yours`);
    }
    return upload;
  }

  /** The unfinished ones of a person. */
  *of(person: Person): Iterable<Upload> {
    for (const upload of this.#byPlace.values()) if (upload.document.principal === person.principal) yield upload;
  }

  /** What the unfinished uploads to a room have announced, but for the one to this path. */
  reservedIn(roomKey: string, path: string): number {
    let octets = 0;
    for (const { document } of this.#byPlace.values()) {
      if (document.path !== path && document.path.startsWith(`/${roomKey}/`)) octets += document.size ?? 0;
    }
    return octets;
  }

  /** What a person's unfinished uploads have announced, but for the one to this path. */
  reservedOf(principal: string, path: string): number {
    let octets = 0;
    for (const { document } of this.#byPlace.values()) {
      if (document.principal === principal && document.path !== path) octets += document.size ?? 0;
    }
    return octets;
  }

  /** The upload of this person and path, if its announced size agrees; else a new one. */
  async beginOrResume(person: Person, input: ParsedOf<'PUT'>): Promise<Upload> {
    const known = this.#byPlace.get(placeOf(person.principal, input.path));
    if (known) {
      const { size, hash } = known.document;
      const isSame =
        (size === undefined || input.size === undefined || size === input.size) &&
        (hash === undefined || input.hash === undefined || hash === input.hash);
      if (isSame && !input.fresh && (await known.isAlive())) return this.#adopt(known, input);
      await this.remove(known);
    }
    return this.#begin(person, input);
  }

  async #adopt(upload: Upload, { size, hash, mode, match, modified }: ParsedOf<'PUT'>): Promise<Upload> {
    upload.document = {
      ...upload.document,
      ...(size !== undefined && { size }),
      ...(hash !== undefined && { hash }),
      ...(match !== undefined && { match }),
      ...(modified !== undefined && { modified }),
      mode: mode ?? 'new',
      touchedMs: this.#domain.clock.now(),
    };
    return upload;
  }

  async #begin(person: Person, { path, size, hash, mode, match, modified }: ParsedOf<'PUT'>): Promise<Upload> {
    const { store, blobs, clock, random } = this.#domain;
    if ([...this.of(person)].length >= limits.uploadsPerPersonMax) {
      throw new HubError('quota', 'you have too many unfinished uploads; ABORT some, UPLOADS lists them');
    }
    const writer = await blobs.create();
    const document: UploadDocument = {
      principal: person.principal,
      path,
      ...(size !== undefined && { size }),
      ...(hash !== undefined && { hash }),
      mode: mode ?? 'new',
      ...(match !== undefined && { match }),
      ...(modified !== undefined && { modified }),
      blob: writer.id,
      have: '',
      touchedMs: clock.now(),
    };
    const upload = new Upload(`u_${random.token(9)}`, document, store, blobs, writer);
    this.#add(upload);
    await store.commit([{ kind: 'put-document', document: 'upload', key: upload.id, value: document }]);
    return upload;
  }

  /** The step that makes the upload's end true together with the file; a repeated COMMIT then gets the answer again. */
  doneWrite(upload: Upload, done: UploadDone): Write {
    const value = { ...upload.document, done, have: '', touchedMs: this.#domain.clock.now() };
    return { kind: 'put-document', document: 'upload', key: upload.id, value };
  }

  /** Called when that transaction is committed. */
  finished(upload: Upload, done: UploadDone): void {
    upload.document = { ...upload.document, done, have: '', touchedMs: this.#domain.clock.now() };
    this.#byPlace.delete(placeOf(upload.document.principal, upload.document.path));
    this.#released(upload);
  }

  /** The unfinished one to this path, if there is one. */
  async forget(person: Person, path: string): Promise<void> {
    const upload = this.#byPlace.get(placeOf(person.principal, path));
    if (upload) await this.remove(upload);
  }

  async remove(upload: Upload): Promise<void> {
    const place = placeOf(upload.document.principal, upload.document.path);
    this.#byId.delete(upload.id);
    if (this.#byPlace.get(place) === upload) this.#byPlace.delete(place);
    this.#released(upload);
    await upload.drop();
  }

  /** While the session lives the file stays open; when the last one has ended, what it sent is made safe. */
  fedBy(upload: Upload, session: LiveSession): void {
    let feeders = this.#feeders.get(upload);
    if (!feeders) this.#feeders.set(upload, (feeders = new Set()));
    if (feeders.has(session)) return;
    feeders.add(session);
    const fed = this.#fed.get(session);
    if (fed) fed.add(upload);
    else this.#fed.set(session, new Set([upload]));
  }

  #sessionEnded(session: LiveSession): void {
    const fed = this.#fed.get(session);
    if (!fed) return;
    this.#fed.delete(session);
    for (const left of fed) this.#lost(left, session);
  }

  /** Nobody sends to it any more. */
  #released(upload: Upload): void {
    for (const session of this.#feeders.get(upload) ?? []) this.#fed.get(session)?.delete(upload);
    this.#feeders.delete(upload);
  }

  #lost(upload: Upload, session: LiveSession): void {
    const feeders = this.#feeders.get(upload);
    if (!feeders?.delete(session) || feeders.size > 0) return;
    this.#feeders.delete(upload);
    const isGuest = upload.document.principal.startsWith('g:');
    const ending = isGuest ? this.remove(upload) : upload.rest(this.#domain.clock.now());
    ending.catch(error => this.#domain.report({ what: `letting go of the upload ${upload.id}`, error }));
  }

  #add(upload: Upload): void {
    this.#byId.set(upload.id, upload);
    if (!upload.document.done) this.#byPlace.set(placeOf(upload.document.principal, upload.document.path), upload);
  }

  #sweepHourly(): void {
    this.#domain.clock.after(sweepMs, () => {
      const oldest = this.#domain.clock.now() - limits.uploadMs;
      this.#sweep(upload => upload.document.touchedMs < oldest && !this.#feeders.has(upload))
        .catch(error => this.#domain.report({ what: 'sweeping old uploads', error }))
        .finally(() => this.#sweepHourly());
    });
  }

  async #sweep(isOver: (upload: Upload) => boolean): Promise<void> {
    for (const upload of [...this.#byId.values()]) if (isOver(upload)) await this.remove(upload);
  }
}

function placeOf(principal: string, path: string): string {
  return `${principal} ${path}`;
}
