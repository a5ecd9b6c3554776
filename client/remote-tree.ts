/** Folders of the hub: listing what is in them, making them, and what stands where something is to go. */
import { isWithin } from '../shared/paths.ts';
import { PartylineError } from './errors.ts';
import type { Session } from './session.ts';

export interface RemoteFile {
  readonly path: string;
  readonly size: number;
  /** Empty for a file that grows, a transcript. */
  readonly hash: string;
  /** RFC 3339. */
  readonly modified?: string | undefined;
}

export interface RemoteEntry extends RemoteFile {
  /** From the listed folder, with `/`. */
  readonly name: string;
  readonly type: 'file' | 'dir';
}

export interface ListOptions {
  readonly signal?: AbortSignal | undefined;
  /** What stays out, by its name; a folder's ends in `/`, and nothing in it is listed then. */
  readonly isIgnored?: ((name: string) => boolean) | undefined;
}

/** Every entry below a folder of the hub, folders before what is in them. */
export async function* remoteTree(
  session: Session,
  folder: string,
  { signal, isIgnored = () => false }: ListOptions = {},
): AsyncGenerator<RemoteEntry> {
  const waiting = [''];
  for (let prefix = waiting.shift(); prefix !== undefined; prefix = waiting.shift()) {
    const path = `${folder.replace(/\/$/, '')}${prefix === '' ? '' : `/${prefix.slice(0, -1)}`}`;
    for (const { fields } of await session.list('LS', { path: path === '' ? '/' : path }, { signal })) {
      const name = prefix + String(fields['name']);
      const type = fields['type'] === 'dir' ? 'dir' : 'file';
      if (isIgnored(type === 'dir' ? `${name}/` : name)) continue;
      if (type === 'dir') waiting.push(`${name}/`);
      const modified = fields['modified'] as string | undefined;
      yield {
        name,
        path: `${folder.replace(/\/$/, '')}/${name}`,
        type,
        size: Number(fields['size'] ?? 0),
        hash: String(fields['hash'] ?? ''),
        modified,
      };
    }
  }
}

export async function isRemoteFolder(session: Session, path: string): Promise<boolean> {
  if (path.endsWith('/')) return true;
  return (await statOrNothing(session, path))?.type === 'dir';
}

/** Undefined where nothing stands. Errors: all others of STAT. */
export async function statOrNothing(session: Session, path: string): Promise<{ readonly type: string } | undefined> {
  try {
    return await session.request('STAT', { path });
  } catch (error) {
    if (error instanceof PartylineError && isAbsence(error)) return undefined;
    throw error;
  }
}

function isAbsence({ code }: PartylineError): boolean {
  return code === 'no-file' || code === 'no-room';
}

/** MKDIR with the folders above it; standing already is fine. True if it is new. */
export async function makeFolder(session: Session, path: string): Promise<boolean> {
  try {
    await session.persist(() => session.request('MKDIR', { path }));
    return true;
  } catch (error) {
    if (!(error instanceof PartylineError)) throw error;
    if (error.code === 'exists') return false;
    const above = path.slice(0, path.lastIndexOf('/'));
    if (error.code !== 'no-file' || above === '') throw error;
    await makeFolder(session, above);
    return makeFolder(session, path);
  }
}

interface Standee {
  readonly type: string;
  readonly size: number;
  readonly modified: unknown;
}

/** What stands in the target's folders. Each is listed once, and forgotten when the walk has left it. */
export class Standing {
  readonly #session: Session;
  readonly #folders = new Map<string, ReadonlyMap<string, Standee>>();

  constructor(session: Session) {
    this.#session = session;
  }

  async at(path: string): Promise<Standee | undefined> {
    const end = path.lastIndexOf('/');
    const folder = path.slice(0, end) || '/';
    for (const left of this.#folders.keys()) if (!isWithin(path, left)) this.#folders.delete(left);
    let entries = this.#folders.get(folder);
    if (!entries) {
      entries = await this.#list(folder);
      this.#folders.set(folder, entries);
    }
    return entries.get(path.slice(end + 1).normalize('NFC'));
  }

  /** A folder that was just made need not be listed. */
  isEmpty(folder: string): void {
    this.#folders.set(folder, new Map());
  }

  async #list(path: string): Promise<ReadonlyMap<string, Standee>> {
    const rows = await this.#session.list('LS', { path }).catch(error => {
      if (error instanceof PartylineError && isAbsence(error)) return [];
      throw error;
    });
    return new Map(
      rows.map(({ fields: { name, type, size, modified } }) => [
        String(name).normalize('NFC'),
        { type: String(type), size: Number(size ?? 0), modified },
      ]),
    );
  }
}
