#!/usr/bin/env node
/** The command line: one program, a file of subcommands a subject. Exit codes are those of the one error table. */
import { Command } from 'commander';
import { addAdministrationCommands } from './administration.ts';
import { exitCodeOf } from './context.ts';
import { addExplainCommand } from './explain.ts';
import { addFileCommands } from './files.ts';
import { addHubCommands } from './hub-commands.ts';
import { addTalkCommands } from './talk.ts';
import { addWatchCommand } from './watch.ts';

const program = new Command('partyline')
  .description('One hub of rooms and files, reachable from nc, this program and your own.')
  .version('0.1.0')
  .enablePositionalOptions()
  // Subcommands inherit both, so they stand before these are added.
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'partyline: ')) })
  .addHelpText(
    'after',
    `
Addresses: pl://[user@]host[:port]/room/path, pls:// over TLS, or NAME:/room/path after partyline login.
Without a user one is a guest. Passwords: a prompt, PARTYLINE_PASSWORD, or --password-stdin; never an argument.
A token: PARTYLINE_TOKEN.`,
  );

addTalkCommands(program);
addFileCommands(program);
addHubCommands(program);
addWatchCommand(program);
addExplainCommand(program);
addAdministrationCommands(program);

try {
  const isServing = process.argv[2] === 'serve';
  await program.parseAsync(process.argv);
  if (!isServing) process.exit(process.exitCode ?? 0);
} catch (error) {
  const { code, exitCode } = error as { code?: unknown; exitCode?: unknown };
  const isUsage = typeof code === 'string' && code.startsWith('commander.');
  process.exit(isUsage ? (exitCode === 0 ? 0 : 64) : exitCodeOf(error));
}
