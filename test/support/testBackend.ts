// The backend that the tests of exactness and leaks run on: cpu, or what the test project names (vitest.config.ts), so
// that what they promise is seen with each way of computing, and without it.
import { disposal } from '../../src/core/disposal.ts';
import type { Tensor } from '@tensorflow/tfjs-core';
import {
  useBackend,
  type FoldedPart,
  type RunOptions,
  type StageRange,
  type TransferModel,
  type Trunk,
} from '../../src/index.ts';

const { TEST_BACKEND, TEST_KERNELS, TEST_THREADS, TEST_FUSED, TEST_ENGINE } = process.env;

/** Whether this project runs on wasm as users do. What does not depend on the way of computing runs here alone. */
export const isUsualWay =
  TEST_BACKEND === 'wasm' && (TEST_KERNELS ?? TEST_THREADS ?? TEST_FUSED ?? TEST_ENGINE) === undefined;

/** Whether this package's own engine runs what is folded. */
export const isOwnEngine = TEST_ENGINE === undefined;

/** Sets it. */
export async function useTestBackend(): Promise<void> {
  const { TEST_BACKEND: name = 'cpu', TEST_KERNELS: kernels = 'true', TEST_THREADS: threads = '2' } = process.env;
  const engine = TEST_ENGINE === 'onnxruntime' ? 'onnxruntime' : 'own';
  await useBackend(name, { kernels: kernels === 'true', threads: Number(threads), engine });
}

/** The same model; it runs layer by layer where the test project says so. */
export function asTested<Model extends TransferModel>(model: Model): Model {
  for (const { trunk } of [model.base, model.head]) trunkAsTested(trunk);
  return model;
}

/** The same trunk; it runs layer by layer where the test project says so. */
export function trunkAsTested<Any extends Trunk>(trunk: Any): Any {
  return process.env.TEST_FUSED === 'false' ? layerByLayer(trunk) : trunk;
}

/** The same trunk, from now on layer by layer, what it folds too. */
export function layerByLayer<Any extends Trunk>(trunk: Any): Any {
  const run = trunk.run.bind(trunk);
  const fold = (range?: StageRange): Promise<FoldedPart> => {
    const part = { run: (input: Tensor) => run(input, { ...range, fused: false }), unfolded: [] };
    return Promise.resolve({ ...part, ...disposal(), dispose: () => undefined });
  };
  return Object.assign(trunk, {
    run: (input: Tensor, options?: RunOptions) => run(input, { ...options, fused: false }),
    fold,
  });
}
