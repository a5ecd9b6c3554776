/** Files of this machine: walking with links followed once, safe names for what a server names, and the dates of files. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PartylineError } from './errors.ts';

export interface LocalEntry {
  /** Absolute or as given. */
  readonly path: string;
  /** From the walked folder, with `/`. */
  readonly name: string;
  readonly type: 'file' | 'dir';
  readonly size: number;
  readonly modifiedMs: number;
}

/** Every file and folder below, folders before what is in them. Links are followed; one that leads back up is left out. */
export async function* walk(
  folder: string,
  isIgnored: (name: string) => boolean = () => false,
): AsyncGenerator<LocalEntry> {
  yield* walkBelow(folder, '', [await realpath(folder)], isIgnored);
}

async function* walkBelow(
  folder: string,
  prefix: string,
  above: readonly string[],
  isIgnored: (name: string) => boolean,
): AsyncGenerator<LocalEntry> {
  const names = await readdir(folder);
  for (const leaf of names.sort()) {
    const path = join(folder, leaf);
    const name = prefix + leaf;
    const facts = await stat(path).catch(() => undefined);
    const isDir = facts?.isDirectory() === true;
    if (!facts || isIgnored(isDir ? `${name}/` : name) || isPartial(leaf)) continue;
    if (facts.isFile()) yield { path, name, type: 'file', size: facts.size, modifiedMs: facts.mtimeMs };
    if (!isDir) continue;
    const real = await realpath(path);
    if (above.includes(real)) continue;
    yield { path, name, type: 'dir', size: 0, modifiedMs: facts.mtimeMs };
    yield* walkBelow(path, `${name}/`, [...above, real], isIgnored);
  }
}

/** What a download has left here is nobody's file yet. */
function isPartial(name: string): boolean {
  return /^\..*\.plpart(\.json)?$/.test(name);
}

const forbiddenOnWindows = /[<>:"\\|?*]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** A server's name as one component here. Error: `bad-argument` for a name that would lead elsewhere. */
export function localName(name: string): string {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) {
    throw new PartylineError('bad-argument', `the server named a file ${JSON.stringify(name)}; it is not taken`);
  }
  if (process.platform !== 'win32' || !forbiddenOnWindows.test(name)) return name;
  return [...name].map(char => (/[<>:"\\|?*. ]/.test(char) ? `%${char.charCodeAt(0).toString(16)}` : char)).join('');
}

/** Whole seconds, as the hub keeps them. */
export function rfc3339(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
