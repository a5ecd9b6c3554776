/** Files at a terminal: where one is among them, and /ls, /cd, /view, /get and /put. */

import { resolvePath } from '../paths.ts';
import { contentLines, entryLines } from './answer-lines.ts';
import type { ChatHost } from './chat-host.ts';
import { line, span } from './line.ts';
import type { Completion, Terminal } from './terminal.ts';

/** What /view shows of a file at most. */
const viewedOctets = 256 * 1024;

export class ChatFiles {
  readonly #terminal: Terminal;
  readonly #host: ChatHost;
  folder = '/';
  /** The folder of the room. */
  #top = '/';
  /** Paths of the last listing, by its numbers. */
  #listed: readonly string[] = [];

  constructor(terminal: Terminal, host: ChatHost) {
    this.#terminal = terminal;
    this.#host = host;
  }

  /** Begins in another room's folder. */
  enter(top: string): void {
    this.#top = top;
    this.folder = top;
  }

  async changeFolder(name: string): Promise<void> {
    const folder = this.#path(name === '' ? this.#top : name);
    const { output } = await this.#host.request('STAT', { path: folder });
    if (output['type'] !== 'dir') throw new Error(`${folder} is no folder`);
    this.folder = folder;
    this.#terminal.print(line`you are in ${span('file', folder)}`);
  }

  async list(name: string): Promise<void> {
    const path = this.#path(name);
    const { rows } = await this.#host.request('LS', { path });
    this.#listed = rows.map(({ fields }) => `${path === '/' ? '' : path}/${fields['name']}`);
    const none = line`${span('file', path)} is empty; /put says how a file gets here`;
    await this.#terminal.page(rows.length === 0 ? [none] : [line`${span('file', path)}`, ...entryLines(rows)]);
  }

  async view(name: string): Promise<void> {
    if (name === '') throw new Error('/view FILE, or its number in the last /ls');
    const path = this.#path(name);
    const { rows, output } = await this.#host.request('GET', { path, length: viewedOctets });
    const blobs = rows.flatMap(({ blob }) => (blob ? [blob] : []));
    const octets = new Uint8Array(blobs.reduce((sum, blob) => sum + blob.length, 0));
    let at = 0;
    for (const blob of blobs) {
      octets.set(blob, at);
      at += blob.length;
    }
    const size = Number(output['size'] ?? octets.length);
    const rest =
      size > octets.length ? [line`${span('note', `… of ${size} octets; /get says how to have it all`)}`] : [];
    await this.#terminal.page([...contentLines(octets), ...rest]);
  }

  async routes(way: 'get' | 'put', name: string): Promise<void> {
    if (way === 'get' && name === '') throw new Error('/get FILE, or its number in the last /ls');
    const path = this.#path(name);
    if (way === 'get') await this.#host.request('STAT', { path });
    const about = way === 'get' ? 'can be had by' : 'takes files by';
    this.#terminal.print(
      line`${span('file', path)} ${about}`,
      ...this.#host.routes(path, way).map(route => `  ${route}`),
    );
  }

  /** Names in the folder that the word begins to name. */
  async complete(start: number, word: string): Promise<Completion> {
    const end = word.lastIndexOf('/') + 1;
    const folder = resolvePath(this.folder, word.slice(0, end) || '.');
    const answer = await this.#host.request('LS', { path: folder }).catch(() => undefined);
    const words = (answer?.rows ?? [])
      .map(({ fields }) => `${fields['name']}${fields['type'] === 'dir' ? '/' : ' '}`)
      .filter(name => name.startsWith(word.slice(end)));
    return { start: start + end, words };
  }

  /** A number means what the last listing showed under it. */
  #path(name: string): string {
    const listed = /^\d+$/.test(name) ? this.#listed[Number(name) - 1] : undefined;
    return listed ?? resolvePath(this.folder, name);
  }
}
