/** Holds the tree to its own rules: imports, sizes, names, first words, generated pages, links, reasons for dependencies. */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { generatedPages } from '../server/docs.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

async function filesBelow(folder: string, ending: RegExp): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter(entry => entry.isFile() && ending.test(entry.name))
    .map(entry => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

const folders = ['shared', 'server', 'client', 'test', 'bench'];

async function sources(): Promise<{ path: string; text: string }[]> {
  const paths = (await Promise.all(folders.map(folder => filesBelow(folder, /\.tsx?$/).catch(() => [])))).flat();
  return Promise.all(paths.map(async path => ({ path, text: await readFile(join(root, path), 'utf8') })));
}

function importsOf(path: string, text: string): string[] {
  const found = [...text.matchAll(/(?:^|\n)(?:import|export)[^;]*?from '([^']+)'|import\('([^']+)'\)/g)];
  return found.map(([, still, lazy]) => still ?? lazy!).map(to => (to.startsWith('.') ? join(dirname(path), to) : to));
}

/** Folder → what it may import, besides itself. The first that fits the path holds. */
const rules: readonly (readonly [folder: RegExp, allowed: RegExp])[] = [
  [/^shared\//, /^(shared\/|zod$)/],
  [/^server\/hub\//, /^(shared\/|node:crypto$|zod$)/],
  [/^server\/store\//, /^(server\/store\/|server\/hub\/(host|writes)\.ts$|shared\/|node:|libsql$)/],
  [/^server\/net\//, /^(shared\/(clock|limits)|node:|koffi$)/],
  [/^server\/wires\/[a-z-]+\.ts$/, /^(server\/net\/|server\/hub\/(hub|session)|shared\/|fastify$)/],
  [
    /^server\/wires\/(line|telnet)\//,
    /^(server\/wires\/ports|server\/net\/|server\/hub\/(hub|session)|shared\/|node:|fastify(-plugin)?$)/,
  ],
  [
    /^server\/wires\/ftp\//,
    /^(server\/wires\/(ftp\/|ports)|server\/net\/|server\/hub\/(hub|session)|shared\/|node:|fastify(-plugin)?$)/,
  ],
  [
    /^server\/wires\/web\//,
    /^(server\/net\/|server\/hub\/(hub|session)|shared\/|node:|zod$|fastify(-plugin)?$|@fastify\/|ws$|@tus\/server$|yazl$|range-parser$|marked$|prom-client$)/,
  ],
  [/^server\//, /^(server\/|shared\/|node:|fastify$|selfsigned$|smol-toml$|zod$)/],
  [
    /^client\/browser\//,
    /^(client\/(browser\/|clock\.ts$)|shared\/|preact(\/hooks)?$|@preact\/signals$|@noble\/hashes\/|uqr$)/,
  ],
  [
    /^client\/cli\//,
    /^(client\/|shared\/|node:|commander$|cli-progress$|@clack\/prompts$|uqr$|server\/(main|administration|settings-sources)\.ts$)/,
  ],
  [
    /^client\/(link|session|session-options|entering|room|joined-rooms|transport|way|line-way|line-entry|web-way|web-entry|request|unanswered|life-watch|errors|address|progress|mailbox|verbs|waiting-room)\.ts$/,
    /^(client\/(?!cli)|shared\/)/,
  ],
  [/^client\/web-socket\.ts$/, /^(client\/(?!cli)|ws$)/],
  [/^client\//, /^(client\/(?!cli)|shared\/|node:|ignore$)/],
];

t.test('every folder imports only what it may', async t => {
  const wrong: string[] = [];
  for (const { path, text } of await sources()) {
    const rule = rules.find(([folder]) => folder.test(path));
    if (!rule) continue;
    const own = `${dirname(path)}/`;
    for (const to of importsOf(path, text)) if (!to.startsWith(own) && !rule[1].test(to)) wrong.push(`${path} → ${to}`);
  }
  t.same(wrong, []);
});

t.test('files are of a size that is read with pleasure, named in kebab-case, and say first what they are', async t => {
  const wrong: string[] = [];
  for (const { path, text } of await sources()) {
    const lines = text.split('\n').length;
    const max = /^(shared|server\/hub)\//.test(path) ? 300 : path.startsWith('test/') ? 500 : 400;
    if (lines > max) wrong.push(`${path} has ${lines} lines`);
    if (!/^[a-z0-9-]+(\.test)?\.tsx?$/.test(path.split('/').at(-1)!)) wrong.push(`${path} is not kebab-case`);
    if (!/^(#!.*\n)?\/\*\*/.test(text)) wrong.push(`${path} does not begin with what it is`);
    if (/(utils|helpers|common|types)\//.test(path)) wrong.push(`${path} lies in a folder without a subject`);
  }
  t.same(wrong, []);
});

t.test('timers are made only by the clocks', async t => {
  const wrong = (await sources())
    .filter(({ path }) => !/^(test|bench)\/|^server\/net\/|^client\/clock\.ts$/.test(path))
    .filter(({ text }) => /(?<!\.)\bset(Timeout|Interval)\(/.test(text))
    .map(({ path }) => path);
  t.same(wrong, []);
});

t.test('the generated pages are current; npm run docs makes them', async t => {
  for (const [name, content] of generatedPages()) {
    t.equal(await readFile(join(root, 'docs', name), 'utf8').catch(() => ''), content, name);
  }
});

t.test('links between pages lead somewhere', async t => {
  const pages = [...(await filesBelow('docs', /\.md$/)), ...(await readdir(root)).filter(name => name.endsWith('.md'))];
  const wrong: string[] = [];
  for (const page of pages) {
    const text = await readFile(join(root, page), 'utf8');
    for (const [, link] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      const target = join(root, dirname(page), link!);
      await readFile(target).catch(error => error.code === 'EISDIR' || wrong.push(`${page} → ${link}`));
    }
  }
  t.same(wrong, []);
});

t.test('every dependency has its exact version and its reason', async t => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
    await readFile(join(root, 'package.json'), 'utf8'),
  );
  const reasons = await readFile(join(root, 'docs/decisions/0001-dependencies.md'), 'utf8');
  for (const [name, version] of Object.entries({ ...dependencies, ...optionalDependencies, ...devDependencies })) {
    t.match(version, /^\d+\.\d+\.\d+$/, `${name} is pinned`);
    t.ok(reasons.includes(name), `${name} has a reason`);
  }
});
