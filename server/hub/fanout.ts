/** From what happened to who hears of it: gathers a room's events of one turn into one batch, which all members share. */
import type { Clock } from '../../shared/clock.ts';
import type { HubEvent } from '../../shared/events.ts';
import { limits } from '../../shared/limits.ts';
import { isNumbered } from '../../shared/numbered.ts';
import type { PrincipalId } from './host.ts';
import type { Ignored } from './ignores.ts';
import type { EventBatch, Sink } from './session.ts';

class Batch implements EventBatch {
  readonly room: string | undefined;
  readonly events: readonly HubEvent[];
  #encoded: Map<string, unknown> | undefined;

  constructor(room: string | undefined, events: readonly HubEvent[]) {
    this.room = room;
    this.events = events;
  }

  encode<T>(key: string, encode: (events: readonly HubEvent[]) => T): T {
    this.#encoded ??= new Map();
    let value = this.#encoded.get(key);
    if (value === undefined) this.#encoded.set(key, (value = encode(this.events)));
    return value as T;
  }
}

/** Events for one session alone. */
export function tell({ sink }: Hearer, ...events: readonly HubEvent[]): void {
  sink?.deliver(new Batch(undefined, events));
}

/** One event for several sessions. */
export function tellAll(hearers: Iterable<Hearer>, event: HubEvent): void {
  const batch = new Batch(undefined, [event]);
  for (const { sink } of hearers) sink?.deliver(batch);
}

/** What is kept from those who ignore its author; an edit says the text again. */
function isIgnorable({ event }: HubEvent): boolean {
  return event === 'MSG' || event === 'EDITED' || event === 'REACTED' || event === 'TYPING';
}

/** Someone who hears a room. */
export interface Hearer {
  readonly sink: Sink | undefined;
  /** Whom they do not want to hear. */
  readonly ignores?: Ignored | undefined;
}

interface Pending {
  readonly event: HubEvent;
  /** The one who is not told, because the reply already says it. */
  readonly except: Hearer | undefined;
  /** Who said it, where it is something that can be ignored. */
  readonly by: PrincipalId | undefined;
}

/**
 * The ears of one room. Events wait to the end of the turn, so that a reply is written before the event it caused; in a big
 * room those without a number wait a little longer for each other, and leave with the next numbered one at the latest.
 */
export class Fanout<H extends Hearer> {
  readonly #room: string;
  readonly #clock: Pick<Clock, 'soon' | 'after'>;
  /** Hearer → number up to which a replay has told everything. */
  readonly #hearers = new Map<H, number>();
  #pending: Pending[] = [];
  #isSoon = false;
  #cancelLate: (() => void) | undefined;
  /** Who came in this turn → how many events were pending before; those are not theirs. */
  readonly #newcomers = new Map<H, number>();

  constructor(room: string, clock: Pick<Clock, 'soon' | 'after'>) {
    this.#room = room;
    this.#clock = clock;
  }

  get hearers(): ReadonlyMap<H, number> {
    return this.#hearers;
  }

  /** From here on the hearer gets numbered events above `after`, and all others. */
  add(hearer: H, after: number): void {
    if (this.#pending.length > 0 && !this.#hearers.has(hearer)) this.#newcomers.set(hearer, this.#pending.length);
    this.#hearers.set(hearer, after);
  }

  remove(hearer: H): boolean {
    return this.#hearers.delete(hearer);
  }

  publish(event: HubEvent, except?: Hearer, by?: PrincipalId): void {
    if (this.#hearers.size === 0) return;
    this.#pending.push({ event, except, by: isIgnorable(event) ? by : undefined });
    if (this.#isSoon) return;
    if (isNumbered(event) || this.#hearers.size <= limits.presenceAtOnceMax) {
      this.#isSoon = true;
      this.#clock.soon(() => this.#flush());
    } else this.#cancelLate ??= this.#clock.after(limits.presenceGatherMs, () => this.#flush());
  }

  #flush(): void {
    const pending = this.#pending;
    this.#pending = [];
    this.#isSoon = false;
    this.#cancelLate?.();
    this.#cancelLate = undefined;
    const shared = new Batch(
      this.#room,
      pending.map(item => item.event),
    );
    const excepted = new Set(pending.map(item => item.except));
    const first = pending.find(item => isNumbered(item.event))?.event;
    const firstSeq = first && isNumbered(first) ? first.seq : Number.POSITIVE_INFINITY;
    const newcomers = new Map(this.#newcomers);
    this.#newcomers.clear();
    for (const [hearer, after] of this.#hearers) {
      if (!hearer.sink) continue;
      const missed = newcomers.get(hearer);
      if (missed !== undefined) this.#deliverSome(hearer, after, pending.slice(missed));
      else if (firstSeq > after && !hearer.ignores && !excepted.has(hearer)) hearer.sink.deliver(shared);
      else this.#deliverSome(hearer, after, pending);
    }
  }

  #deliverSome(hearer: H, after: number, pending: readonly Pending[]): void {
    const events = pending
      .filter(item => item.except !== hearer && !(item.by && hearer.ignores?.has(item.by)))
      .filter(item => !(isNumbered(item.event) && item.event.seq <= after))
      .map(item => item.event);
    if (events.length > 0) hearer.sink?.deliver(new Batch(this.#room, events));
  }
}
