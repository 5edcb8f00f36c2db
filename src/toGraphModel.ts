// The verb toGraphModel: converts the whole model to a tfjs GraphModel for fast inference.
import { nameErrors } from './core/edge.ts';
import { loadGraphModel, type GraphModel } from '@tensorflow/tfjs-converter';
import { dispose, io, keep } from '@tensorflow/tfjs-core';
import { ensureBackend } from './engines/backends/ensureBackend.ts';
import type { AnyModel } from './model/model.ts';
import { assertAlive } from './model/assertAlive.ts';
import { whileCopied } from './model/uses.ts';

/**
 * Makes a GraphModel of base and head, for inference without transferkit: BatchNorm is folded into the convolutions,
 * activations and padding are fused into their kernels, and dropout is removed. Its input is a preprocessed batch, as
 * for the base. Its output is the probabilities of the labels (`binary`: that of the second label; `regression`: the
 * values), equal to those of `predict` to within 1e-4. With several heads its `predict` gives a record by head name.
 *
 * It has its own weights: training or disposing of the model afterwards does not change it. Its own `save` method
 * writes a plain tfjs model, which cannot be trained further: for that, keep what transferkit's `save` writes.
 *
 * @param model - A model of any task, or with several heads.
 * @returns The GraphModel; `dispose()` frees it. Its `metadata` has the `labels`, the `task` and the `preprocessor`'s
 * spec.
 * @throws TransferKitError `UNSUPPORTED_LAYER` with the layers that have no GraphModel form, `UNSUPPORTED_TRUNK` for a
 * custom trunk that writes no nodes, `DISPOSED`.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { toGraphModel } from 'transferkit';
 * const graphModel = await toGraphModel(model);
 * const probabilities = graphModel.predict(tf.zeros([1, 32, 32, 3])) as tf.Tensor;
 * console.log(probabilities.shape); // [ 1, 2 ]
 * graphModel.dispose();
 * ```
 */
export async function toGraphModel(model: AnyModel): Promise<GraphModel> {
  return nameErrors('toGraphModel', () => whileCopied(model, () => writeGraphModel(model)));
}

async function writeGraphModel(model: AnyModel): Promise<GraphModel> {
  await ensureBackend();
  const { foldModel } = await import('./networks/fold/foldModel.ts');
  const { foldedArtifacts } = await import('./export/foldedArtifacts.ts');
  assertAlive(model);
  const { graph, constants } = foldModel(model);
  const { data, specs } = await io.encodeWeights(Object.fromEntries(constants)).finally(() => {
    dispose([...constants.values()]);
  });
  const artifacts: io.ModelArtifacts = { ...foldedArtifacts(model, graph), weightSpecs: specs, weightData: data };
  const graphModel = await loadGraphModel({ load: () => Promise.resolve(artifacts) });
  // Keeps the weights if the caller is inside a `tidy`.
  for (const weights of Object.values(graphModel.weights)) weights.forEach((weight) => keep(weight));
  return graphModel;
}
