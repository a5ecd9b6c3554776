/** Contestants measured in turns, in random order, and compared round by round with the spread of one against itself. */
import { median, range } from './statistics.ts';

export interface Contestant<T> {
  readonly name: string;
  /** One measurement. */
  run(): Promise<T>;
}

/** Every contestant once per round, in a new order each round. Resolves with name → samples, in the order of the rounds. */
export async function interleave<T>(
  contestants: readonly Contestant<T>[],
  rounds: number,
): Promise<ReadonlyMap<string, readonly T[]>> {
  const samples = new Map<string, T[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, run } of shuffled(contestants)) samples.get(name)!.push(await run());
  }
  return samples;
}

export interface Comparison {
  /** Median of A/B over the rounds, with the smallest and largest. */
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  /** `even` where the ratio lies within what A against itself showed. */
  readonly verdict: 'more' | 'less' | 'even';
}

/** `band` is what `controlBand` gave: in it nothing is said. */
export function compare(
  a: readonly number[],
  b: readonly number[],
  [bandLow, bandHigh]: readonly [number, number],
): Comparison {
  const ratios = a.map((value, round) => value / b[round]!);
  const ratio = median(ratios);
  const [low, high] = range(ratios);
  return { ratio, low, high, verdict: ratio > bandHigh ? 'more' : ratio < bandLow ? 'less' : 'even' };
}

/** `again` is A measured a second time in each round: the smallest and largest ratio, either way round. */
export function controlBand(a: readonly number[], again: readonly number[]): readonly [number, number] {
  return range(a.flatMap((value, round) => [value / again[round]!, again[round]! / value]));
}

function shuffled<T>(items: readonly T[]): T[] {
  const left = [...items];
  const order: T[] = [];
  while (left.length > 0) order.push(...left.splice(Math.floor(Math.random() * left.length), 1));
  return order;
}
