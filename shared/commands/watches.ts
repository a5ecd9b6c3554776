/** Table 1, watches: hearing of the files of a folder, and of nothing else. */
import * as z from 'zod';
import { FilePath } from '../names.ts';
import { command } from './command.ts';

const Watched = z.object({ path: FilePath });

export const watches = {
  WATCH: command({
    summary: 'Hear FILE events of a folder and all below it, without joining its room.',
    words: ['path'],
    input: Watched,
    output: Watched,
    needs: ['list', 'path'],
    repeatable: 'yes',
  }),
  UNWATCH: command({
    summary: 'Stop watching a folder.',
    words: ['path'],
    input: Watched,
    output: Watched,
  }),
};
