// How the tests run: from the sources, without a build. The package's own names resolve to the doors in src.
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin, type TestProjectInlineConfiguration } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

type Settings = NonNullable<TestProjectInlineConfiguration['test']>;

/** Where ways of computing would differ first. */
const numbers = ['networks/conformance', 'networks/gradients'];
const everyWay = ['training/training', 'networks/conformance', 'networks/gradients'];
const mostWays = [...everyWay, 'traps', 'freeze', 'training/edges', 'features/featureCache'];

/** What needs a process to itself: tests that load modules again, or start wasm in ways that later files would not expect. */
const alone = [
  'engines/backends/useBackend',
  'engines/kernels/module',
  'errors',
  'platform/node/decodePicture',
  'documentation',
  'examples',
  'package',
].map((file) => `test/${file}.test.ts`);

/** Tests that start wasm, some beside cpu: a process has it once, with shared memory, whichever of them comes first. */
const onWasm = [
  'engines/backends/convolutionGradients',
  'engines/backends/matMul',
  'engines/kernels/convolution',
  'engines/kernels/matMul',
  'knn',
  'nearestCentroid',
  'presets',
  'toGraphModel',
  'data/reading/gatherInputs',
  'losses/losses',
  'losses/mixBatch',
  'training/mobilenet',
  'networks/fold',
  'networks/foldLayers',
  'networks/foldPresets',
  'networks/fusedConvolution',
  'training/linearSolver',
  'networks/graphTrunk',
  'networks/functionActivation',
  'networks/ownNodes',
].map((file) => `test/${file}.test.ts`);

/** Pages in Chromium: one browser for all files of a process. These run in `npm test`. */
const pages = ['browser', 'pictures'].map((file) => `test/browser/${file}.test.ts`);

/** The other pages, in Chromium and Firefox: `npm run test:browser`. */
const browser = ['test/browser/*.test.ts'];

/** Many runs of training, each way of which the tests of exactness see on cpu: on wasm alone. */
const longOnCpu = [
  'calibrate',
  'compare',
  'findLearningRate',
  'severalHeads',
  'training/augment',
  'training/batchNorm',
  'training/combinations',
  'training/resume',
  'training/steering',
  'training/watch',
];

/** What folds networks, or depends on what they give folded: once more with ONNX Runtime. */
const onEngine = [
  'networks/conformance',
  'networks/fold',
  'networks/foldLayers',
  'networks/foldPresets',
  'networks/graphTrunk',
  'engines/engineNodes',
  'engines/onnxruntime',
  'engines/exportOnnx',
  'training/training',
  'training/resume',
  'features/featureCache',
  'evaluate',
  'predict',
  'views',
  'suggestCut',
  'knn',
  'nearestCentroid',
  'freeze',
  'traps',
];

/** Finds the package where `npm run test:engine` has installed it. */
const engineFolder: Plugin = {
  name: 'engine folder',
  enforce: 'pre',
  transform(code, id) {
    if (!id.endsWith('/src/platform/node/onnxRuntime.ts')) return undefined;
    const installed = new URL('./.cache/engine/node_modules/onnxruntime-node/dist/index.js', import.meta.url);
    return code.replace("importRuntime('onnxruntime-node')", `importRuntime('${installed.href}')`);
  },
};

// The mode `engine`: the package onnxruntime-node is installed, and runs what is frozen. The mode `thorough`: more cases, more processes, and every file of exactness in every way of computing.
export default defineConfig(({ mode }) => {
  const isThorough = mode === 'thorough';
  const withEngine = mode === 'engine';

  const project = ({ env = {}, ...test }: Settings): TestProjectInlineConfiguration => ({
    extends: true,
    plugins: withEngine ? [engineFolder] : [],
    test: { ...test, env: { ...env, TEST_THOROUGH: String(isThorough) } },
  });

  /** The tests of exactness and leaks once more, with another way of computing (test/support/testBackend.ts). */
  const exactness = (name: string, env: Record<string, string>, files: readonly string[], setup: string[] = []) =>
    project({ name, env, isolate: false, setupFiles: setup, include: files.map((file) => `test/${file}.test.ts`) });

  return {
    resolve: {
      alias: [
        { find: '#platform', replacement: source('platform/node/platform.ts') },
        { find: /^transferkit$/, replacement: source('index.ts') },
        { find: /^transferkit\/(\w+)$/, replacement: source('$1.ts') },
      ],
    },
    test: {
      projects: withEngine
        ? [
            exactness('onnxruntime', { TEST_BACKEND: 'wasm', TEST_ENGINE: 'onnxruntime' }, onEngine, [
              'test/support/startWasm.ts',
            ]),
          ]
        : [
            project({
              name: 'all',
              isolate: false,
              include: ['test/**/*.test.ts'],
              exclude: [
                'test/engines/engineNodes.test.ts',
                'test/engines/onnxruntime.test.ts',
                'test/engines/exportOnnx.test.ts',
                ...alone,
                ...onWasm,
                ...browser,
                ...longOnCpu.map((file) => `test/${file}.test.ts`),
              ],
            }),
            project({ name: 'alone', include: alone }),
            project({ name: 'on wasm', isolate: false, setupFiles: ['test/support/startWasm.ts'], include: onWasm }),
            project({ name: 'pages', isolate: false, include: pages }),
            project({ name: 'browser', isolate: false, include: browser, exclude: pages }),
            exactness('layer by layer', { TEST_FUSED: 'false', TEST_BACKEND: 'wasm' }, [
              ...(isThorough ? mostWays : numbers),
              'networks/batchNormTraining',
            ]),
            exactness('wasm', { TEST_BACKEND: 'wasm' }, [
              ...mostWays,
              ...longOnCpu,
              'blend',
              'training/linearSolver',
              'networks/batchNormTraining',
            ]),
            exactness(
              'wasm, no kernels',
              { TEST_BACKEND: 'wasm', TEST_KERNELS: 'false' },
              isThorough ? mostWays : numbers,
            ),
            ...(isThorough
              ? [exactness('wasm, one thread', { TEST_BACKEND: 'wasm', TEST_THREADS: '1' }, everyWay)]
              : []),
          ],
      globals: false,
      // tfjs keeps its backends, kernels and tensors in one global engine: projects have processes of their own. The files of a
      // project share them and import everything once, unless they are to be alone.
      pool: 'forks',
      // Each project would transform the sources again.
      experimental: { fsModuleCache: !withEngine },
      maxWorkers: 2,
      testTimeout: 60_000,
      hookTimeout: 60_000,
    },
  };
});
