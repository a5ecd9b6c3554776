/** What the page knows of the hub, as signals: who one is, the rooms, who is there. Each part of the page reads what it shows. */
import { batch, computed, signal } from '@preact/signals';
import { clientClock } from '../clock.ts';
import { command, Offline, Refused, signOut } from './api.ts';
import { type HubEvent, isNumberedEvent } from './hub-events.ts';
import { type Fields, Link, type Me } from './link.ts';
import { Outbox } from './outbox.ts';
import { keep, kept, say } from './preferences.ts';
import { RoomHistory } from './room-history.ts';
import { Uploads } from './uploads.ts';
import { roomTitle } from './words.ts';

export interface RoomInfo {
  readonly room: string;
  readonly members: number;
  readonly last: number;
  readonly read: number;
  readonly topic: string;
  readonly mentions: number;
}

export interface Present {
  readonly user: string;
  readonly guest?: boolean;
  readonly wires: string;
  readonly away?: boolean;
}

export type Panel = 'people' | 'files' | 'search' | 'wire' | 'administration';
export type Dialog = 'switcher' | 'keyboard' | 'settings' | 'new-room' | 'invite';

const typingMs = 5_000;
const typingEveryMs = 3_000;

export class Store {
  readonly link: Link;
  readonly outbox: Outbox;
  readonly uploads: Uploads;
  readonly me = signal<Me | undefined>(undefined);
  readonly rooms = signal<ReadonlyMap<string, RoomInfo>>(new Map());
  readonly joined = signal<ReadonlySet<string>>(new Set());
  readonly current = signal('');
  readonly names = signal<readonly Present[]>([]);
  readonly typing = signal<ReadonlyMap<string, ReadonlyMap<string, number>>>(new Map());
  readonly panel = signal<Panel | undefined>(innerWidth >= 1100 ? 'people' : undefined);
  readonly dialog = signal<Dialog | undefined>(undefined);
  readonly drawer = signal(false);
  readonly folder = signal('');
  /** Grows when files of the current room changed. */
  readonly filesChanged = signal(0);
  readonly notice = signal<{ readonly text: string; readonly isError: boolean } | undefined>(undefined);
  readonly reply = signal<{ readonly seq: number; readonly from: string } | undefined>(undefined);
  readonly editing = signal<{ readonly seq: number; readonly text: string } | undefined>(undefined);
  /** Read up to here when the room was opened: where the line of the unread stands. */
  readonly readAtOpening = signal<number | undefined>(undefined);
  readonly info = computed(() => this.rooms.value.get(this.current.value));
  readonly name = computed(() => this.me.value?.user ?? '');
  readonly #histories = new Map<string, RoomHistory>();
  #cancelNames: (() => void) | undefined;
  #cancelNotice: (() => void) | undefined;
  #typedAtMs = 0;

  constructor() {
    this.link = new Link({
      up: me => void this.#up(me).catch(error => this.failed(error)),
      events: events =>
        batch(() => {
          for (const event of events) this.#event(event);
        }),
      refused: () => this.#enterAgain(),
    });
    this.outbox = new Outbox(this.link);
    this.uploads = new Uploads(this.link);
  }

  historyOf(room: string): RoomHistory {
    let history = this.#histories.get(room);
    if (!history) this.#histories.set(room, (history = new RoomHistory(room, this.link)));
    return history;
  }

  title(room: string): string {
    return roomTitle(room, this.name.value);
  }

  tell(text: string, isError = false): void {
    this.#cancelNotice?.();
    this.notice.value = { text, isError };
    this.#cancelNotice = clientClock.after(isError ? 9_000 : 4_000, () => {
      this.notice.value = undefined;
    });
  }

  /** What went wrong, said to the person: the hub's own words name the rule. */
  failed(error: unknown): void {
    if (error instanceof Offline) this.tell(say('offline'), true);
    else this.tell(error instanceof Error ? error.message : String(error), true);
  }

  async #up(me: Me): Promise<void> {
    const isOther = this.me.value?.user !== me.user;
    this.me.value = me;
    if (isOther) this.joined.value = new Set(JSON.parse(kept(`rooms.${me.user}`) ?? '["lobby"]') as string[]);
    await this.refreshRooms();
    const asked = wantedRoom();
    const rooms = [...this.joined.value].filter(room => this.rooms.value.has(room) || room.startsWith('@'));
    this.joined.value = new Set(rooms);
    await Promise.all(rooms.map(room => this.#enter(room).catch(() => this.#forget(room))));
    void this.outbox.flush();
    if (asked && asked.room !== this.current.value) return this.open(asked.room, asked.seq);
    if (this.current.value === '') await this.open(kept(`room.${me.user}`) ?? rooms[0] ?? 'lobby');
    else void this.refreshNames();
  }

  /** A guest's visit ended with the hub: the same name again. */
  async #enterAgain(): Promise<boolean> {
    const user = kept('guest');
    if (user === undefined || !this.me.value?.guest) return false;
    const invite = kept('invite');
    // An invite that was for one use has had it: what is open to all is still there.
    for (const more of invite === undefined ? [{}] : [{ invite }, {}]) {
      try {
        await command('NICK', { user, ...more });
        return true;
      } catch (error) {
        if (error instanceof Offline) throw error;
      }
    }
    return false;
  }

  async refreshRooms(): Promise<void> {
    const { rows } = await this.link.rows('ROOMS', {});
    const before = this.rooms.value;
    this.rooms.value = new Map(
      rows.map(row => {
        const {
          room,
          members,
          last,
          read = last,
          text = '',
        } = row as Fields & { room: string; members: number; last: number; read?: number; text?: string };
        return [room, { room, members, last, read, topic: text, mentions: before.get(room)?.mentions ?? 0 }];
      }),
    );
  }

  /** Live from here on; what came meanwhile is fetched where it is shown. */
  async #enter(room: string): Promise<string> {
    const history = this.historyOf(room);
    const log = history.log.value;
    let isGap = false;
    const { room: name, last } = await this.link.request(
      'JOIN',
      { room, ...(log?.atEnd ? { after: log.to } : { limit: 1 }) },
      row => {
        const event = row as unknown as HubEvent;
        if (event.event === 'GAP') isGap = true;
        else if (log?.atEnd && isNumberedEvent(event)) this.#numbered(event);
      },
    );
    this.#change(name, { last });
    if (log?.atEnd && (isGap || log.to > last)) await history.newest(last);
    return name;
  }

  #forget(room: string): void {
    const joined = new Set(this.joined.value);
    joined.delete(room);
    this.#keepJoined(joined);
  }

  #keepJoined(joined: ReadonlySet<string>): void {
    this.joined.value = joined;
    keep(`rooms.${this.name.value}`, JSON.stringify([...joined]));
  }

  #change(room: string, change: Partial<RoomInfo>): void {
    const known = this.rooms.value.get(room) ?? { room, members: 1, last: 0, read: 0, topic: '', mentions: 0 };
    this.rooms.value = new Map(this.rooms.value).set(room, { ...known, ...change });
  }

  /** Shows a room, entering it first; `seq` is a message to be shown. */
  async open(wanted: string, seq?: number): Promise<void> {
    try {
      const room = this.joined.value.has(wanted) ? wanted : await this.#enter(wanted);
      if (!this.joined.value.has(room)) this.#keepJoined(new Set(this.joined.value).add(room));
      const isOther = this.current.value !== room;
      batch(() => {
        this.current.value = room;
        this.drawer.value = false;
        if (!isOther) return;
        this.folder.value = `/${room}`;
        this.readAtOpening.value = this.info.value?.read;
        this.reply.value = undefined;
        this.editing.value = undefined;
        this.names.value = [];
      });
      keep(`room.${this.name.value}`, room);
      const hash = `#${encodeURIComponent(room)}${seq === undefined ? '' : `/${seq}`}`;
      if (location.hash !== hash) window.history.pushState(null, '', hash);
      const history = this.historyOf(room);
      if (seq !== undefined) await history.show(seq);
      else if (!history.log.value) await history.newest(this.info.value?.last ?? 0);
      await this.refreshNames();
    } catch (error) {
      this.failed(error);
    }
  }

  async leave(room: string): Promise<void> {
    await this.link.request('PART', { room });
    this.#forget(room);
    this.#histories.delete(room);
    const [next] = this.joined.value;
    if (this.current.value === room) await this.open(next ?? 'lobby');
  }

  async create(room: string, topic: string): Promise<void> {
    const made = await this.link.request('CREATE', { room, ...(topic !== '' && { topic }) });
    await this.refreshRooms();
    await this.open(made.room);
  }

  /** Seen to its end, in a window that is looked at. */
  seen(room: string): void {
    const info = this.rooms.value.get(room);
    if (!info || info.last <= info.read || info.last === 0) return;
    this.#change(room, { read: info.last, mentions: 0 });
    void this.link.request('READ', { room, seq: info.last }).catch(() => undefined);
  }

  /** The composer holds something that is no command. */
  typed(): void {
    const nowMs = clientClock.now();
    if (nowMs - this.#typedAtMs < typingEveryMs) return;
    this.#typedAtMs = nowMs;
    void this.link.request('TYPING', { room: this.current.value }).catch(() => undefined);
  }

  async refreshNames(): Promise<void> {
    const room = this.current.value;
    const { rows } = await this.link.rows('NAMES', { room, limit: 500 });
    if (room === this.current.value) this.names.value = rows as unknown as Present[];
  }

  #namesSoon(): void {
    this.#cancelNames ??= clientClock.after(700, () => {
      this.#cancelNames = undefined;
      void this.refreshNames().catch(() => undefined);
    });
  }

  #event(event: HubEvent): void {
    if (isNumberedEvent(event)) return this.#numbered(event);
    if ('room' in event && (event.event === 'JOINED' || event.event === 'PARTED' || event.event === 'RENAMED')) {
      if (event.room === this.current.value) this.#namesSoon();
    } else if (event.event === 'TYPING') this.#typing(event.room, event.from);
    else if (event.event === 'READ') this.#change(event.room, { read: event.seq });
    else if (event.event === 'MENTION') {
      this.#change(event.room, { mentions: (this.rooms.value.get(event.room)?.mentions ?? 0) + 1, last: event.seq });
    } else if (event.event === 'GAP')
      void this.historyOf(event.room)
        .newest(event.to)
        .catch(() => undefined);
    else if (event.event === 'NOTICE') this.tell(event.text);
  }

  #numbered(event: Extract<HubEvent, { seq: number; time: string }>): void {
    const { room, seq } = event;
    const known = this.rooms.value.get(room);
    const isNamed = event.event === 'MSG' && event.from !== this.name.value && names(event.text, this.name.value);
    this.#change(room, {
      last: Math.max(seq, known?.last ?? 0),
      // What one has said oneself is read.
      ...(event.from === this.name.value && known && known.read === seq - 1 && { read: seq }),
      ...(isNamed && { mentions: (known?.mentions ?? 0) + 1 }),
      ...(event.event === 'TOPIC' && { topic: event.text }),
    });
    this.historyOf(room).happened(event);
    if (event.event === 'MSG') {
      this.outbox.arrived(event.id);
      this.#quiet(room, event.from);
    }
    if (event.event === 'FILE' && room === this.current.value) this.filesChanged.value++;
  }

  #typing(room: string, from: string): void {
    if (from === this.name.value) return;
    const untilMs = clientClock.now() + typingMs;
    this.typing.value = new Map(this.typing.value).set(room, new Map(this.typing.value.get(room)).set(from, untilMs));
    clientClock.after(typingMs, () => {
      if (this.typing.value.get(room)?.get(from) === untilMs) this.#quiet(room, from);
    });
  }

  #quiet(room: string, from: string): void {
    const there = this.typing.value.get(room);
    if (!there?.has(from)) return;
    const rest = new Map(there);
    rest.delete(from);
    this.typing.value = new Map(this.typing.value).set(room, rest);
  }

  async leaveHub(): Promise<void> {
    await signOut().catch(error => {
      if (!(error instanceof Refused)) throw error;
    });
    keep('guest', undefined);
    this.link.close();
    this.me.value = undefined;
    location.hash = '';
    location.reload();
  }
}

/** `#room/123` of the address. */
export function wantedRoom(): { readonly room: string; readonly seq?: number } | undefined {
  const [, room, seq] = /^#([^/=]+)(?:\/(\d+))?$/.exec(location.hash) ?? [];
  if (room === undefined) return undefined;
  return { room: decodeURIComponent(room), ...(seq !== undefined && { seq: Number(seq) }) };
}

function names(text: string, name: string): boolean {
  return text.toLowerCase().includes(`@${name.toLowerCase()}`);
}
