/** The queue of uploads above the message field: how far each is, and what can be done about it. */
import { useSignal } from '@preact/signals';
import { IconButton } from './icons.tsx';
import { say } from './preferences.ts';
import { useStore } from './store-context.ts';
import type { Upload } from './uploads.ts';
import { baseName, sizeText } from './words.ts';

/** Rows that are drawn of a long queue: what runs or needs somebody comes first. */
const rowsMax = 50;
const order = ['failed', 'needs-file', 'running', 'paused', 'waiting', 'done'];

export function UploadQueue() {
  const { uploads } = useStore();
  const isFolded = useSignal(false);
  const all = uploads.all.value;
  if (all.length === 0) return null;
  const done = all.filter(({ state }) => state === 'done').length;
  const rows = [...all].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state)).slice(0, rowsMax);
  const held = all.reduce((sum, one) => sum + one.held, 0);
  const size = all.reduce((sum, one) => sum + one.size, 0);
  return (
    <section class="uploads" aria-label={say('uploads')}>
      <header>
        <button
          type="button"
          class="plain grow"
          aria-expanded={!isFolded.value}
          onClick={() => (isFolded.value = !isFolded.value)}
        >
          <b>{say('uploads')}</b> <span role="status">{say('uploadsSummary', { done, all: all.length })}</span>
        </button>
        {done > 0 && (
          <button type="button" class="plain" onClick={() => uploads.clearDone()}>
            {say('clearDone')}
          </button>
        )}
      </header>
      <progress max={Math.max(1, size)} value={held} aria-label={say('uploads')} />
      {!isFolded.value && (
        <ul>
          {rows.map(one => (
            <Row key={one.key} upload={one} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Row({ upload }: { readonly upload: Upload }) {
  const { uploads, link, failed } = useStore();
  const { key, path, size, held, state } = upload;
  const name = baseName(path);
  return (
    <li class={`upload is-${state}`}>
      <span class="grow" title={path}>
        {name}
        <small class="quiet">
          {' '}
          {sizeText(held)} / {sizeText(size)} · {words(upload, link.state.value.kind === 'up')}
        </small>
        {upload.error && <small class="fault">{upload.error}</small>}
      </span>
      {upload.isTaken && (
        <>
          <button type="button" class="plain" onClick={() => uploads.resume(key, { mode: 'replace' })}>
            {say('replace')}
          </button>
          <button type="button" class="plain" onClick={() => uploads.keepBoth(key)}>
            {say('keepBoth')}
          </button>
        </>
      )}
      {(state === 'running' || state === 'waiting') && (
        <IconButton icon="pause" label={`${say('pause')}: ${name}`} onClick={() => uploads.pause(key)} />
      )}
      {state === 'paused' && (
        <IconButton icon="play" label={`${say('resume')}: ${name}`} onClick={() => uploads.resume(key)} />
      )}
      {state === 'failed' && !upload.isTaken && (
        <IconButton icon="retry" label={`${say('retry')}: ${name}`} onClick={() => uploads.resume(key)} />
      )}
      {state === 'needs-file' && <ChooseAgain path={path} />}
      {state !== 'done' && (
        <IconButton
          icon="close"
          label={`${say('cancel')}: ${name}`}
          onClick={() => void uploads.cancel(key).catch(failed)}
        />
      )}
    </li>
  );
}

function ChooseAgain({ path }: { readonly path: string }) {
  const { uploads } = useStore();
  return (
    <label class="plain file-choice">
      {say('open')}
      <input
        type="file"
        class="unseen"
        onChange={({ currentTarget }) => {
          const file = currentTarget.files?.[0];
          if (file) uploads.add([{ file, path }]);
        }}
      />
    </label>
  );
}

function words({ state, perSecond, isChecking, size, held }: Upload, isUp: boolean): string {
  if (state === 'needs-file') return say('chooseAgain');
  if (state === 'waiting') return isUp ? say('waiting') : say('offlineWaiting');
  if (state === 'paused') return say('paused');
  if (state === 'done') return say('done');
  if (state === 'failed') return '';
  if (isChecking) return say('checking');
  const percent = size === 0 ? 100 : Math.floor((held / size) * 100);
  return perSecond > 0 ? `${percent} % · ${say('perSecond', { size: sizeText(perSecond) })}` : `${percent} %`;
}
