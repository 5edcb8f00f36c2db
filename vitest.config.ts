// How the tests run: from the sources, without a build. The package's own names resolve to the doors in src.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: '#platform', replacement: source('node/platform.ts') },
      { find: /^transferkit$/, replacement: source('index.ts') },
      { find: /^transferkit\/(node|browser|layers|testing)$/, replacement: source('$1.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    globals: false,
    // Each file has its own process: tfjs keeps its backends, kernels and tensors in one global engine.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
