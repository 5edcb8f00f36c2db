// The build, in three forms. For bundlers every module of src is a module of its own: they take what an import needs and no
// more, and leave for later what is imported later. For Node, which reads every file by itself, what is imported together is
// one file. The declarations of the doors serve both. For pages without a bundler there is all of it with TensorFlow.js
// (standalone.config.ts).
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { defineConfig, type Options } from 'tsup';
import { buildStandalone } from './standalone.config.ts';

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly exports: Readonly<Record<string, unknown>>;
};

const doors = Object.keys(manifest.exports)
  .filter((path) => path !== './package.json')
  .map((path) => (path === '.' ? 'index' : path.slice('./'.length)));

// The kernels' sources are AssemblyScript: binaries.ts holds what they compile to. The program is for Node alone.
const modules = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !/^(engines\/kernels\/assembly|cli)\//.test(path))
  .map((path) => `src/${path}`);

/** Modules name each other by the files that they are in the end. */
const names = /((?:\bfrom|\bimport)\s*\(?\s*['"]\.{1,2}\/[^'"]*)\.ts(?=['"])/g;

const both: Options = {
  format: ['esm'],
  target: 'es2022',
  platform: 'neutral',
  treeshake: false,
  sourcemap: true,
  minify: false,
};

const forBundlers: Options = {
  ...both,
  entry: modules,
  bundle: false,
  dts: {
    entry: Object.fromEntries(doors.map((door) => [door, `src/${door}.ts`])),
    // Bundling the declarations drops the reference that src/core/disposal.ts has: users need it for `Disposable`.
    banner: '/// <reference lib="esnext.disposable" />',
  },
  clean: ['**/*', '!bundled/**'],
  onSuccess: async () => {
    await buildStandalone(doors.filter((door) => door !== 'node'));
    await writeThread();
  },
  esbuildPlugins: [
    {
      name: 'module names',
      setup(build) {
        build.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
          contents: readFileSync(path, 'utf8').replace(names, '$1.js'),
          loader: 'ts',
        }));
      },
    },
  ],
};

/** Workers of threads have a file of their own, for pages that allow no other: the same code as the text that others start. */
async function writeThread(): Promise<void> {
  const built = (path: string) =>
    import(/* @vite-ignore */ new URL(`dist/${path}`, import.meta.url).href) as Promise<unknown>;
  const { workerCode } = (await built('platform/browser/threads.js')) as { workerCode: (source: string) => string };
  const { threadSource } = (await built('engines/kernels/kernelModule.js')) as { threadSource: () => string };
  const code = workerCode(threadSource());
  for (const folder of ['platform/browser', 'esm/parts', '.']) {
    mkdirSync(`dist/${folder}`, { recursive: true });
    writeFileSync(`dist/${folder}/thread.js`, code);
  }
}

const forNode: Options = {
  ...both,
  entry: {
    ...Object.fromEntries(doors.filter((door) => door !== 'browser').map((door) => [door, `src/${door}.ts`])),
    'platform/node/platform': 'src/platform/node/platform.ts',
    cli: 'src/cli/main.ts',
  },
  outDir: 'dist/bundled',
  // What several doors share lives in one file, so that there is one of each class and one of each table.
  splitting: true,
  clean: true,
  // The platform is the one that Node finds by the package's imports map.
  external: ['#platform', /^node:/],
};

export default defineConfig([forBundlers, forNode]);
