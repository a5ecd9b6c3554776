/** A comparison as a cell of a table. */
import type { Comparison } from '../contest.ts';
import { short, spread } from '../table.ts';

const words = { more: 'more', less: 'less', even: 'within the noise' } as const;

export function shown({ ratio, low, high, verdict }: Comparison): string {
  return `**${short(ratio)}** (${spread([low, high])}), ${words[verdict]}`;
}
