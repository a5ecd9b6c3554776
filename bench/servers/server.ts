/** A contestant's server, ready for load: where it listens and how it is spoken to. */
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WireName } from '../load/wires.ts';
import type { Program } from '../process.ts';

export interface Server extends Program {
  readonly name: WireName;
  readonly port: number;
  /** Where messages come in, if it is elsewhere. */
  readonly sender?: { readonly wire: WireName; readonly port: number };
}

/** An empty folder below `parent`, and how to remove it; it goes with the process too. */
export async function makeFolder(
  parent: string,
): Promise<{ readonly folder: string; readonly remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(parent, 'partyline-bench-'));
  const removeNow = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', removeNow);
  const remove = async () => {
    process.off('exit', removeNow);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  return { folder, remove };
}

/** A folder that lives as long as the program that `start` starts in it. */
export async function inFolder<P extends Program>(parent: string, start: (folder: string) => Promise<P>): Promise<P> {
  const { folder, remove } = await makeFolder(parent);
  try {
    const program = await start(folder);
    const stop = async () => {
      await program.stop();
      await remove();
    };
    return { ...program, stop };
  } catch (error) {
    await remove();
    throw error;
  }
}

export const temporary = tmpdir();
