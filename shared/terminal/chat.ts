/** A person in rooms, at a terminal: what they type becomes requests to the hub, its events become lines. No hub rule is here. */
import type { HubEvent } from '../events.ts';
import { limits } from '../limits.ts';
import { nearest } from '../text.ts';
import { fieldLine, rowLines } from './answer-lines.ts';
import { ChatFiles } from './chat-files.ts';
import type { Answer, ChatHost } from './chat-host.ts';
import { ChatWire } from './chat-wire.ts';
import { eventLines } from './event-lines.ts';
import { helpLines } from './help-lines.ts';
import { span } from './line.ts';
import { commandOf, type Here, parseSlash, slashNames } from './slash.ts';
import { type Completion, type Listener, type Mode, modes, type Terminal, type Theme, themes } from './terminal.ts';

export type { Answer, AnswerRow, ChatHost } from './chat-host.ts';

const historyRows = 20;
/** Of the people who are there when one comes; /who shows all. */
const namesShown = 20;
/** In a room with more people, who comes and goes is not told: it would be all that there is to read. */
const crowd = 60;
const typingMs = limits.typingMs;

/** Gives what `make` makes of the events, perhaps made for somebody else. */
export type Share = <T>(key: string, make: (events: readonly HubEvent[]) => T) => T;

export interface ChatOptions {
  /** Of the person, as NICK or LOGIN answered it. */
  readonly name: string;
}

/** Made when the person has a name. */
export class Chat implements Listener {
  readonly #terminal: Terminal;
  readonly #host: ChatHost;
  #name: string;
  #room: string | undefined;
  /** How many are in it. */
  #present = 0;
  readonly #files: ChatFiles;
  readonly #wire: ChatWire;
  #running: Promise<void> = Promise.resolve();
  #lastTypingMs = Number.NEGATIVE_INFINITY;
  #hasLeft = false;

  constructor(terminal: Terminal, host: ChatHost, { name }: ChatOptions) {
    this.#terminal = terminal;
    this.#host = host;
    this.#name = name;
    this.#files = new ChatFiles(terminal, host);
    this.#wire = new ChatWire(terminal, host);
  }

  /** Enters the room, shows where one is, and listens to the terminal. An error of JOIN is printed, and the chat is in no room. */
  async start(room: string): Promise<void> {
    this.#terminal.print([
      span('text', 'You are '),
      span('person', this.#name),
      span('text', '. What you type is said in the room; /help lists what else there is, /quit leaves.'),
    ]);
    await this.#guard(() => this.#enter(room));
    this.#terminal.listen(this);
  }

  /** Every event of the session goes here, in order. */
  event(event: HubEvent): void {
    this.events([event], (_key, make) => make([event]));
  }

  /** As `event`, for several; `share` may make the lines once for all chats that ask under the same key. */
  events(events: readonly HubEvent[], share: Share): void {
    const [isSpoken, room] = [this.#isSpoken, this.#room];
    const lines = share(`lines ${isSpoken} ${room ?? ''}`, all =>
      all.map(event => eventLines(event, { isSpoken, room })),
    );
    for (const [i, event] of events.entries()) {
      if (event.event === 'RENAMED' && event.user === this.#name) this.#name = event.to;
      if (!this.#hidesOwn(event) && !this.#isBustle(event)) this.#terminal.print(...lines[i]!);
    }
  }

  /** Resolves when all lines that were taken are answered. */
  async settled(): Promise<void> {
    await this.#running;
  }

  line(text: string): Promise<void> {
    this.#running = this.#guard(() => this.#take(text));
    return this.#running;
  }

  typing(): void {
    const now = this.#host.clock.now();
    if (this.#room === undefined || now - this.#lastTypingMs < typingMs) return;
    this.#lastTypingMs = now;
    this.#host.request('TYPING', { room: this.#room }).catch(() => undefined);
  }

  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#wire.close();
    void this.#running.then(() => this.#host.quit());
  }

  complete(text: string, cursor: number): Completion | Promise<Completion> {
    const start = text.lastIndexOf(' ', cursor - 1) + 1;
    const word = text.slice(start, cursor);
    if (start === 0 && word.startsWith('/')) {
      return {
        start,
        words: slashNames()
          .filter(name => `/${name}`.startsWith(word))
          .map(name => `/${name} `),
      };
    }
    if (/^\/(ls|cd|view|cat|get|put|rm|mv|cp|stat|mkdir)\b/.test(text)) return this.#files.complete(start, word);
    return this.#completeName(start, word);
  }

  get #isSpoken(): boolean {
    return this.#terminal.mode === 'reader';
  }

  get #here(): Here {
    return { room: this.#room, folder: this.#files.folder };
  }

  #isBustle(event: HubEvent): boolean {
    if ((event.event !== 'JOINED' && event.event !== 'PARTED') || event.room !== this.#room) return false;
    this.#present += event.event === 'JOINED' ? 1 : -1;
    return this.#present > crowd;
  }

  /** Where what was typed stays on the screen, it is not shown a second time; in plain lines it is the receipt. */
  #hidesOwn(event: HubEvent): boolean {
    if (event.event !== 'MSG' || event.from !== this.#name || event.room !== this.#room) return false;
    return this.#terminal.showsTyped && this.#terminal.mode !== 'plain';
  }

  async #guard(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#terminal.print([span('error', error instanceof Error ? error.message : String(error))]);
    }
  }

  async #take(text: string): Promise<void> {
    if (text.trim() === '') return;
    if (!text.startsWith('/') || text.startsWith('//')) return this.#say(text.replace(/^\/\//, '/'));
    const [, word = '', rest = ''] = /^\/(\S*)\s*(.*)$/s.exec(text) ?? [];
    const local = this.#local(word.toLowerCase(), rest);
    if (local) return local;
    const verb = commandOf(word);
    if (!verb) {
      const near = nearest(word, slashNames());
      const hint = near === undefined ? '/help lists all' : `did you mean /${near}?`;
      this.#terminal.print([span('error', `there is no /${word}; ${hint}. // begins a text with a slash.`)]);
      return;
    }
    const parsed = parseSlash(verb, rest, this.#here);
    if ('fault' in parsed) return this.#terminal.print([span('error', parsed.fault)]);
    await this.#show(parsed.verb, await this.#host.request(parsed.verb, parsed.fields));
    if (verb === 'NICK') this.#name = String(parsed.fields['user']);
    if (verb === 'PART' && parsed.fields['room'] === this.#room) this.#setRoom(undefined);
  }

  /** The commands that are of this terminal and not of the hub. */
  #local(word: string, rest: string): Promise<void> | undefined {
    switch (word) {
      case 'quit':
      case 'exit':
        this.leave();
        return Promise.resolve();
      case 'help':
        return this.#terminal.page(helpLines(rest));
      case 'join':
      case 'j':
        return rest === '' ? undefined : this.#enter(rest.replace(/^#/, '').trim());
      case 'me':
        return this.#say(`* ${this.#name} ${rest}`);
      case 'reply':
        return this.#reply(rest);
      case 'history':
        return /=/.test(rest) ? undefined : this.#history(Number(rest) || historyRows);
      case 'mode':
        return this.#setMode(rest);
      case 'theme':
        return this.#setTheme(rest);
      case 'cd':
        return this.#files.changeFolder(rest);
      case 'ls':
        return this.#files.list(rest);
      case 'view':
      case 'cat':
        return this.#files.view(rest);
      case 'wire':
        return this.#wire.command(rest);
      case 'get':
      case 'put':
        return this.#files.routes(word, rest);
      default:
        return undefined;
    }
  }

  async #say(text: string, reply?: string): Promise<void> {
    if (this.#room === undefined) throw new Error('you are in no room; /join one');
    await this.#host.request('SAY', { room: this.#room, text, ...(reply !== undefined && { reply }) });
  }

  async #reply(text: string): Promise<void> {
    const [, number, said] = /^(\d+)\s+(.+)$/s.exec(text) ?? [];
    if (number === undefined || said === undefined) throw new Error('/reply NUMBER TEXT; /history shows the numbers');
    await this.#say(said, number);
  }

  async #enter(room: string): Promise<void> {
    const { output, rows } = await this.#host.request('JOIN', { room });
    const entered = String(output['room']);
    this.#setRoom(entered);
    const { names, count } = await this.#namesIn(entered, namesShown);
    this.#present = count;
    const more = count > names.length ? ` and ${count - names.length} more` : '';
    const topic = output['topic'] ? [span('quiet', ' · '), span('strong', String(output['topic']))] : [];
    this.#terminal.print(
      [span('note', `#${entered}`), ...topic],
      [span('quiet', `here: ${names.sort().join(', ')}${more}`)],
    );
    this.#terminal.print(...rowLines(rows, this.#isSpoken, entered));
  }

  async #namesIn(room: string, limit?: number): Promise<{ readonly names: string[]; readonly count: number }> {
    const asked = { room, ...(limit !== undefined && { limit }) };
    const answer = await this.#host.request('NAMES', asked).catch(() => undefined);
    const names = (answer?.rows ?? []).map(({ fields }) => String(fields['user']));
    return { names, count: Number(answer?.output['count'] ?? names.length) };
  }

  async #completeName(start: number, word: string): Promise<Completion> {
    const { names } = this.#room === undefined ? { names: [] } : await this.#namesIn(this.#room);
    const meant = names.filter(name => name.toLowerCase().startsWith(word.toLowerCase())).sort();
    return { start, words: meant.map(name => (start === 0 ? `${name}: ` : `${name} `)) };
  }

  #setRoom(room: string | undefined): void {
    this.#room = room;
    this.#files.enter(room === undefined || room.startsWith('@') ? '/' : `/${room}`);
    const target = room === undefined ? '' : room.startsWith('@') ? room : `#${room}`;
    this.#terminal.setTarget(target, `${target} · ${this.#name} · /help`);
  }

  async #history(limit: number): Promise<void> {
    if (this.#room === undefined) throw new Error('you are in no room; /join one');
    const { rows } = await this.#host.request('HISTORY', {
      room: this.#room,
      limit: Math.min(limit, limits.historyRowsMax),
    });
    const numbered = rows.flatMap(({ name, fields }) =>
      rowLines([{ fields, ...(name !== undefined && { name }) }], this.#isSpoken, this.#room).map((shown, i) =>
        i === 0 ? [span('quiet', `${String(fields['seq'] ?? '').padStart(5)} `), ...shown] : shown,
      ),
    );
    await this.#terminal.page(numbered.length > 0 ? numbered : ['nothing was said here yet']);
  }

  async #setMode(word: string): Promise<void> {
    if (!(modes as readonly string[]).includes(word)) {
      this.#terminal.print(`the mode is ${this.#terminal.mode}; there are ${modes.join(', ')}`);
      return;
    }
    const fault = this.#terminal.setMode(word as Mode);
    this.#terminal.print(fault === undefined ? `the mode is ${word}` : [span('error', fault)]);
  }

  async #setTheme(word: string): Promise<void> {
    if (!(themes as readonly string[]).includes(word)) throw new Error(`/theme ${themes.join(', ')}`);
    this.#terminal.setTheme(word as Theme);
  }

  async #show(verb: string, { output, rows }: Answer): Promise<void> {
    const shown = rowLines(rows, this.#isSpoken, this.#room);
    if (verb === 'TELL') return this.#terminal.print([span('quiet', `told ${output['user'] ?? ''}`)]);
    const result = Object.keys(output).length > 0 && rows.length === 0 ? [fieldLine(output)] : [];
    await this.#terminal.page(shown.length + result.length > 0 ? [...shown, ...result] : ['done']);
  }
}
