/** `partyline watch`: one's connections as the protocols have them, live. */
import type { Command } from 'commander';
import { wireEventOf, wireLines } from '../../shared/wire-lines.ts';
import { PartylineError } from '../index.ts';
import { openHub, resolveAddress, type SecretOptions } from './context.ts';

interface Flags extends SecretOptions {
  readonly port?: string;
  readonly once?: boolean;
  readonly contents?: boolean;
  readonly json?: boolean;
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
      };
      const interrupted = new AbortController();
      process.once('SIGINT', () => interrupted.abort(new PartylineError('cancelled', 'interrupted')));
      await hub
        .request('WIRE', input, {
          timeoutMs: dayMs,
          signal: interrupted.signal,
          onRow: ({ fields }) => show(fields, flags.json === true),
        })
        .catch(error => {
          if (!interrupted.signal.aborted) throw error;
        });
      await hub.finish();
    });
}

/** The hub may be left out, and the connection. */
function placesOf(first: string | undefined, second: string | undefined) {
  const isConnection = first !== undefined && /^[a-z]+(-[a-z]+)?-\d+$/.test(first);
  if (isConnection && second === undefined) return { place: 'pl://localhost', connection: first };
  return { place: first ?? 'pl://localhost', connection: second };
}

function show(fields: Readonly<Record<string, unknown>>, isJson: boolean): void {
  const event = wireEventOf(fields);
  if (event && isJson) process.stdout.write(`${JSON.stringify(event)}\n`);
  else if (event) for (const line of wireLines(event)) process.stdout.write(`${event.conn.padEnd(10)} ${line}\n`);
  else if (!isJson) process.stderr.write(`-- seen by: ${String(fields['sources'])}\n`);
}
