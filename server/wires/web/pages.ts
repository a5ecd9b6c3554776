/** What a browser is shown: the page at `/`, and the documentation at `/docs`, rendered from `docs/` when first asked for. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { HubError } from '../../../shared/errors.ts';
import { pageFileRoutes } from './page-files.ts';

export interface PagesOptions {
  readonly hub: string;
  /** Wire → port, of what listens. */
  doors(): ReadonlyMap<string, number>;
}

const docsFolder = fileURLToPath(new URL('../../../../docs/', import.meta.url));

const style = `:root { color-scheme: light dark; font: 1rem/1.55 system-ui, sans-serif }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
h1, h2, h3 { line-height: 1.25 }
code, pre { font-family: ui-monospace, monospace; font-size: .9em }
pre { overflow-x: auto; padding: .75rem; border: 1px solid #8886; border-radius: .4rem }
table { border-collapse: collapse; display: block; overflow-x: auto }
td, th { border: 1px solid #8886; padding: .25rem .6rem; text-align: left; vertical-align: top }
`;

export async function pageRoutes(app: FastifyInstance, { hub, doors }: PagesOptions): Promise<void> {
  const rendered = new Map<string, string>();
  const pages = await pageNames();

  app.get('/style.css', (_request, reply) => reply.type('text/css; charset=utf-8').send(style));
  await pageFileRoutes(app, () => landing(hub, doors()));
  app.get('/docs', (_request, reply) => reply.redirect('/docs/'));
  app.get<{ Params: { '*': string } }>('/docs/*', async (request, reply) => {
    const name = request.params['*'];
    if (name !== '' && !pages.includes(name)) throw new HubError('no-file', 'there is no such page; /docs lists all');
    if (name !== '' && !name.endsWith('.md')) {
      return reply.type('text/plain; charset=utf-8').send(await readFile(join(docsFolder, name)));
    }
    const html = rendered.get(name) ?? (name === '' ? contents(pages) : await render(name));
    rendered.set(name, html);
    return reply.type('text/html; charset=utf-8').send(html);
  });
}

/** Names of the files below `docs/`; none where they are not installed. */
async function pageNames(): Promise<readonly string[]> {
  const entries = await readdir(docsFolder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter(entry => entry.isFile());
  return files.map(({ parentPath, name }) => relative(docsFolder, join(parentPath, name))).sort();
}

async function render(name: string): Promise<string> {
  const text = await readFile(join(docsFolder, name), 'utf8');
  const { marked } = await import('marked');
  const title = /^# (.*)$/m.exec(text)?.[1] ?? name;
  return page(title, `<nav><a href="/">hub</a> · <a href="/docs/">documentation</a></nav>\n${await marked(text)}`);
}

function contents(names: readonly string[]): string {
  const items = names.map(name => `<li><a href="/docs/${escaped(name)}">${escaped(name)}</a></li>`);
  return page('Documentation', `<nav><a href="/">hub</a></nav>\n<h1>Documentation</h1>\n<ul>${items.join('\n')}</ul>`);
}

const doorNames: Readonly<Record<string, string>> = {
  line: 'the line protocol, for nc and the command line',
  'line-tls': 'the line protocol over TLS',
  telnet: 'TELNET',
  'telnet-tls': 'TELNET over TLS',
  ftp: 'FTP',
  'ftp-tls': 'FTP over TLS',
  http: 'HTTP and WebSocket',
  https: 'HTTP and WebSocket over TLS',
};

function landing(hub: string, doors: ReadonlyMap<string, number>): string {
  const rows = [...doors].map(([name, port]) => `  ${String(port).padEnd(6)} ${doorNames[name] ?? name}`);
  return `${hub} is a partyline hub: rooms and files, reachable from whatever client is there.
A browser shows the rooms at this address. These doors are open:

${rows.join('\n')}

curl -u NAME -T FILE http://HOST:PORT/files/lobby/   sends a file
curl -u NAME http://HOST:PORT/files/lobby/           lists a room
/docs/            the documentation
/openapi.json     the HTTP interface
/asyncapi.json    the WebSocket
`;
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><link rel="stylesheet" href="/style.css"></head>
<body>${body}</body></html>
`;
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/g, sign => `&#${sign.charCodeAt(0)};`);
}
