// How the page is built and served: models and the service worker beside it, the package in files of its own.
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { defineConfig, type Plugin } from 'vite';

const here = fileURLToPath(new URL('.', import.meta.url));
const built = (door: string): string => fileURLToPath(new URL(`../../dist/${door}.js`, import.meta.url));

/** What the page may do: nothing but load itself, compute, and show pictures of the user. */
const policy = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "img-src 'self' blob:",
  "media-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** Isolated, so that threads may share memory. */
const headers = {
  'content-security-policy': `${policy}; frame-ancestors 'none'`,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/** Larger models are kept for visits without a network only once they were used. */
const mostBytesKept = 8_000_000;

/** Puts every folder of `models` into the page, and lists them in `models/index.json`. */
function models(): Plugin {
  return {
    name: 'models',
    apply: 'build',
    async generateBundle() {
      const list: unknown[] = [];
      for (const folder of await foldersOf(join(here, 'models'))) {
        for (const file of await readdir(join(here, 'models', folder))) {
          const source = await readFile(join(here, 'models', folder, file));
          this.emitFile({ type: 'asset', fileName: `models/${folder}/${file}`, source });
        }
        const about = await readFile(join(here, 'models', folder, 'about.json'), 'utf8').catch(() => '{}');
        list.push({ path: `models/${folder}/model.json`, name: folder, ...(JSON.parse(about) as object) });
      }
      this.emitFile({ type: 'asset', fileName: 'models/index.json', source: JSON.stringify(list) });
    },
  };
}

async function foldersOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

/** Writes the policy into the page too, for servers that send no headers. */
function policyOfPage(): Plugin {
  return {
    name: 'policy of the page',
    apply: 'build',
    transformIndexHtml: () => [
      { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: policy }, injectTo: 'head-prepend' },
    ],
  };
}

/** Writes the service worker when all other files are there: it lists them. */
function serviceWorker(): Plugin {
  return {
    name: 'service worker',
    apply: 'build',
    async writeBundle({ dir = '' }) {
      const files: string[] = [];
      const hash = createHash('sha256');
      for (const file of (await readdir(dir, { recursive: true })).sort()) {
        const path = join(dir, file);
        const { size } = await stat(path);
        if (!(await stat(path)).isFile() || size > mostBytesKept || file === 'serviceWorker.js') continue;
        files.push(file === 'index.html' ? './' : file);
        hash.update(file).update(await readFile(path));
      }
      await build({
        entryPoints: [join(here, 'offline/serviceWorker.ts')],
        outfile: join(dir, 'serviceWorker.js'),
        bundle: true,
        minify: true,
        tsconfigRaw: '{}',
        define: { pageFiles: JSON.stringify(files), pageVersion: JSON.stringify(hash.digest('hex').slice(0, 16)) },
        logLevel: 'warning',
      });
    },
  };
}

/** The page's own code in a file of its own; the package and tfjs as Vite divides them. */
const ownCode = {
  includeDependenciesRecursively: false,
  groups: [{ name: 'page', test: /[\\/]trainer[\\/]src[\\/]/ }],
};

export default defineConfig({
  root: here,
  base: './',
  resolve: {
    alias: [
      { find: /^transferkit$/, replacement: built('index') },
      { find: /^transferkit\/(\w+)$/, replacement: built('$1') },
    ],
  },
  plugins: [models(), policyOfPage(), serviceWorker()],
  build: {
    outDir: join(here, 'dist'),
    emptyOutDir: true,
    target: 'es2022',
    // The package and tfjs.
    chunkSizeWarningLimit: 2000,
    rolldownOptions: { output: { codeSplitting: ownCode } },
  },
  worker: { format: 'es' },
  preview: { port: 4180, strictPort: false, headers },
});
