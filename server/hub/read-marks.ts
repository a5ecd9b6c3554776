/** How far everybody has read. Marks move forward only; those of accounts are kept, written at most once a second a person. */
import type { Clock } from '../../shared/clock.ts';
import { limits } from '../../shared/limits.ts';
import type { PrincipalId, Report, Store } from './host.ts';
import type { Presence } from './presence.ts';

/** The document of kind `reads` under the folded account name: room and number, the one that was moved last at the end. */
type ReadsDocument = readonly (readonly [room: string, seq: number])[];

interface Marks {
  readonly seqs: Map<string, number>;
  isDirty: boolean;
  cancelWrite: (() => void) | undefined;
}

interface World {
  readonly store: Store;
  readonly clock: Clock;
  readonly report: Report;
  readonly presence: Presence;
}

export class ReadMarks {
  readonly #world: World;
  readonly #byPerson = new Map<PrincipalId, Promise<Marks>>();

  constructor(world: World) {
    this.#world = world;
    world.presence.gone.add(principal => void this.#forget(principal));
  }

  /** Room's key → number. */
  async of(principal: PrincipalId): Promise<ReadonlyMap<string, number>> {
    return (await this.#marks(principal)).seqs;
  }

  /** Resolves with the mark as it is now, and whether this moved it. */
  async move(principal: PrincipalId, room: string, seq: number): Promise<{ seq: number; isNew: boolean }> {
    const marks = await this.#marks(principal);
    const before = marks.seqs.get(room) ?? 0;
    if (seq <= before) return { seq: before, isNew: false };
    marks.seqs.delete(room);
    marks.seqs.set(room, seq);
    if (marks.seqs.size > limits.readRoomsMax) marks.seqs.delete(marks.seqs.keys().next().value!);
    marks.isDirty = true;
    marks.cancelWrite ??= this.#world.clock.after(limits.readWriteMs, () => void this.#write(principal, marks));
    return { seq, isNew: true };
  }

  /** Writes what is not written yet. */
  async flush(): Promise<void> {
    await Promise.all([...this.#byPerson].map(async ([principal, marks]) => this.#write(principal, await marks)));
  }

  #marks(principal: PrincipalId): Promise<Marks> {
    let marks = this.#byPerson.get(principal);
    if (!marks) {
      marks = this.#load(principal);
      this.#byPerson.set(principal, marks);
      marks.catch(() => this.#byPerson.delete(principal));
    }
    return marks;
  }

  async #load(principal: PrincipalId): Promise<Marks> {
    const isKept = principal.startsWith('u:');
    const key = principal.slice('u:'.length);
    const known = isKept ? await this.#world.store.document<ReadsDocument>('reads', key) : undefined;
    return { seqs: new Map(known?.value), isDirty: false, cancelWrite: undefined };
  }

  async #write(principal: PrincipalId, marks: Marks): Promise<void> {
    marks.cancelWrite?.();
    marks.cancelWrite = undefined;
    if (!marks.isDirty) return;
    marks.isDirty = false;
    if (principal.startsWith('g:')) return;
    const key = principal.slice('u:'.length);
    const value: ReadsDocument = [...marks.seqs];
    try {
      await this.#world.store.commit([{ kind: 'put-document', document: 'reads', key, value }]);
    } catch (error) {
      this.#world.report({ what: `keeping how far ${key} has read`, error });
    }
  }

  /** Written first: who comes back meanwhile still finds them here. */
  async #forget(principal: PrincipalId): Promise<void> {
    const held = this.#byPerson.get(principal);
    const marks = await held?.catch(() => undefined);
    if (!marks) return;
    await this.#write(principal, marks);
    if (!this.#world.presence.isHere(principal)) this.#byPerson.delete(principal);
  }
}
