/** `partyline chat`: the terminal of the TELNET wire on the local screen, or plain lines where there is none. */
import { createInterface } from 'node:readline/promises';
import type { HubEvent } from '../../shared/events.ts';
import { AnswerRows } from '../../shared/terminal/answer-rows.ts';
import { Chat } from '../../shared/terminal/chat.ts';
import type { Answer } from '../../shared/terminal/chat-host.ts';
import { type Colours, Terminal } from '../../shared/terminal/terminal.ts';
import type { Address } from '../address.ts';
import { clientClock } from '../clock.ts';
import type { Hub, Room } from '../index.ts';
import { octetsOf } from '../request.ts';
import { exitCodeOf } from './context.ts';
import { renderEvent } from './talk.ts';

/** Resolves when the person has left. */
export async function chat(hub: Hub, address: Address, first: string): Promise<void> {
  const { stdin, stdout } = process;
  await (stdin.isTTY && stdout.isTTY ? chatOnScreen(hub, address, first) : chatInLines(hub, first));
  await hub.finish();
}

async function chatOnScreen(hub: Hub, address: Address, first: string): Promise<void> {
  const { stdin, stdout } = process;
  const { user } = await hub.request('WHOAMI', {});
  const terminal = new Terminal(
    { clock: clientClock, write: text => void stdout.write(text) },
    {
      input: 'keys',
      escapes: process.env['TERM'] !== 'dumb',
      colours: coloursOf(stdout.getColorDepth()),
      reader: false,
    },
  );
  const resize = () => terminal.resize(stdout.columns, stdout.rows);
  const rooms = new Map<string, Room>();
  const restore = () => {
    stdin.setRawMode(false);
  };
  process.once('exit', restore);
  stdin.setRawMode(true);
  stdout.on('resize', resize);
  resize();
  await new Promise<void>(resolve => {
    const talk: Chat = new Chat(
      terminal,
      {
        clock: clientClock,
        request: (verb, fields) => ask(hub, rooms, event => talk.event(event), verb, fields),
        routes: (path, way) => routesTo(address, path, way),
        quit: resolve,
      },
      { name: user },
    );
    stdin.on('data', (octets: Buffer) => terminal.input(octets));
    stdin.once('end', () => terminal.end());
    void tellStatus(hub, words => terminal.print(words));
    void talk.start(first);
  });
  terminal.close();
  stdout.off('resize', resize);
  stdin.pause();
  restore();
}

/** A room that is entered stays entered over lost connections, so the library enters it. */
async function ask(
  hub: Hub,
  rooms: Map<string, Room>,
  tell: (event: HubEvent) => void,
  verb: Parameters<Hub['request']>[0],
  fields: Readonly<Record<string, unknown>>,
): Promise<Answer> {
  if (verb === 'JOIN') {
    const room = await hub.join(String(fields['room']), {});
    if (rooms.get(room.name) !== room) void follow(room, tell);
    rooms.set(room.name, room);
    return { output: { room: room.name }, rows: [] };
  }
  if (verb === 'PART') {
    const name = String(fields['room']);
    const room = rooms.get(name);
    rooms.delete(name);
    if (room) await room.part();
    return { output: { room: name }, rows: [] };
  }
  const rows = new AnswerRows();
  const output = await hub.request(verb, fields as never, {
    onRow: ({ name, fields: row, blob }) => {
      const isEvent = name !== verb;
      rows.add({ fields: row, ...(isEvent && { name }), ...(blob && { blob: octetsOf(blob) }) });
    },
  });
  return { output: output as Answer['output'], rows: rows.all };
}

async function follow(room: Room, tell: (event: HubEvent) => void): Promise<void> {
  for await (const event of room) tell(event);
}

function coloursOf(depth: number): Colours {
  if (process.env['NO_COLOR'] !== undefined || depth === 1) return 'none';
  return depth >= 24 ? 'true' : depth >= 8 ? '256' : '16';
}

function routesTo({ host, port, user, secure }: Address, path: string, way: 'get' | 'put'): readonly string[] {
  const place = `${secure ? 'pls' : 'pl'}://${user}@${host}:${port}`;
  return way === 'get' ? [`partyline get '${place}${path}' .`] : [`partyline put FILE '${place}${path}/'`];
}

async function chatInLines(hub: Hub, first: string): Promise<void> {
  let room = await hub.join(first, {});
  void show(room).catch(error => process.exit(exitCodeOf(error)));
  void tellStatus(hub, words => void process.stderr.write(`* ${words}\n`));
  const lines = createInterface({ input: process.stdin, terminal: false });
  for await (const line of lines) {
    const [, word, rest = ''] = /^\/(\w+) ?(.*)$/.exec(line) ?? [];
    if (word === 'quit') break;
    if (word === 'join') room = await change(hub, room, rest.replace(/^#/, ''));
    else if (word !== undefined && !line.startsWith('//'))
      process.stderr.write(`/${word}: there are /join ROOM and /quit; // begins a text with /\n`);
    else if (line.trim() !== '') await room.say(line.replace(/^\/\//, '/')).catch(error => void exitCodeOf(error));
  }
}

async function show(room: Room): Promise<void> {
  for await (const event of room) {
    const line = renderEvent(event);
    if (line !== undefined) process.stdout.write(`${line}\n`);
  }
}

/** The room that was entered; the one before if it cannot be, which is said. */
async function change(hub: Hub, from: Room, to: string): Promise<Room> {
  try {
    const room = await hub.join(to, {});
    if (room === from) return from;
    await from.part();
    void show(room).catch(error => process.exit(exitCodeOf(error)));
    process.stdout.write(`* you are in ${room.name}\n`);
    return room;
  } catch (error) {
    exitCodeOf(error);
    return from;
  }
}

async function tellStatus(hub: Hub, tell: (words: string) => void): Promise<void> {
  for await (const change of hub.status()) {
    if (change.kind === 'down') tell('the connection is lost; trying again');
    if (change.kind === 'up') tell('connected');
  }
}
