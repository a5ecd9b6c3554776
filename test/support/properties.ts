/** Properties under tap: the seed is printed, the long form runs more of them. */
import * as fc from 'fast-check';
import type { Test } from 'tap';
import { freshSeed } from './octets.ts';

const runs = process.env['PARTYLINE_TEST_LONG'] === '1' ? 100_000 : 3_000;

/** Passes if no example breaks the property; `numRuns` where one takes long. */
export function assertProperty<T>(t: Test, what: string, property: fc.IProperty<T>, numRuns: number = runs): void {
  const seed = freshSeed() | 0;
  const result = fc.check(property, { numRuns, seed });
  t.notOk(result.failed, `${what} (seed ${seed})${result.failed ? `\n${fc.defaultReportMessage(result)}` : ''}`);
}
