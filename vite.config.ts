/** How the page is built: one HTML, one script, one style sheet, and each of them compressed beside itself. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const outDir = join(import.meta.dirname, 'dist/client/page');

function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    async closeBundle() {
      for (const name of await readdir(outDir)) {
        if (!/\.(html|js|css|svg)$/.test(name)) continue;
        const content = await readFile(join(outDir, name));
        await writeFile(join(outDir, `${name}.br`), brotliCompressSync(content));
        await writeFile(join(outDir, `${name}.gz`), gzipSync(content));
      }
    },
  };
}

export default defineConfig({
  root: join(import.meta.dirname, 'client/browser'),
  base: '/',
  publicDir: false,
  logLevel: 'warn',
  plugins: [compressed()],
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rollupOptions: {
      output: { entryFileNames: 'page.js', chunkFileNames: 'page-[name].js', assetFileNames: 'page[extname]' },
    },
  },
});
