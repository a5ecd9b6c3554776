/** The lessons of `partyline explain`: what is made to happen, and what is said before and behind it, in English and Chinese. */
import { closeLesson } from './lesson-close.ts';
import { halfCloseLesson } from './lesson-half-close.ts';
import { handshakeLesson } from './lesson-handshake.ts';
import { layersLesson } from './lesson-layers.ts';
import type { Play, Scene } from './stage.ts';

export type Language = 'en' | 'zh';
/** The same in every language. */
export type Told = Readonly<Record<Language, readonly string[]>>;

/** What the person chose. */
export interface Choice {
  readonly hasReply: boolean;
  readonly holdMs?: number;
}

/** The part of a connection that is drawn. */
export type Shown = 'handshake' | 'close' | 'layers';

export interface Lesson {
  before(choice: Choice): Told;
  play(choice: Choice): Play;
  readonly shows: Shown;
  /** All was seen that can be; left out: it always is. */
  isWhole?(scene: Scene, choice: Choice): boolean;
  /** Only what this scene bears out. */
  after(scene: Scene, choice: Choice): Told;
}

export const lessons = {
  handshake: handshakeLesson,
  'half-close': halfCloseLesson,
  close: closeLesson,
  layers: layersLesson,
} as const satisfies Record<string, Lesson>;

export const topics = Object.keys(lessons) as readonly (keyof typeof lessons)[];

export function isTopic(word: string): word is keyof typeof lessons {
  return Object.hasOwn(lessons, word);
}
