/** Files out of what was dropped or pasted, with all that lies in dropped folders. */

export interface Dropped {
  readonly file: File;
  readonly path: string;
}

/** Must be called while the event is handled: the browser empties the data behind it. */
export async function droppedFiles(data: DataTransfer, folder: string): Promise<readonly Dropped[]> {
  const items = [...data.items].filter(({ kind }) => kind === 'file');
  const entries = items.map(item => ({ entry: item.webkitGetAsEntry?.() ?? null, file: item.getAsFile() }));
  const found: Dropped[] = [];
  for (const { entry, file } of entries) {
    if (entry) await gather(entry, folder, found);
    else if (file) found.push({ file, path: `${folder}/${file.name}` });
  }
  return found;
}

async function gather(entry: FileSystemEntry, folder: string, found: Dropped[]): Promise<void> {
  const path = `${folder}/${entry.name}`;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    found.push({ file, path });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader gives a hundred at a time, and none at its end.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return;
    for (const one of some) await gather(one, path, found);
  }
}
