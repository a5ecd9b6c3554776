/** What the worker's rows mean: columns become the rows of `host.ts`. */
import type { LogEvent } from '../../../shared/events.ts';
import type { Hash } from '../../../shared/model.ts';
import type { FilePath } from '../../../shared/names.ts';
import type { Document, EntryRow, LogRow, PrincipalId, TranscriptFile } from '../../hub/host.ts';
import type { Row } from './database.ts';

/** seq, by, event */
export function logRow([seq, by, event]: Row): LogRow {
  return { by: by as PrincipalId, event: { ...JSON.parse(String(event)), seq } as LogEvent };
}

/** seq, by, event, reactions */
export function reactedRow(row: Row): LogRow {
  const reactions = row[3];
  return typeof reactions === 'string' ? { ...logRow(row), reactions: JSON.parse(reactions) } : logRow(row);
}

/** path, owner, owner_name, modified, size, hash, blob, seq, added, inline */
export function entryRow([path, owner, ownerName, modified, size, hash, blob, seq, added, inline]: Row): EntryRow {
  const common = {
    path: path as FilePath,
    owner: owner as PrincipalId,
    ownerName: String(ownerName),
    modified: String(modified),
    ...(seq !== null && { seq: Number(seq) }),
    ...(typeof added === 'string' && { added }),
  };
  if (size === null) return { ...common, type: 'dir' };
  const octets = inline instanceof Uint8Array ? inline : new Uint8Array();
  const content = blob === null ? { kind: 'inline' as const, octets } : { kind: 'blob' as const, id: String(blob) };
  return { ...common, type: 'file', size: Number(size), hash: hash as Hash, content };
}

/** key, version, value */
export function documentRow<T>([key, version, value]: Row): Document<T> {
  return { key: String(key), version: Number(version), value: JSON.parse(String(value)) as T };
}

/** name, size, modified */
export function transcriptFile([name, size, modified]: Row): TranscriptFile {
  return { name: String(name), size: Number(size), modified: String(modified) };
}
