// The build: every module of src as a module of its own, and declarations for the doors. Bundlers then take what an import
// needs and no more, and leave for later what is imported later.
import { readdirSync, readFileSync } from 'node:fs';
import { defineConfig } from 'tsup';

// A door that package.json promises and that is not here fails in test/package.test.ts.
const doors = ['index', 'node', 'browser', 'testing', 'layers'];

// The kernels' sources are AssemblyScript: binaries.ts holds what they compile to.
const modules = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.startsWith('kernels/assembly'))
  .map((path) => `src/${path}`);

/** Modules name each other by the files that they are in the end. */
const names = /((?:\bfrom|\bimport)\s*\(?\s*['"]\.{1,2}\/[^'"]*)\.ts(?=['"])/g;

export default defineConfig({
  entry: modules,
  bundle: false,
  format: ['esm'],
  target: 'es2022',
  platform: 'neutral',
  dts: { entry: Object.fromEntries(doors.map((door) => [door, `src/${door}.ts`])) },
  splitting: false,
  treeshake: false,
  sourcemap: true,
  clean: true,
  minify: false,
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
});
