/** Transcripts in memory: every look renders the whole log, which says what the fast way must give. */
import type { LogEvent } from '../../../shared/events.ts';
import { isInTranscript, transcriptForm, transcriptLine, transcriptsOf } from '../../../shared/transcript.ts';
import type { TranscriptFile } from '../../hub/host.ts';

interface Row {
  readonly event: LogEvent;
  readonly said?: string;
}

/** `bases`: octets in front of these rows. */
export function transcriptFiles(log: readonly Row[], bases: ReadonlyMap<string, number>): readonly TranscriptFile[] {
  const files = new Map<string, TranscriptFile>();
  for (const { event, said } of log) {
    for (const [name, form] of transcriptsOf(event.time)) {
      const size =
        (files.get(name)?.size ?? bases.get(name) ?? 0) + Buffer.byteLength(transcriptLine(form, event, said));
      files.set(name, { name, size, modified: event.time });
    }
  }
  return [...files.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function readTranscript(
  log: readonly Row[],
  bases: ReadonlyMap<string, number>,
  name: string,
  offset: number,
  length: number,
): Uint8Array {
  const form = transcriptForm(name);
  if (!form) return new Uint8Array();
  const lines = log
    .filter(({ event }) => isInTranscript(name, event.time))
    .map(({ event, said }) => transcriptLine(form, event, said));
  const octets = Buffer.concat([Buffer.alloc(bases.get(name) ?? 0, '\n'), Buffer.from(lines.join(''))]);
  return Uint8Array.from(octets.subarray(offset, offset + length));
}
