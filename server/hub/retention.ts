/**
 * Forgetting what is old: whole days of a room's history, and files, by the room's rule or the hub's. Once an hour, a little
 * in each transaction. How old a thing is, is not asked of a clock that may have leapt: see `calendarMs`.
 */
import { formatTime } from '../../shared/clock.ts';
import { HubError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { FilePath, RoomName } from '../../shared/names.ts';
import { dayOf } from '../../shared/transcript.ts';
import type { Domain, Handlers } from './handlers.ts';
import type { FileRow } from './host.ts';
import type { LiveRoom } from './live-rooms.ts';
import { appendEvent } from './log.ts';
import { demand } from './permissions.ts';
import { changeRoom } from './room-changes.ts';
import type { Person } from './session.ts';
import { childrenOf } from './tree.ts';

/** Days, messages, days; 0 keeps all, and what is left out is the hub's. */
export interface RetentionRule {
  readonly days?: number;
  readonly messages?: number;
  readonly files?: number;
}

const dayMs = 86_400_000;

/** What the hub does by itself is done by nobody's account: no name of a person begins with a dot. */
export const caretaker: Person = { principal: 'u:.hub', name: '.hub', isGuest: false, isAdmin: false, address: '' };

function ruleOf({ settings }: Domain, { rights }: LiveRoom): Required<RetentionRule> {
  // The audit log is only forgotten where somebody says so.
  const days = rights.isRecord ? 0 : (settings.retentionDays ?? 0);
  return { days, messages: 0, files: 0, ...rights.retention };
}

export function retentionHandlers(domain: Domain): Pick<Handlers, 'RETENTION'> {
  return {
    async RETENTION({ room, person }, { room: _, ...asked }) {
      const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
      if (Object.keys(given).length > 0) {
        demand(person, 'manage', room.rights);
        await changeRoom(domain, room, rights => ({ ...rights, retention: { ...rights.retention, ...given } }));
      }
      return { room: room.name as RoomName, ...ruleOf(domain, room) };
    },
  };
}

/**
 * The latest moment that is believed to have come, by a clock that may be wrong: it follows the machine's as long as that has
 * not leapt more than a day between two looks, as it does while a hub is switched off. Behind a greater leap it goes twice as
 * fast as time passes, so a leap counts when the clock has stood there for as long. It never goes back: what a clock that
 * was set back says is earlier, and so harmless by itself.
 */
export function calendarMs(beforeMs: number | undefined, nowMs: number, waitedMs: number): number {
  if (beforeMs === undefined) return nowMs;
  return nowMs - beforeMs <= dayMs + waitedMs ? Math.max(beforeMs, nowMs) : beforeMs + 2 * waitedMs;
}

/** The task. `stop` resolves when nothing of it runs any more. */
export class Retention {
  readonly #domain: Domain;
  #isStopped = false;
  #running: Promise<void> | undefined;
  #cancel: (() => void) | undefined;

  constructor(domain: Domain) {
    this.#domain = domain;
    this.#plan(limits.retentionSoonMs);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel?.();
    await this.#running;
  }

  #plan(waitMs: number): void {
    if (this.#isStopped) return;
    this.#cancel = this.#domain.clock.after(waitMs, () => {
      this.#running = this.#run(waitMs)
        .catch(error => this.#domain.report({ what: 'forgetting what is old', error }))
        .finally(() => this.#plan(limits.retentionMs));
    });
  }

  async #run(waitedMs: number): Promise<void> {
    const { clock, rooms, directs, store } = this.#domain;
    const key = 'calendar';
    const known = await store.document<number>('retention', key);
    const calendar = calendarMs(known?.value, clock.now(), waitedMs);
    await store.commit([{ kind: 'put-document', document: 'retention', key, value: calendar }]);
    const nowMs = Math.min(calendar, clock.now());
    for (const room of [...rooms.all(), ...directs.all()]) {
      if (this.#isStopped) return;
      const { days, messages, files } = ruleOf(this.#domain, room);
      if (days > 0) await this.#trim(room, dayOf(formatTime(nowMs - days * dayMs)), room.last);
      if (messages > 0) await this.#trimTo(room, messages);
      if (files > 0) await this.#removeFiles(room, formatTime(nowMs - files * dayMs));
    }
  }

  /** The days in front of the one on which the oldest of the newest `messages` was said. */
  async #trimTo(room: LiveRoom, messages: number): Promise<void> {
    const oldest = await this.#domain.store.logRow(room.name, Math.max(1, room.last - messages + 1));
    if (oldest) await this.#trim(room, dayOf(oldest.event.time), oldest.event.seq);
  }

  /**
   * Removes the days before `firstDay`, of the events below `end`, and never the day of the newest one. It goes no further
   * than the first event that is not so old, whatever dates stand behind it.
   */
  async #trim({ name, last }: LiveRoom, firstDay: string, end: number): Promise<void> {
    const { store } = this.#domain;
    const newest = await store.logRow(name, last);
    if (!newest) return;
    const keptDay = [firstDay, dayOf(newest.event.time)].sort()[0]!;
    for (let isOld = true; isOld && !this.#isStopped; ) {
      const rows = await store.history(name, { after: 0, before: end, limit: limits.retentionRowsMax });
      const kept = rows.findIndex(({ event }) => dayOf(event.time) >= keptDay);
      const old = rows[(kept < 0 ? rows.length : kept) - 1];
      if (old) await store.commit([{ kind: 'trim-log', room: name, before: old.event.seq + 1 }]);
      isOld = kept < 0 && rows.length === limits.retentionRowsMax;
    }
  }

  async #removeFiles(room: LiveRoom, before: string): Promise<void> {
    const folders = [`/${room.key}` as FilePath];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for await (const entry of childrenOf(this.#domain, folder)) {
        if (this.#isStopped) return;
        if (entry.type === 'dir') folders.push(entry.path);
        else if ((entry.added ?? entry.modified) < before) await this.#remove(room, entry);
      }
    }
  }

  async #remove(room: LiveRoom, { path, hash }: FileRow): Promise<void> {
    const write = { kind: 'remove-entry', path, recursive: false, match: hash } as const;
    await appendEvent(this.#domain, room, caretaker, { event: 'FILE', op: 'remove', path }, [write]).catch(error => {
      // Moved, removed or replaced meanwhile.
      if (!(error instanceof HubError && error.code === 'conflict')) throw error;
    });
  }
}
