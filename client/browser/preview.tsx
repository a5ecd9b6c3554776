/** Shows a file in the page by elements that run nothing: pictures, sound, film, and text as text. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { say } from './preferences.ts';
import { baseName, fileUrl } from './words.ts';

const kinds = {
  image: ['png', 'jpg', 'jpeg', 'gif', 'webp', 'avif'],
  video: ['mp4', 'webm'],
  audio: ['mp3', 'ogg', 'wav', 'flac'],
  text: ['txt', 'log', 'md', 'csv', 'json', 'jsonl'],
  pdf: ['pdf'],
} as const;

export type PreviewKind = keyof typeof kinds;

/** So much of a text is shown. */
const textOctets = 16 * 1024;
/** A larger picture is not fetched without being asked for. */
const imageOctetsMax = 20 * 1024 * 1024;

/** By the ending of the name, as the hub decides it too: what it gives out as a download has no preview. */
export function previewKind(path: string, size: number): PreviewKind | undefined {
  const name = baseName(path);
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  const kind = (Object.keys(kinds) as PreviewKind[]).find(one => (kinds[one] as readonly string[]).includes(ending));
  return kind === 'image' && size > imageOctetsMax ? undefined : kind;
}

export function Preview({
  kind,
  path,
  version,
}: {
  readonly kind: PreviewKind;
  readonly path: string;
  readonly version: string;
}) {
  const url = `${fileUrl(path)}?v=${encodeURIComponent(version.slice(-12))}`;
  switch (kind) {
    case 'image':
      return (
        <a class="preview" href={fileUrl(path)} target="_blank" rel="noopener">
          <img src={url} alt={baseName(path)} loading="lazy" />
        </a>
      );
    case 'video':
      return (
        // biome-ignore lint/a11y/useMediaCaption: a person's film has none.
        <video class="preview" src={url} controls preload="metadata" aria-label={baseName(path)} />
      );
    case 'audio':
      return (
        // biome-ignore lint/a11y/useMediaCaption: a person's sound has none.
        <audio class="preview" src={url} controls preload="none" aria-label={baseName(path)} />
      );
    case 'pdf':
      return (
        <p class="preview">
          <a href={url} target="_blank" rel="noopener">
            {say('open')} (PDF)
          </a>
        </p>
      );
    default:
      return <TextPreview url={url} />;
  }
}

function TextPreview({ url }: { readonly url: string }) {
  const text = useSignal(say('loading'));
  useEffect(() => {
    const abort = new AbortController();
    fetch(url, { headers: { range: `bytes=0-${textOctets - 1}` }, signal: abort.signal })
      .then(answer => answer.text())
      .then(
        content => (text.value = content.length >= textOctets ? `${content}\n…` : content),
        () => undefined,
      );
    return () => abort.abort();
  }, [url, text]);
  return (
    <pre class="preview" tabIndex={0}>
      {text.value}
    </pre>
  );
}
