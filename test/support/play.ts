/**
 * `npm run play -- FILE HOST:PORT`: plays one transcript against any server and prints the conversation as it happens.
 * Exit code 0 when the server said what the file says, 1 when not, 64 for wrong usage.
 */
import { parseArgs } from 'node:util';
import { dial } from './dial.ts';
import { MODES, playTranscript } from './play-transcript.ts';
import { readTranscript } from './transcript-files.ts';

const USAGE = `usage: npm run play -- FILE HOST:PORT [--tls] [--crlf] [--mode=${MODES.join('|')}] [--seed=N]\n`;

const parseCommandLine = () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      tls: { type: 'boolean', default: false },
      crlf: { type: 'boolean', default: false },
      mode: { type: 'string', default: 'whole' },
      seed: { type: 'string' },
    },
  });
  const [file, address = ''] = positionals;
  const [, host, port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(address) ?? [];
  const mode = MODES.find(known => known === values.mode);
  if (file === undefined || host === undefined || mode === undefined || positionals.length > 2)
    throw new Error('usage');
  return { ...values, file, host, port: Number(port), mode };
};

type CommandLine = ReturnType<typeof parseCommandLine>;

const playFile = async ({ file, host, port, tls, crlf, mode, seed }: CommandLine): Promise<void> => {
  const transcript = await readTranscript(file);
  await playTranscript(transcript, {
    connect: () => dial({ host, port, tls }),
    mode,
    lineEnd: crlf ? '\r\n' : '\n',
    ...(seed !== undefined && { seed: Number(seed) }),
    onLine: line => process.stdout.write(`${line}\n`),
  });
};

const main = async (): Promise<number> => {
  let commandLine: CommandLine;
  try {
    commandLine = parseCommandLine();
  } catch {
    process.stderr.write(USAGE);
    return 64;
  }
  try {
    await playFile(commandLine);
    return 0;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 1;
  }
};

process.exitCode = await main();
