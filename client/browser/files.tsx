/** The folder view: what lies in a room, with what can be done about it. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Icon, IconButton } from './icons.tsx';
import type { Fields } from './link.ts';
import { say } from './preferences.ts';
import { Preview, previewKind } from './preview.tsx';
import { useStore } from './store-context.ts';
import { fileUrl, momentText, sizeText } from './words.ts';

interface Row {
  readonly name: string;
  readonly type: 'file' | 'dir';
  readonly size?: number;
  readonly modified?: string;
  readonly owner?: string;
  readonly hash?: string;
}

export function Files() {
  const store = useStore();
  const rows = useSignal<readonly Row[] | undefined>(undefined);
  const { value: folder } = store.folder;
  const isUp = store.link.state.value.kind === 'up';
  useEffect(() => {
    let isCurrent = true;
    store.link.rows('LS', { path: folder }).then(
      ({ rows: all }) => {
        if (isCurrent) rows.value = sorted(all as unknown as Row[]);
      },
      error => isCurrent && isUp && store.failed(error),
    );
    return () => {
      isCurrent = false;
    };
  }, [folder, store.filesChanged.value, isUp, store, rows]);

  const ask = (work: Promise<unknown>) =>
    work.then(() => store.filesChanged.value++).catch(error => store.failed(error));
  const makeFolder = () => {
    const name = prompt(say('folderName'));
    if (name) void ask(store.link.request('MKDIR', { path: `${folder}/${name}` }));
  };
  return (
    <>
      <Crumbs folder={folder} go={path => (store.folder.value = path)} />
      <div class="toolbar">
        <button type="button" onClick={makeFolder}>
          <Icon name="plus" /> {say('newFolder')}
        </button>
        <FolderChoice />
        <a class="button" href={`${fileUrl(folder)}?zip`} download>
          <Icon name="download" /> {say('asZip')}
        </a>
      </div>
      {rows.value?.length === 0 && <p class="quiet">{say('emptyFolder')}</p>}
      <ul class="files">
        {rows.value?.map(row => (
          <FileRow key={row.name} row={row} folder={folder} ask={ask} />
        ))}
      </ul>
    </>
  );
}

function sorted(rows: readonly Row[]): readonly Row[] {
  return [...rows].sort(
    (a, b) => a.type.localeCompare(b.type) || a.name.localeCompare(b.name, undefined, { numeric: true }),
  );
}

function Crumbs({ folder, go }: { readonly folder: string; readonly go: (path: string) => void }) {
  const parts = folder.slice(1).split('/');
  return (
    <nav class="crumbs" aria-label={say('files')}>
      {parts.map((part, at) => {
        const path = `/${parts.slice(0, at + 1).join('/')}`;
        return (
          <button
            type="button"
            class="plain"
            key={path}
            aria-current={path === folder ? 'location' : undefined}
            onClick={() => go(path)}
          >
            {part}
          </button>
        );
      })}
    </nav>
  );
}

function FolderChoice() {
  const store = useStore();
  return (
    <label class="button file-choice">
      <Icon name="up" /> {say('attachFolder')}
      <input
        type="file"
        class="unseen"
        {...{ webkitdirectory: true }}
        onChange={({ currentTarget }) => {
          const files = [...(currentTarget.files ?? [])];
          store.uploads.add(files.map(file => ({ file, path: `${store.folder.value}/${file.webkitRelativePath}` })));
          currentTarget.value = '';
        }}
      />
    </label>
  );
}

interface FileRowProps {
  readonly row: Row;
  readonly folder: string;
  readonly ask: (work: Promise<unknown>) => Promise<unknown>;
}

function FileRow({ row, folder, ask }: FileRowProps) {
  const store = useStore();
  const isOpen = useSignal(false);
  const path = `${folder}/${row.name}`;
  const { size = 0, modified, owner } = row;
  const kind = row.type === 'file' ? previewKind(path, size) : undefined;
  const rename = () => {
    const name = prompt(say('newName'), row.name);
    if (name && name !== row.name) void ask(store.link.request('MV', { from: path, to: `${folder}/${name}` }));
  };
  const remove = () => {
    if (confirm(say('removeFile', { path })))
      void ask(store.link.request('RM', { path, recursive: true } as Fields as never));
  };
  const open = () => {
    if (row.type === 'dir') store.folder.value = path;
    else if (kind) isOpen.value = !isOpen.value;
    else location.assign(`${fileUrl(path)}?download`);
  };
  return (
    <li>
      <div class="file-line">
        <Icon name={row.type === 'dir' ? 'files' : 'file'} />
        <button
          type="button"
          class="plain grow file-name"
          aria-expanded={kind ? isOpen.value : undefined}
          onClick={open}
        >
          {row.name}
          <small class="quiet">
            {[row.type === 'file' && sizeText(size), owner, modified && momentText(modified)]
              .filter(Boolean)
              .join(' · ')}
          </small>
        </button>
        <a
          class="icon-button"
          href={`${fileUrl(path)}?${row.type === 'dir' ? 'zip' : 'download'}`}
          aria-label={`${say('download')} ${row.name}`}
          title={say('download')}
        >
          <Icon name="download" />
        </a>
        <IconButton icon="edit" label={`${say('rename')} ${row.name}`} onClick={rename} />
        <IconButton icon="bin" label={`${say('remove')} ${row.name}`} onClick={remove} />
      </div>
      {kind && isOpen.value && <Preview kind={kind} path={path} version={row.hash ?? ''} />}
    </li>
  );
}
