/** What may be shown in a browser, by the name's ending; everything else is only saved. Nothing here can run a script. */

const shown: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
  mp3: 'audio/mpeg',
  ogg: 'audio/ogg',
  wav: 'audio/wav',
  flac: 'audio/flac',
  mp4: 'video/mp4',
  webm: 'video/webm',
  pdf: 'application/pdf',
  txt: 'text/plain; charset=utf-8',
  log: 'text/plain; charset=utf-8',
  md: 'text/plain; charset=utf-8',
  csv: 'text/plain; charset=utf-8',
  json: 'text/plain; charset=utf-8',
  jsonl: 'text/plain; charset=utf-8',
};

export interface Presentation {
  readonly 'content-type': string;
  readonly 'content-disposition': string;
  readonly 'content-security-policy': string;
}

/** Headers with which a file of this name is given out. RFC 6266, RFC 8187. */
export function presentationOf(name: string): Presentation {
  const type = shown[name.slice(name.lastIndexOf('.') + 1).toLowerCase()];
  const encoded = encodeURIComponent(name).replaceAll(/['()*]/g, sign => `%${sign.charCodeAt(0).toString(16)}`);
  const how = type === undefined ? 'attachment' : 'inline';
  return {
    'content-type': type ?? 'application/octet-stream',
    'content-disposition': `${how}; filename*=UTF-8''${encoded}`,
    'content-security-policy': "default-src 'none'; sandbox",
  };
}
