/** `partyline watch`: one's connections as the protocols have them, live. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Command } from 'commander';
import { captureHead, capturePacket } from '../../shared/packets/capture-writer.ts';
import { linkTypes } from '../../shared/packets/link-layer.ts';
import { WireDrawing, type WireEvent, wireEventOf } from '../../shared/wire-lines.ts';
import { clientClock } from '../clock.ts';
import { PartylineError } from '../index.ts';
import { openHub, resolveAddress, type SecretOptions } from './context.ts';

interface Flags extends SecretOptions {
  readonly port?: string;
  readonly once?: boolean;
  readonly contents?: boolean;
  readonly json?: boolean;
  readonly export?: string;
}

/** Nobody watches for longer without a word. */
const dayMs = 24 * 3_600_000;

export function addWatchCommand(program: Command): void {
  program
    .command('watch [hub] [connection]')
    .description('see what the protocols do on your connections: partyline watch pl://ada@den --port 7021')
    .option('--port <n>', 'connections to this port of the server')
    .option('--once', 'the next connection, from its beginning to its end')
    .option('--contents', 'as an administrator: what is said too, of which that person is told')
    .option('--export <file>', 'also write the captured packets, without secrets, as pcapng')
    .option('--json', 'one JSON object an event')
    .option('--password-stdin', 'read the password from standard input')
    .action(async (first: string | undefined, second: string | undefined, flags: Flags) => {
      const { place, connection } = placesOf(first, second);
      if (connection !== undefined && flags.port !== undefined) {
        throw new PartylineError('bad-argument', 'name a connection, or --port, not both');
      }
      const hub = await openHub(await resolveAddress(place), flags);
      const which = connection ?? flags.port;
      const input = {
        do: 'watch',
        ...(which !== undefined && { which }),
        ...(flags.once && { once: true }),
        ...(flags.contents && { contents: true }),
        ...(flags.export !== undefined && { packets: true }),
      };
      const file = flags.export === undefined ? undefined : openSync(flags.export, 'w', 0o600);
      if (file !== undefined) writeSync(file, captureHead(linkTypes.ethernet));
      const show = flags.json ? showJson : drawer();
      const interrupted = new AbortController();
      process.once('SIGINT', () => interrupted.abort(new PartylineError('cancelled', 'interrupted')));
      await hub
        .request('WIRE', input, {
          timeoutMs: dayMs,
          signal: interrupted.signal,
          onRow({ fields }) {
            if (file !== undefined && fields['packet'] !== undefined) writeSync(file, packetOf(fields));
            show(fields);
          },
        })
        .catch(error => {
          if (!interrupted.signal.aborted) throw error;
        });
      if (file !== undefined) closeSync(file);
      await hub.finish();
    });
}

function packetOf(fields: Fields): Uint8Array {
  const octets = Buffer.from(String(fields['packet']), 'base64');
  const names = ['link', 'network', 'transport', 'len'] as const;
  const wireOctets = names.reduce((sum, name) => sum + Number(fields[name]), 0);
  const comment = `${fields['conn']} ${fields['side']}`;
  return capturePacket({ atMs: Number(fields['at']), octets, wireOctets, comment });
}

/** The hub may be left out, and the connection. */
function placesOf(first: string | undefined, second: string | undefined) {
  const isConnection = first !== undefined && /^[a-z]+(-[a-z]+)?-\d+$/.test(first);
  if (isConnection && second === undefined) return { place: 'pl://localhost', connection: first };
  return { place: first ?? 'pl://localhost', connection: second };
}

type Fields = Readonly<Record<string, unknown>>;

function showJson({ packet: _, ...fields }: Fields): void {
  const event = wireEventOf(fields);
  if (event) process.stdout.write(`${JSON.stringify(event)}\n`);
  else showSources(fields);
}

function showSources({ sources }: Fields): void {
  process.stderr.write(`-- seen by: ${sources}\n`);
}

/** What comes at once is drawn at once: both ends' states stand in one line. */
function drawer(): (fields: Fields) => void {
  const drawing = new WireDrawing();
  let events: WireEvent[] = [];
  const draw = () => {
    for (const [conn, lines] of drawing.named(events)) {
      for (const line of lines) process.stdout.write(`${conn.padEnd(12)}${line}\n`);
    }
    events = [];
  };
  return fields => {
    const event = wireEventOf(fields);
    if (event) {
      if (events.push(event) === 1) clientClock.soon(draw);
      return;
    }
    showSources(fields);
    process.stdout.write(`${''.padEnd(12)}${drawing.head}\n`);
  };
}
