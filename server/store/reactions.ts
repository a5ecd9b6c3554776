/** What a reaction makes of those that a message has: worded once for all stores. */
import type { PrincipalId, Reactions } from '../hub/host.ts';

/** The reactions behind the step; undefined if it would change nothing. */
export function reacted(before: Reactions, emoji: string, by: PrincipalId, isOn: boolean): Reactions | undefined {
  // Own keys only: `constructor` is a word of letters too.
  const known = Object.hasOwn(before, emoji) ? before[emoji]! : [];
  if (known.includes(by) === isOn) return undefined;
  const people = isOn ? [...known, by] : known.filter(principal => principal !== by);
  // In its place, so that what is shown does not jump about.
  const after = { ...before, [emoji]: people };
  if (people.length === 0) delete after[emoji];
  return after;
}
