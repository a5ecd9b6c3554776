/** What happened to a file, as an entry of the room, with a preview where a browser can show one safely. */
import { useSignal } from '@preact/signals';
import type { EventOf } from '../../shared/events.ts';
import { Icon } from './icons.tsx';
import { say } from './preferences.ts';
import { Preview, previewKind } from './preview.tsx';
import type { Store } from './session-store.ts';
import { baseName, fileUrl, sizeText } from './words.ts';

export function FileCard({ file }: { readonly file: EventOf<'FILE'>; readonly store: Store }) {
  const { op, path, to, size = 0, hash } = file;
  const kind = previewKind(path, size);
  const isOpen = useSignal(kind === 'image' || kind === 'video' || kind === 'audio');
  if (op !== 'put') {
    const text =
      op === 'remove'
        ? say('removedFile', { path: baseName(path) })
        : op === 'mkdir'
          ? say('madeFolder', { path: baseName(path) })
          : say('movedFile', { path: baseName(path), to: to ?? '' });
    return <p class="quiet">{text}</p>;
  }
  const url = fileUrl(path);
  return (
    <div class="file-card">
      <div class="file-line">
        <Icon name="file" />
        <a class="grow" href={url} target="_blank" rel="noopener">
          {baseName(path)}
        </a>
        <span class="quiet">{sizeText(size)}</span>
        {kind && (
          <button
            type="button"
            class="plain"
            aria-expanded={isOpen.value}
            onClick={() => (isOpen.value = !isOpen.value)}
          >
            {isOpen.value ? say('hidePreview') : say('preview')}
          </button>
        )}
        <a
          class="icon-button"
          href={`${url}?download`}
          aria-label={`${say('download')} ${baseName(path)}`}
          title={say('download')}
        >
          <Icon name="download" />
        </a>
      </div>
      {kind && isOpen.value && <Preview kind={kind} path={path} version={hash ?? ''} />}
    </div>
  );
}
