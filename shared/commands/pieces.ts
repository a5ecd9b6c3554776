/** Table 1, pieces: what a file or upload consists of, and taking from a file that is there what need not be sent. */
import * as z from 'zod';
import { limits } from '../limits.ts';
import { Count, Hash, Octets, PieceOctets, UploadId } from '../model.ts';
import { FilePath } from '../names.ts';
import { command } from './command.ts';

export const pieces = {
  PIECES: command({
    summary: 'Give the hash of each piece of a file, or of those that an upload of yours holds.',
    words: ['of'],
    input: z.object({
      of: z.union([FilePath, UploadId], { error: 'is a path, or the name that PUT answered' }),
      size: PieceOctets.default(limits.pieceOctets),
    }),
    output: z.object({ of: z.string(), size: Octets.optional(), hash: Hash.optional(), count: Count }),
    rows: z.object({ offset: Octets, length: Octets, hash: Hash }),
    repeatable: 'yes',
  }),
  KEEP: command({
    summary: 'Take length= octets of an upload from a file that is there, so that they need not be sent.',
    words: ['upload', 'from'],
    input: z.object({
      upload: UploadId,
      from: FilePath,
      offset: Octets,
      length: Octets,
      /** Where they stand in that file; left out: at the same offset. */
      'from-offset': Octets.optional(),
      'if-hash': Hash.optional(),
    }),
    output: z.object({ upload: UploadId, offset: Octets, size: Octets }),
    needs: ['download', 'from'],
    independent: true,
    repeatable: 'yes',
  }),
};
