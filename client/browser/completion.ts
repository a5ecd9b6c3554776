/** What Tab makes of the word in front of the cursor: people, rooms, commands and files. Pure. */

export interface Candidates {
  readonly people: readonly string[];
  readonly rooms: readonly string[];
  readonly commands: readonly string[];
  readonly files: readonly string[];
}

export interface Completion {
  /** Where the word begins. */
  readonly start: number;
  readonly choices: readonly string[];
}

const choicesMax = 8;

/** Undefined where nothing begins like the word. A word without a sign is completed only when it is `asked` for. */
export function completionAt(text: string, at: number, all: Candidates, asked: boolean): Completion | undefined {
  const start = text.slice(0, at).search(/\S*$/);
  const word = text.slice(start, at);
  const choices = choicesFor(word, start, all, asked).slice(0, choicesMax);
  return choices.length > 0 && !(choices.length === 1 && choices[0] === word) ? { start, choices } : undefined;
}

function choicesFor(word: string, start: number, all: Candidates, asked: boolean): readonly string[] {
  const like = (names: readonly string[], sign: string) =>
    names.map(name => `${sign}${name}`).filter(name => name.toLowerCase().startsWith(word.toLowerCase()));
  if (word.startsWith('@')) return like(all.people, '@');
  if (word.startsWith('#')) return like(all.rooms, '#');
  if (word.startsWith('/') && start === 0) return like(all.commands, '/');
  if (!asked || word === '') return [];
  return [...like(all.people, '').map(name => `@${name}`), ...like(all.files, '')];
}
