/** `npm run bench -- line [--rounds N] [--only NAME]`: measures the line wire beside bare programs and peers; prints Markdown. */
import { parseArgs } from 'node:util';
import { cases } from './line/cases.ts';
import { machineLine } from './machine.ts';

const usage = `npm run bench -- line [--rounds N] [--only NAME]

  --rounds N   measurements of each contestant (default 5)
  --only NAME  one of ${Object.keys(cases).join(', ')}; may be given more than once
`;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', multiple: true },
    help: { type: 'boolean' },
  },
});
const only = values.only ?? Object.keys(cases);
const unknown = only.find(name => !Object.hasOwn(cases, name));
if (values.help || positionals.join() !== 'line' || unknown !== undefined || !(Number(values.rounds) >= 1)) {
  process.stdout.write(usage);
  process.exitCode = values.help ? 0 : 64;
} else {
  process.stdout.write(`${new Date().toISOString().slice(0, 10)}, ${machineLine()}, ${values.rounds} rounds\n`);
  for (const name of only) {
    process.stdout.write(`\n## ${name}\n\n${await cases[name]?.(Number(values.rounds))}\n`);
  }
}
