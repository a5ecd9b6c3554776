/** Table 1, files: the tree of every room, `/room/folder/name`. */
import * as z from 'zod';
import { Count, Entry, EntryType, Flag, Hash, Octets, Seq, Time } from '../model.ts';
import { FilePath } from '../names.ts';
import { command } from './command.ts';

export const files = {
  LS: command({
    summary: 'List a folder, or name a file.',
    words: ['path'],
    input: z.object({ path: FilePath, after: z.string().optional() }),
    output: z.object({ path: FilePath, count: Count }),
    rows: Entry,
    needs: ['see', 'path'],
    repeatable: 'yes',
  }),
  STAT: command({
    summary: 'Say what stands at a path.',
    words: ['path'],
    input: z.object({ path: FilePath }),
    output: z.object({
      path: FilePath,
      type: EntryType,
      size: Octets.optional(),
      modified: Time.optional(),
      owner: z.string().optional(),
      hash: Hash.optional(),
      /** Of the event that announced it last: `SAY room reply=seq` is a comment on it. */
      seq: Seq.optional(),
    }),
    needs: ['see', 'path'],
    repeatable: 'yes',
  }),
  GET: command({
    summary: 'Receive a file or a part of it; if-hash= refuses when it is another one by now.',
    words: ['path'],
    input: z.object({
      path: FilePath,
      offset: Octets.optional(),
      length: Octets.optional(),
      'if-hash': Hash.optional(),
    }),
    /** A transcript has no hash, since it grows. */
    output: z.object({ path: FilePath, size: Octets, hash: Hash.optional() }),
    rows: z.object({ offset: Octets }),
    content: 'out',
    needs: ['download', 'path'],
    repeatable: 'yes',
  }),
  MKDIR: command({
    summary: 'Make a folder.',
    words: ['path'],
    input: z.object({ path: FilePath }),
    output: z.object({ path: FilePath, seq: Seq.optional() }),
    needs: ['upload', 'path'],
  }),
  RM: command({
    summary: 'Remove a file or an empty folder; recursive=1 with all that is in it.',
    words: ['path'],
    input: z.object({ path: FilePath, recursive: Flag.optional() }),
    output: z.object({ path: FilePath, count: Count, seq: Seq.optional() }),
    needs: ['list', 'path'],
  }),
  TOUCH: command({
    summary: 'Say when a file or folder of yours was changed.',
    words: ['path', 'modified'],
    input: z.object({ path: FilePath, modified: z.iso.datetime({ error: 'is a time such as 2026-11-23T01:15:00Z' }) }),
    output: z.object({ path: FilePath, modified: Time }),
    needs: ['list', 'path'],
  }),
  MV: command({
    summary: 'Rename or move a file or folder; mode=replace takes the place of a file of yours.',
    words: ['from', 'to'],
    input: z.object({ from: FilePath, to: FilePath, mode: z.enum(['new', 'replace']).optional() }),
    output: z.object({ from: FilePath, to: FilePath, seq: Seq.optional() }),
    needs: ['list', 'from'],
  }),
  CP: command({
    summary: 'Copy a file within the hub: no content moves.',
    words: ['from', 'to'],
    input: z.object({ from: FilePath, to: FilePath, mode: z.enum(['new', 'replace']).optional() }),
    output: z.object({ from: FilePath, to: FilePath, size: Octets, hash: Hash, seq: Seq.optional() }),
    needs: ['download', 'from'],
  }),
};
