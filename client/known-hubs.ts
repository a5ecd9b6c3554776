/** Certificates of hubs, pinned on first use as ssh does it: a file of `host:port` and the sha256 seen there first. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { PartylineError } from './errors.ts';

/** `$XDG_CONFIG_HOME/partyline/known-hubs.json`, by default under `~/.config`. */
export function knownHubsFile(): string {
  return join(process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'partyline', 'known-hubs.json');
}

/** True for the fingerprint that was seen first, which is remembered and told. Errors: what the disk says; `bad-argument` for a file that is not JSON. */
export async function isKnownHub(
  file: string,
  hub: string,
  fingerprint: string,
  tellNew: (fingerprint: string) => void = () => undefined,
): Promise<boolean> {
  const known = await readKnown(file);
  if (known[hub] !== undefined) return known[hub] === fingerprint;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // Renamed into place, so that a reader beside us never sees half of it.
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify({ ...known, [hub]: fingerprint }, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, file);
  tellNew(fingerprint);
  return true;
}

/** A file that cannot be read is an error, not an empty one: else a broken disk would trust anybody. */
async function readKnown(file: string): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(file, 'utf8').catch(error => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return '{}';
  });
  try {
    return JSON.parse(text) as Record<string, string>;
  } catch (cause) {
    throw new PartylineError('bad-argument', `${file} is not JSON; mend it or remove it`, { cause });
  }
}
