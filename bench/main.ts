/** `npm run bench -- line|telnet|ftp|web [--rounds N] [--only NAME]`: measures a wire beside bare programs and peers; prints Markdown. */
import { parseArgs } from 'node:util';
import { cases as ftp } from './ftp/cases.ts';
import { cases as line } from './line/cases.ts';
import { machineLine } from './machine.ts';
import { cases as telnet } from './telnet/cases.ts';
import { cases as web } from './web/cases.ts';

const wires = new Map([
  ['line', line],
  ['telnet', telnet],
  ['ftp', ftp],
  ['web', web],
]);

const usage = `npm run bench -- WIRE [--rounds N] [--only NAME]

  --rounds N   measurements of each contestant (default 5)
  --only NAME  one of these; may be given more than once
${[...wires].map(([wire, cases]) => `               ${wire}: ${Object.keys(cases).join(', ')}\n`).join('')}`;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', multiple: true },
    help: { type: 'boolean' },
  },
});
const cases = wires.get(positionals.join()) ?? {};
const only = values.only ?? Object.keys(cases);
const isUnknown = only.length === 0 || only.some(name => !Object.hasOwn(cases, name));
if (values.help || isUnknown || !(Number(values.rounds) >= 1)) {
  process.stdout.write(usage);
  process.exitCode = values.help ? 0 : 64;
} else {
  process.stdout.write(`${new Date().toISOString().slice(0, 10)}, ${machineLine()}, ${values.rounds} rounds\n`);
  for (const name of only) {
    process.stdout.write(`\n## ${name}\n\n${await cases[name]?.(Number(values.rounds))}\n`);
  }
}
