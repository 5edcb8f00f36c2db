// How the tests run: from the sources, without a build. The package's own names resolve to the doors in src.
import { fileURLToPath } from 'node:url';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

/** The tests of exactness and leaks once more, with another way of computing (test/support/testBackend.ts). */
const exactness = (
  name: string,
  env: Record<string, string>,
  files: readonly string[],
): TestProjectInlineConfiguration => ({
  extends: true,
  test: { name, env, include: files.map((file) => `test/${file}.test.ts`) },
});

const everyWay = ['train/training', 'trunk/conformance'];
const mostWays = [...everyWay, 'traps', 'freeze', 'train/edges', 'train/featureCache'];

/** Many runs of training, each way of which the tests of exactness see on cpu: on wasm alone. */
const longOnCpu = ['combinations', 'resume', 'steering'].map((file) => `test/train/${file}.test.ts`);

export default defineConfig({
  resolve: {
    alias: [
      { find: '#platform', replacement: source('node/platform.ts') },
      { find: /^transferkit$/, replacement: source('index.ts') },
      { find: /^transferkit\/(node|browser|layers|testing)$/, replacement: source('$1.ts') },
    ],
  },
  test: {
    projects: [
      { extends: true, test: { name: 'all', include: ['test/**/*.test.ts'], exclude: longOnCpu } },
      exactness('layer by layer', { TEST_FUSED: 'false', TEST_BACKEND: 'wasm' }, [
        ...mostWays,
        'trunk/batchNormTraining',
      ]),
      exactness('wasm', { TEST_BACKEND: 'wasm' }, [
        ...mostWays,
        'train/augment',
        'train/batchNorm',
        'train/linearSolver',
        'trunk/batchNormTraining',
        'train/combinations',
        'train/resume',
        'train/steering',
      ]),
      exactness('wasm, one thread', { TEST_BACKEND: 'wasm', TEST_THREADS: '1' }, everyWay),
      exactness('wasm, no kernels', { TEST_BACKEND: 'wasm', TEST_KERNELS: 'false' }, mostWays),
    ],
    globals: false,
    // Each file has its own process: tfjs keeps its backends, kernels and tensors in one global engine.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
