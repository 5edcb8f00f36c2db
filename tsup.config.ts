// The build: ES modules and declarations for the four doors, and one platform file for each environment.
import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    node: 'src/node.ts',
    browser: 'src/browser.ts',
    testing: 'src/testing.ts',
    // Reached through the package's imports map under the name #platform, never imported by the doors directly.
    'node/platform': 'src/node/platform.ts',
    'browser/platform': 'src/browser/platform.ts',
  },
  format: ['esm'],
  target: 'es2022',
  platform: 'neutral',
  dts: { entry: { index: 'src/index.ts', node: 'src/node.ts', browser: 'src/browser.ts', testing: 'src/testing.ts' } },
  // What several entries share lives in one chunk, so that there is one of each class and one of each table.
  splitting: true,
  treeshake: false,
  sourcemap: true,
  clean: true,
  minify: false,
  // Peers and built-in modules are external anyway; the platform must stay a question that the user's resolver answers.
  external: ['#platform', /^node:/],
});
