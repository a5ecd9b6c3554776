/** TABLE 1: every command of the hub, on every wire. */
import { access } from './access.ts';
import type { Command, Input, Output, Parsed } from './command.ts';
import { files } from './files.ts';
import { messages } from './messages.ts';
import { people } from './people.ts';
import { pieces } from './pieces.ts';
import { rights } from './rights.ts';
import { rooms } from './rooms.ts';
import { stats } from './stats.ts';
import { talk } from './talk.ts';
import { uploads } from './uploads.ts';
import { watches } from './watches.ts';
import { webhooks } from './webhooks.ts';
import { wire } from './wire.ts';

export const commands = {
  ...people,
  ...rooms,
  ...messages,
  ...talk,
  ...files,
  ...uploads,
  ...pieces,
  ...watches,
  ...rights,
  ...access,
  ...stats,
  ...webhooks,
  ...wire,
};

export type CommandName = keyof typeof commands;
export type CommandOf<N extends CommandName> = (typeof commands)[N];
export type InputOf<N extends CommandName> = Input<CommandOf<N>>;
export type ParsedOf<N extends CommandName> = Parsed<CommandOf<N>>;
export type OutputOf<N extends CommandName> = Output<CommandOf<N>>;

/** The subjects in the order in which help shows them. */
export const subjects: Readonly<Record<string, Readonly<Record<string, Command>>>> = {
  people,
  rooms,
  messages,
  talk,
  files,
  uploads,
  pieces,
  watches,
  rights,
  access,
  stats,
  webhooks,
  wire,
};

export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(commands, name);
}
