/** Subcommands that talk: chat say tail, and raw, a nc that half-closes rightly. */
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Command } from 'commander';
import type { HubEvent } from '../../shared/events.ts';
import { pathComponents } from '../../shared/paths.ts';
import { PartylineError } from '../index.ts';
import { chat } from './chat.ts';
import { endOnInterrupt, openHub, resolveAddress, type SecretOptions } from './context.ts';

type RoomEvent = Exclude<HubEvent, { event: 'GAP' }>;

/** One event as one line for people; undefined for what is not shown. */
export function renderEvent(event: RoomEvent): string | undefined {
  switch (event.event) {
    case 'MSG':
      return `${clock(event.time)} ${event.from}: ${event.deleted ? '(taken back)' : event.text.replaceAll('\n', '\n      ')}`;
    case 'EDITED':
      return `${clock(event.time)} ${event.from} now says in ${event.of}: ${event.text}`;
    case 'DELETED':
      return `${clock(event.time)} ${event.from} took back ${event.of}`;
    case 'TOPIC':
      return `${clock(event.time)} ${event.from} set the topic: ${event.text}`;
    case 'FILE':
      return `${clock(event.time)} ${event.from} ${fileWord[event.op]} ${event.path}${event.to === undefined ? '' : ` to ${event.to}`}${event.size === undefined ? '' : ` (${event.size} octets)`}`;
    case 'JOINED':
      return `* ${event.user} came`;
    case 'PARTED':
      return `* ${event.user} left`;
    case 'RENAMED':
      return `* ${event.user} is now ${event.to}`;
    default:
      return undefined;
  }
}

const fileWord = { put: 'put', move: 'moved', remove: 'removed', mkdir: 'made' } as const;

function clock(time: string): string {
  return new Date(time).toTimeString().slice(0, 5);
}

function roomOf(path: string): string {
  return pathComponents(path.replace(/\/$/, '') || '/')[0] ?? 'lobby';
}

export function addTalkCommands(program: Command): void {
  program
    .command('chat <hub> [room]')
    .description('talk in a room: partyline chat pl://ada@den/lobby')
    .option('--password-stdin', 'read the password from standard input')
    .action(async (text: string, room: string | undefined, flags: SecretOptions) => {
      // On a screen ^C is a key.
      if (!process.stdin.isTTY) endOnInterrupt();
      const address = await resolveAddress(text);
      await chat(await openHub(address, flags), address, room ?? roomOf(address.path));
    });
  program
    .command('say <room> [text...]')
    .description('post one message, or standard input: echo done | partyline say pl://den/ops')
    .option('--password-stdin', 'read the password from standard input')
    .action(async (text: string, words: string[], flags: SecretOptions) => {
      const address = await resolveAddress(text);
      const hub = await openHub(address, flags);
      const said = words.length > 0 ? words.join(' ') : await readAll();
      await hub.request('SAY', { room: roomOf(address.path), text: said });
      await hub.finish();
    });
  program
    .command('tail <room>')
    .description('follow a room')
    .option('-n, --lines <n>', 'begin with this many from history', '10')
    .option('--json', 'one JSON object a line')
    .action(async (text: string, flags: SecretOptions & { lines: string; json?: boolean }) => {
      endOnInterrupt();
      const address = await resolveAddress(text);
      const hub = await openHub(address, flags);
      const name = roomOf(address.path);
      const { last } = await hub.request('JOIN', { room: name });
      const room = await hub.join(name, { after: Math.max(0, last - Number(flags.lines)) });
      for await (const event of room) {
        const line = flags.json ? JSON.stringify(event) : renderEvent(event);
        if (line !== undefined) process.stdout.write(`${line}\n`);
      }
    });
  program
    .command('raw <hub>')
    .description('type the protocol by hand; the end of input half-closes, and every answer is still shown')
    .action(async (text: string) => raw(await resolveAddress(text)));
}

async function readAll(): Promise<string> {
  let text = '';
  for await (const part of process.stdin.setEncoding('utf8')) text += part;
  if (text.trim() === '') throw new PartylineError('bad-argument', 'there is nothing to say');
  return text.trimEnd();
}

function raw({ host, port, secure }: { host: string; port: number; secure: boolean }): Promise<void> {
  return new Promise((resolve, reject) => {
    const tcp = connectTcp({ host, port, allowHalfOpen: true });
    const socket = secure ? connectTls({ socket: tcp, rejectUnauthorized: false }) : tcp;
    const state = (words: string) => process.stderr.write(`-- ${words}\n`);
    tcp.once('connect', () => state(`connected to ${host}:${port}`));
    socket.once('end', () => state('the server sent FIN'));
    process.stdin.once('end', () => state('our FIN is sent; reading on'));
    socket.pipe(process.stdout, { end: false });
    process.stdin.pipe(socket);
    socket.once('error', reject);
    socket.once('close', () => {
      state('closed');
      process.stdin.destroy();
      resolve();
    });
  });
}
