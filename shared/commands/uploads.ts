/** Table 1, uploads: one upload object per person and path serves every wire; it is seen by others when COMMIT has made it a file. */
import * as z from 'zod';
import { Count, Flag, Hash, Octets, Ranges, Seq, Time, UploadId } from '../model.ts';
import { FilePath } from '../names.ts';
import { command } from './command.ts';

export const uploads = {
  PUT: command({
    summary:
      'Begin or resume an upload of size=; with a blob, or until=fin, the content comes at once; with hash= it may be known already.',
    words: ['path'],
    input: z.object({
      path: FilePath,
      size: Octets.optional(),
      hash: Hash.optional(),
      mode: z.enum(['new', 'replace', 'if-match']).optional(),
      match: Hash.optional(),
      until: z.literal('fin').optional(),
      /** Make the folders that are missing. */
      parents: Flag.optional(),
      modified: Time.optional(),
      /** Forget what an earlier attempt left. */
      fresh: Flag.optional(),
    }),
    output: z.object({
      upload: UploadId.optional(),
      piece: Octets.optional(),
      have: Ranges.optional(),
      /** Nothing need be sent: a file that one may download has this content. */
      done: Flag.optional(),
      path: FilePath.optional(),
      size: Octets.optional(),
      hash: Hash.optional(),
      seq: Seq.optional(),
    }),
    content: 'in',
    needs: ['upload', 'path'],
  }),
  CHUNK: command({
    summary: 'Send a piece of an upload; the reply means written.',
    words: ['upload'],
    input: z.object({ upload: UploadId, offset: Octets }),
    output: z.object({ upload: UploadId, offset: Octets, size: Octets }),
    content: 'in',
    independent: true,
    repeatable: 'yes',
  }),
  OFFSET: command({
    summary: 'Say what of an upload is safe on disk.',
    words: ['upload'],
    input: z.object({ upload: UploadId }),
    output: z.object({ upload: UploadId, size: Octets.optional(), have: Ranges }),
    repeatable: 'yes',
  }),
  COMMIT: command({
    summary: 'Make the upload a file, checked against size= and hash=; repeating it gets the same answer.',
    words: ['upload'],
    input: z.object({ upload: UploadId, size: Octets.optional(), hash: Hash.optional() }),
    output: z.object({ path: FilePath, size: Octets, hash: Hash, seq: Seq.optional() }),
    repeatable: 'yes',
  }),
  ABORT: command({
    summary: 'Give an upload up and forget what it held.',
    words: ['upload'],
    input: z.object({ upload: UploadId }),
    output: z.object({ upload: UploadId }),
    repeatable: 'yes',
  }),
  UPLOADS: command({
    summary: 'List your unfinished uploads.',
    words: [],
    input: z.object({}),
    output: z.object({ count: Count }),
    rows: z.object({ upload: UploadId, path: FilePath, size: Octets.optional(), held: Octets, expires: Time }),
    repeatable: 'yes',
  }),
};
