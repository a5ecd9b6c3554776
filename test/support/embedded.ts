/** The embedded store in this process, on a folder of the test; and a disk that is soon full. */
import type { Test } from 'tap';
import { systemClock } from '../../server/net/system-clock.ts';
import { type Embedded, openEmbedded } from '../../server/store/embedded/open.ts';
import { tempDir } from './temp-dir.ts';
import { requireTool, run } from './tools.ts';

/** Closed with the test; what it reports fails the test. `dataDir` defaults to an empty folder. */
export async function openStore(t: Test, dataDir?: string, shared = false): Promise<Embedded> {
  const opened = await openEmbedded({
    dataDir: dataDir ?? (await tempDir(t)),
    ballastOctets: 0,
    lowWaterOctets: 0,
    clock: systemClock,
    report: ({ what, error }) => t.fail(what, { error }),
    shared,
  });
  t.teardown(() => opened.close());
  return opened;
}

export interface SmallDisk {
  /** Where it is, for those who run under it. */
  readonly dataDir: string;
  /** A program and arguments, as for `under`: mounts 8 MiB at `dataDir`, runs `first`, and becomes what stands behind. */
  under(first?: string): readonly string[];
}

/** A file system of its own in memory; undefined where none can be mounted, and then the test is skipped with the reason. */
export async function smallDisk(t: Test): Promise<SmallDisk | undefined> {
  const unshare = requireTool(t, 'unshare');
  if (unshare === undefined) return undefined;
  const dataDir = await tempDir(t);
  const mount = `mount -t tmpfs -o size=8m none "${dataDir}"`;
  const probe = await run(unshare, ['-Urm', 'sh', '-c', mount]);
  if (probe.code !== 0) {
    t.pass('no file system can be mounted', { skip: probe.stderr });
    return undefined;
  }
  return {
    dataDir,
    under: (first = 'true') => [unshare, '-Urm', 'sh', '-c', `${mount} && ${first} && exec "$0" "$@"`],
  };
}
