/** The `serve` command: settings → application; SIGTERM drains. No other file of the server reads the environment or exits. */
import { randomBytes } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { HubError } from '../shared/errors.ts';
import { startApp } from './app.ts';
import { type Certificate, ownCertificate, readCertificate } from './certificate.ts';
import type { Blobs, Store } from './hub/host.ts';
import { setupInvite } from './hub/invites.ts';
import { systemClock } from './net/system-clock.ts';
import { type Settings, SettingsError, settingsHelp } from './settings.ts';
import { settingsFrom } from './settings-sources.ts';
import { openEmbedded } from './store/embedded/open.ts';
import { memoryBlobs } from './store/memory/blobs.ts';
import { memoryStore } from './store/memory/store.ts';
import { createPasswords } from './store/passwords.ts';

const random = { token: (octets: number) => randomBytes(octets).toString('base64url') };
const exits = { usage: 64, unavailable: 69, failed: 70 } as const;

const usage = `partyline serve: one hub of rooms and files on every wire

  partyline serve [--NAME VALUE …]     or  npm start -- [--NAME VALUE …]

Flags come before the environment (PARTYLINE_ and the name: PARTYLINE_LINE_PORT), the environment before the file
(--config FILE, TOML), the file before what stands in [ ]:

  --config FILE          settings as TOML: line-port = 7070
${settingsHelp()}
`;

async function certificateFor(settings: Settings): Promise<Certificate> {
  const { 'tls-cert': cert, 'tls-key': key } = settings;
  if (cert === undefined || key === undefined) {
    return ownCertificate(settings.ephemeral ? undefined : settings['data-dir']);
  }
  return readCertificate(cert, key).catch(error => {
    throw new SettingsError(`tls-cert and tls-key: ${(error as Error).message}`);
  });
}

async function openStore(settings: Settings): Promise<{ store: Store; blobs: Blobs }> {
  if (settings.ephemeral) return { store: memoryStore(), blobs: memoryBlobs() };
  await mkdir(settings['data-dir'], { recursive: true, mode: 0o700 });
  const faultPoint = process.env['PARTYLINE_FAULT_POINT'];
  return openEmbedded({
    dataDir: settings['data-dir'],
    ballastOctets: settings['ballast-octets'],
    lowWaterOctets: settings['low-water-octets'],
    clock: systemClock,
    report: ({ what, error }) => process.stderr.write(`partyline: ${what}: ${error}\n`),
    ...(faultPoint !== undefined && { faultPoint }),
  });
}

/** Serves until a signal ends it; resolves when everything is bound. */
export async function serve(argv: readonly string[]): Promise<void> {
  const { settings, warnings, isHelp } = await settingsFrom(argv, process.env);
  if (isHelp) {
    process.stdout.write(usage);
    return;
  }
  for (const warning of warnings) process.stderr.write(`partyline: ${warning}\n`);
  const { store, blobs } = await openStore(settings);
  const certificate = await certificateFor(settings);
  let linePlace = '';
  let httpPlace = '';
  const app = await startApp({
    settings,
    store,
    blobs,
    passwords: createPasswords(),
    clock: systemClock,
    certificate,
    onListening: (name, address, port) => {
      const place = `${address.includes(':') ? `[${address}]` : address}:${port}`;
      if (name === 'line') linePlace = place.replace(/^(0\.0\.0\.0|\[::\]):/, 'localhost:');
      if (name === 'http') httpPlace = place.replace(/^(0\.0\.0\.0|\[::\]):/, 'localhost:');
      process.stdout.write(`listening ${name} ${place}\n`);
    },
  });
  if (certificate.isNew && !settings.ephemeral) {
    process.stdout.write(
      `first start: data in ${settings['data-dir']}\n` +
        `certificate sha256 ${certificate.fingerprint}\n` +
        'make an account: partyline user add NAME --admin\n',
    );
  }
  const invite = settings.ephemeral ? undefined : await setupInvite({ store, random, clock: systemClock });
  if (invite !== undefined) {
    process.stdout.write(`or, once: partyline register 'pl://NAME@${linePlace}?invite=${invite}'\n`);
    if (httpPlace !== '') process.stdout.write(`or in a browser: http://${httpPlace}/#setup=${invite}\n`);
  }
  // Before the word that it is ready, upon which somebody may send one.
  drainOnSignal(app);
  process.stdout.write('partyline ready\n');
}

/** The first signal drains; a second one does not wait. */
function drainOnSignal(app: FastifyInstance): void {
  let isDraining = false;
  const stop = () => {
    if (isDraining) process.exit(1);
    isDraining = true;
    process.stdout.write('draining: running transfers may finish; a second signal ends at once\n');
    app.close().then(
      () => process.exit(0),
      error => fail(error),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

/** Says in one line what is wrong and exits with the code for it. */
export function fail(error: unknown): never {
  const unbound = whyUnbound(error as ListenError);
  process.stderr.write(`partyline: ${unbound ?? (error instanceof Error ? error.message : error)}\n`);
  const isServed = error instanceof HubError && error.code === 'busy';
  if (unbound !== undefined || isServed) process.exit(exits.unavailable);
  process.exit(error instanceof SettingsError ? exits.usage : exits.failed);
}

/** What `listen` puts on its errors; the port only where it is not 0. */
interface ListenError extends NodeJS.ErrnoException {
  readonly port?: number;
  readonly address?: string;
  readonly hostname?: string;
}

function whyUnbound({ syscall, code, port, address, hostname }: ListenError): string | undefined {
  if (syscall === 'getaddrinfo') return `there is no host ${hostname}; --host takes an address of this machine`;
  if (syscall !== 'listen') return undefined;
  if (code === 'EADDRINUSE') return `port ${port} is taken; choose another one (--help lists the settings)`;
  if (code === 'EACCES') return `port ${port} needs more privileges; choose one from 1024`;
  if (code === 'EADDRNOTAVAIL') return `${address} is not an address of this machine; choose another --host`;
  return undefined;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  serve(process.argv.slice(2)).catch(fail);
}
