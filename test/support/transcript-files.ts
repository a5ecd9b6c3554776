/**
 * Finds and reads transcripts on disk; parsing is in transcript.ts.
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseTranscript, type Tokens, type Transcript } from './transcript.ts';

/** Reads one transcript. */
export const readTranscript = async (file: string, tokens?: Tokens): Promise<Transcript> =>
  parseTranscript(basename(file), await readFile(file, 'utf8'), tokens);

/** Reads all transcripts of a wire, from test/transcripts/<wire>/, by name. */
export const readTranscripts = async (wire: string, tokens?: Tokens): Promise<readonly Transcript[]> => {
  // Text is not compiled: from dist/test/support/ the way leads back to the sources.
  const folder = new URL(`../../../test/transcripts/${wire}/`, import.meta.url);
  const names = (await readdir(folder)).filter(name => name.endsWith('.txt')).sort();
  return Promise.all(names.map(name => readTranscript(fileURLToPath(new URL(name, folder)), tokens)));
};
