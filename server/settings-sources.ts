/** Where the settings come from: the words of a command line, the environment as it is handed in, and the file that they name. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readSettings, SettingsError, type SettingsRead, settingsTable } from './settings.ts';

/** Errors: SettingsError; what reading the file says. */
export async function settingsFrom(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<SettingsRead & { readonly isHelp: boolean }> {
  const options = Object.fromEntries(
    Object.entries(settingsTable).map(([name, { fallback }]) => [
      name,
      { type: typeof fallback === 'boolean' || name === 'guests' ? 'boolean' : 'string' } as const,
    ]),
  );
  const parsed = parseArgs({
    args: [...argv],
    options: { ...options, help: { type: 'boolean' }, config: { type: 'string' } },
    strict: false,
    allowPositionals: true,
  });
  const { help, config, ...given } = parsed.values;
  const flags = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, value === true ? 'on' : String(value)]),
  );
  const valueless = ['config', ...Object.keys(options)].find(
    name => options[name]?.type !== 'boolean' && parsed.values[name] === true,
  );
  if (valueless !== undefined) throw new SettingsError(`--${valueless} needs a value: --${valueless} VALUE`);
  const file = config ?? environment['PARTYLINE_CONFIG'];
  const toml = file === undefined ? undefined : await readSettingsFile(String(file));
  const home = environment['XDG_DATA_HOME'] || join(homedir(), '.local', 'share');
  const read = readSettings({ flags, environment, file: toml, dataDir: join(home, 'partyline') });
  // Behind the names: a value that stands alone is often the rest of a flag that does not exist.
  const [stray] = parsed.positionals;
  if (stray !== undefined) {
    throw new SettingsError(`${stray}: flags are --name VALUE, switches --name=on or --name=off; --help lists them`);
  }
  return { ...read, isHelp: help === true };
}

async function readSettingsFile(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(error => {
    throw new SettingsError(`the settings file cannot be read: ${(error as Error).message}`);
  });
}
