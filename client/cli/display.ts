/** Transfers as a person or a program sees them: bars on a terminal, one line a file otherwise, or JSON. */
import type { SingleBar } from 'cli-progress';
import type { OnProgress, Progress } from '../progress.ts';
import type { Summary } from '../tree.ts';

export interface Display {
  readonly onProgress: OnProgress;
  finish(summary: Summary): void;
  stop(): void;
}

export async function chooseDisplay({ json }: { readonly json?: boolean }): Promise<Display> {
  if (json) return jsonDisplay();
  return process.stderr.isTTY ? barDisplay() : lineDisplay();
}

export function readableOctets(octets: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = octets < 1 ? 0 : Math.min(Math.floor(Math.log2(octets) / 10), units.length - 1);
  return `${(octets / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** `resumed at 63 %`, once a file, as soon as it is known. */
function resumeNote({ path, resumedFrom, total }: Progress): string {
  const percent = total === 0 ? 0 : Math.floor((100 * resumedFrom) / total);
  return `${path}: resumed at ${percent} %, ${readableOctets(total - resumedFrom)} to go`;
}

function summaryLine({ files, octets, same, kept }: Summary, startMs: number): string {
  const seconds = Math.max(0.001, (performance.now() - startMs) / 1000);
  const unchanged = same > 0 ? `, ${same} unchanged` : '';
  const spared = kept > 0 ? `, ${readableOctets(octets - kept)} of it sent` : '';
  return `${files} ${files === 1 ? 'file' : 'files'}, ${readableOctets(octets)} in ${seconds.toFixed(1)} s (${readableOctets(octets / seconds)}/s)${spared}${unchanged}`;
}

function jsonDisplay(): Display {
  const print = (value: unknown) => void process.stdout.write(`${JSON.stringify(value)}\n`);
  return {
    onProgress: progress => {
      if (progress.phase === 'done' || progress.phase === 'same') print(progress);
    },
    finish: ({ files, octets, same, kept }) => print({ phase: 'end', files, octets, same, kept }),
    stop: () => undefined,
  };
}

function lineDisplay(): Display {
  const startMs = performance.now();
  const told = new Set<string>();
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  return {
    onProgress: progress => {
      const { phase, path, resumedFrom, total } = progress;
      if (resumedFrom > 0 && (phase === 'send' || phase === 'receive') && !told.has(path)) {
        told.add(path);
        say(resumeNote(progress));
      }
      if (phase === 'done') say(`${path} ${readableOctets(total)}`);
    },
    finish: summary => say(summaryLine(summary, startMs)),
    stop: () => undefined,
  };
}

async function barDisplay(): Promise<Display> {
  // Only a terminal pays for it: most of a short command's time is loading.
  const { MultiBar, Presets } = await import('cli-progress');
  const startMs = performance.now();
  const format = '{phase} |{bar}| {percentage}% {done}/{size} {rate} ETA {eta_formatted} {path}';
  const bars = new MultiBar(
    { format, clearOnComplete: true, hideCursor: true, noTTYOutput: false, etaBuffer: 50 },
    Presets.shades_grey,
  );
  const byPath = new Map<string, { bar: SingleBar; sinceMs: number }>();
  return {
    onProgress: progress => {
      const { phase, path, octets, total, resumedFrom } = progress;
      const known = byPath.get(path);
      if (phase === 'done' || phase === 'same') {
        if (known) bars.remove(known.bar);
        byPath.delete(path);
        return;
      }
      const sinceMs = known?.sinceMs ?? performance.now();
      const seconds = Math.max(0.001, (performance.now() - sinceMs) / 1000);
      const rate = `${readableOctets(Math.max(0, octets - resumedFrom) / seconds)}/s`;
      const shown = { phase: phase.padEnd(7), path, done: readableOctets(octets), size: readableOctets(total), rate };
      if (known) known.bar.update(octets, shown);
      else {
        if (resumedFrom > 0) bars.log(`${resumeNote(progress)}\n`);
        byPath.set(path, { bar: bars.create(Math.max(1, total), octets, shown), sinceMs });
      }
    },
    finish: summary => {
      bars.stop();
      process.stderr.write(`${summaryLine(summary, startMs)}\n`);
    },
    stop: () => bars.stop(),
  };
}
