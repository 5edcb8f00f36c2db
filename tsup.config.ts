// The build: ES modules and declarations for the doors, and one platform file for each environment.
import { existsSync } from 'node:fs';
import { defineConfig } from 'tsup';

// A door that package.json promises and that is not here fails in test/package.test.ts.
const doors = Object.fromEntries(
  ['index', 'node', 'browser', 'testing', 'layers']
    .map((door): [string, string] => [door, `src/${door}.ts`])
    .filter(([, path]) => existsSync(path)),
);

export default defineConfig({
  entry: {
    ...doors,
    // Reached through the package's imports map under the name #platform, never imported by the doors directly.
    'node/platform': 'src/node/platform.ts',
    'browser/platform': 'src/browser/platform.ts',
  },
  format: ['esm'],
  target: 'es2022',
  platform: 'neutral',
  dts: { entry: doors },
  // What several entries share lives in one chunk, so that there is one of each class and one of each table.
  splitting: true,
  treeshake: false,
  sourcemap: true,
  clean: true,
  minify: false,
  // Peers and built-in modules are external anyway; the platform must stay a question that the user's resolver answers.
  external: ['#platform', /^node:/],
});
