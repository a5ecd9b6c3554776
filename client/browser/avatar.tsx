/** A person as a letter in a colour of their own: nothing is fetched for it. */
import { hueOf } from './words.ts';

export function Avatar({ name }: { readonly name: string }) {
  return (
    <span class={`avatar hue-${hueOf(name)}`} aria-hidden="true">
      {[...name][0]?.toUpperCase()}
    </span>
  );
}
