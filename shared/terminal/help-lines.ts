/** /help: the commands of this terminal, and those of the hub from its table. */
import type { Command } from '../commands/command.ts';
import { commands, subjects } from '../commands/index.ts';
import { type Line, line, span } from './line.ts';
import { commandOf, localCommands, slashUsage } from './slash.ts';

const keys = [
  ['Tab', 'completes names, commands and files'],
  ['↑ ↓ ^R', 'what you typed before'],
  ['^A ^E ^W ^U ^K ^Y', 'to the ends of the line; cut a word or a part, put it back'],
  ['^L', 'draws the screen anew'],
  ['^C', 'throws the line away'],
  ['^D twice', 'leaves'],
] as const;

/** Of one command, or of all. */
export function helpLines(about: string): readonly Line[] {
  const word = about.replace(/^\//, '').trim().toLowerCase();
  if (word !== '') return oneCommand(word);
  return [
    [span('strong', 'Here')],
    ...Object.entries(localCommands).map(([name, [usage, help]]) => entry(`/${name}${usage}`, help)),
    [span('strong', 'Keys')],
    ...keys.map(([key, help]) => entry(key, help)),
    ...Object.entries(subjects).flatMap(([subject, table]) => [
      [span('strong', `${subject[0]!.toUpperCase()}${subject.slice(1)}`)],
      ...Object.entries(table).map(([name, { summary }]: [string, Command]) =>
        entry(slashUsage(name as never), summary),
      ),
    ]),
  ];
}

function oneCommand(word: string): readonly Line[] {
  const local = localCommands[word];
  if (local) return [entry(`/${word}${local[0]}`, local[1])];
  const verb = commandOf(word);
  if (!verb) return [[span('error', `there is no /${word}; /help lists all`)]];
  return [entry(slashUsage(verb), commands[verb].summary)];
}

function entry(usage: string, help: string): Line {
  return line`  ${span('note', usage)}  ${help}`;
}
