/**
 * Folders that live as long as a test.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** Removes a folder and all in it; a process that still dies in it gets a few tries. */
export const removeDir = (path: string): Promise<void> =>
  rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });

/** Makes an empty folder and removes it with the test; returns its absolute path. */
export const tempDir = async (t: Test, prefix = 'partyline-'): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), prefix));
  t.teardown(() => removeDir(path));
  return path;
};
