/** What a person chose on this browser: theme and language, and the words in it. Kept in the browser alone. */
import { effect, signal } from '@preact/signals';
import { type Catalogue, english, filled, type Key } from './catalogue.ts';
import { chinese } from './catalogue-chinese.ts';

export const themes = ['auto', 'light', 'dark', 'contrast'] as const;
export type Theme = (typeof themes)[number];
export const languages = { en: 'English', zh: '中文' } as const;
export type Language = keyof typeof languages;

const catalogues: Readonly<Record<Language, Catalogue>> = { en: english, zh: chinese };

/** Undefined where the browser keeps nothing. */
export function kept(key: string): string | undefined {
  try {
    return localStorage.getItem(`partyline.${key}`) ?? undefined;
  } catch {
    return undefined;
  }
}

export function keep(key: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(`partyline.${key}`);
    else localStorage.setItem(`partyline.${key}`, value);
  } catch {
    // A browser that keeps nothing is still one to talk in.
  }
}

export const theme = signal<Theme>(themes.find(one => one === kept('theme')) ?? 'auto');
export const language = signal<Language>((kept('language') ?? navigator.language).startsWith('zh') ? 'zh' : 'en');

effect(() => {
  document.documentElement.dataset['theme'] = theme.value;
  keep('theme', theme.value);
});
effect(() => {
  document.documentElement.lang = language.value;
});

export function chooseLanguage(chosen: Language): void {
  keep('language', chosen);
  language.value = chosen;
}

/** The words for the key in the person's language. */
export function say(key: Key, values?: Readonly<Record<string, string | number>>): string {
  return filled(catalogues[language.value][key], values);
}
