/** Colours of people, from their names: each stands off its background by at least 4.5 to 1, as WCAG 2 counts it. */

export type Rgb = readonly [red: number, green: number, blue: number];

export const backgrounds = { dark: [30, 30, 30], light: [250, 250, 250] } as const satisfies Record<string, Rgb>;
export type Background = keyof typeof backgrounds;

const contrastMin = 4.5;

function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map(octet => {
    const part = octet / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

/** From 1, the same, to 21, black on white. */
export function contrast(one: Rgb, other: Rgb): number {
  const [low, high] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (high! + 0.05) / (low! + 0.05);
}

const levels = [0, 95, 135, 175, 215, 255];

/** The colour at an index of the cube, 16 to 231, of terminals with 256. */
export function cubeColour(index: number): Rgb {
  const at = index - 16;
  return [levels[Math.floor(at / 36)]!, levels[Math.floor(at / 6) % 6]!, levels[at % 6]!];
}

const isReadable = (colour: Rgb, background: Background) => contrast(colour, backgrounds[background]) >= contrastMin;
const isColourful = (colour: Rgb) => Math.max(...colour) - Math.min(...colour) >= 80;

function readableCube(background: Background): readonly number[] {
  return Array.from({ length: 216 }, (_, i) => i + 16).filter(index => {
    const colour = cubeColour(index);
    return isColourful(colour) && isReadable(colour, background);
  });
}

/** The sixteen that a person chose for themselves: all but black, white, grey, and blue on dark or yellow on light. */
const sixteen = { dark: [91, 92, 93, 95, 96, 31, 32, 33, 35, 36], light: [31, 34, 35, 32, 36] } as const;
const cubes = { dark: readableCube('dark'), light: readableCube('light') } as const;

/** FNV-1a: the same name has the same colour everywhere. */
function hash(name: string): number {
  let sum = 0x811c9dc5;
  for (const char of name.toLowerCase()) sum = Math.imul(sum ^ char.codePointAt(0)!, 0x01000193);
  return sum >>> 0;
}

/** The parameters of SGR that colour this name. */
export function personColour(name: string, depth: '16' | '256' | 'true', background: Background): string {
  const number = hash(name);
  if (depth === '16') return String(sixteen[background][number % sixteen[background].length]);
  if (depth === '256') return `38;5;${cubes[background][number % cubes[background].length]}`;
  return `38;2;${readableHue(number, background).join(';')}`;
}

/** Any hue, as light or dark as it must be. */
export function readableHue(number: number, background: Background): Rgb {
  const hue = number % 360;
  for (let step = 0; step <= 20; step++) {
    const lightness = background === 'dark' ? 0.5 + step / 40 : 0.5 - step / 40;
    const colour = ofHue(hue, lightness);
    if (isReadable(colour, background)) return colour;
  }
  return background === 'dark' ? [255, 255, 255] : [0, 0, 0];
}

function ofHue(hue: number, lightness: number): Rgb {
  const reach = 0.7 * Math.min(lightness, 1 - lightness);
  const part = (offset: number) => {
    const at = (offset + hue / 30) % 12;
    return Math.round(255 * (lightness - reach * Math.max(-1, Math.min(at - 3, 9 - at, 1))));
  };
  return [part(0), part(8), part(4)];
}
