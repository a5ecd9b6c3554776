/** The line that stands above every result: where it was measured. */
import { cpus, release, totalmem } from 'node:os';

export function machineLine(): string {
  const gib = Math.round(totalmem() / 2 ** 30);
  const model = cpus()[0]?.model ?? 'unknown processor';
  return `${cpus().length} cores (${model}), ${gib} GiB, ${process.platform} ${release()}, Node ${process.version}`;
}
