/** A contestant's server, ready for load: where it listens and how it is spoken to. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WireName } from '../load/wires.ts';
import type { Program } from '../process.ts';

export interface Server extends Program {
  readonly name: WireName;
  readonly port: number;
}

/** A folder that lives as long as the program that `start` starts in it. */
export async function inFolder<P extends Program>(parent: string, start: (folder: string) => Promise<P>): Promise<P> {
  const folder = await mkdtemp(join(parent, 'partyline-bench-'));
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
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
